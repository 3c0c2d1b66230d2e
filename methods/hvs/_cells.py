"""What local contrast measures share: a cell, its eight neighbours, their ratio.

A pixel's cell and the eight cells of the same size round it tile a square of
three cells a side. A statistic of a cell is computed once per position, on the
flattened plane of a :class:`irbench.filters.flat.FlatImage`, and its eight
neighbours are the same plane shifted by multiples of the cell's size. Planes
of statistics are anchored at the upper left cell of the square.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from irbench.errors import ParameterError
from irbench.filters.flat import FloatArray
from irbench.parameters import parameter

Padding = Literal["zero", "reflect"]


def scales_parameter(default: tuple[int, ...]) -> Any:
    """The sides of a cell."""
    return parameter(default=default, low=3, high=63, odd=True, unit="px", help="sides of a cell")


def n_largest_parameter() -> Any:
    """How many pixels stand for a cell."""
    return parameter(
        default=9, low=1, high=64, help="K, how many of the largest grey levels represent a cell"
    )


def padding_parameter() -> Any:
    """What the cells at the image's border see."""
    return parameter(default="zero", choices=("zero", "reflect"), help="what surrounds the image")


def background_floor_parameter() -> Any:
    """The least divisor of the ratio; 0, the references', gives targets on black no score."""
    return parameter(
        default=0.0,
        low=0,
        high=255,
        unit="grey levels",
        help="least mean of the brightest neighbour",
    )


def reach_of_square(cell: int) -> int:
    """How far the square of nine cells reaches from its centre, in pixels (``cell`` odd)."""
    return 3 * cell // 2


def central_cell(statistic: NDArray[Any], cell: int, pitch: int) -> NDArray[Any]:
    """A cell's own statistic, in line with its neighbours'.

    Parameters
    ----------
    statistic : (N,) ndarray
        A statistic of the cell at each position.
    cell : int
        Side of a cell, in pixels.
    pitch : int
        See :class:`irbench.filters.flat.FlatImage`.

    Returns
    -------
    (N - 2 cell (pitch + 1),) ndarray of the same dtype
        A view.
    """
    offset = cell * (pitch + 1)
    return statistic[offset : statistic.size - offset]


def neighbouring_cells(statistic: NDArray[Any], cell: int, pitch: int) -> list[NDArray[Any]]:
    """The statistic of the eight neighbours, clockwise from the upper left.

    Entry ``i + 4`` lies opposite entry ``i``. Parameters as for :func:`central_cell`.

    Returns
    -------
    list of 8 (N - 2 cell (pitch + 1),) ndarray of the same dtype
        Views.
    """
    length = statistic.size - 2 * cell * (pitch + 1)
    clockwise = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    offsets = [(i * pitch + j) * cell for i, j in clockwise]
    return [statistic[offset : offset + length] for offset in offsets]


def largest_neighbour(statistic: NDArray[Any], cell: int, pitch: int) -> NDArray[Any]:
    """The largest statistic of the eight neighbours.

    Parameters as for :func:`central_cell`. Time 4 passes instead of 7: two
    columns and three columns are shared by the rows.

    Returns
    -------
    (N - 2 cell (pitch + 1),) ndarray of the same dtype
    """
    row = cell * pitch
    sides = np.maximum(statistic[: -2 * cell], statistic[2 * cell :])
    triples = np.maximum(sides, statistic[cell:-cell])
    length = sides.size - 2 * row
    largest: NDArray[Any] = np.maximum(triples[:length], triples[2 * row :])
    np.maximum(largest, sides[row : row + length], out=largest)
    return largest


def squared_ratio(centre: FloatArray, background: FloatArray, floor: float) -> FloatArray:
    """``centre ** 2 / background``, the ratio at the heart of every LCM.

    Parameters
    ----------
    centre, background : (N,) ndarray of float64
        Non-negative grey levels. ``background`` is overwritten.
    floor : float
        Least value of the background, at least 0.

    Returns
    -------
    (N,) ndarray of float64
        Infinite where a positive value is divided by 0, NaN for 0 / 0.
    """
    if floor > 0:
        np.maximum(background, floor, out=background)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # The quotient first: exactly `centre` where the two are equal.
        ratio = np.divide(centre, background, out=background)
        return np.multiply(ratio, centre, out=ratio)


def fuse_scales(contrasts: Iterable[FloatArray]) -> FloatArray:
    """The largest contrast over the scales, at each pixel.

    Parameters
    ----------
    contrasts : iterable of (N,) ndarray of float64
        At least one. The first is overwritten.

    Returns
    -------
    (N,) ndarray of float64
        A scale that is NaN leaves the word to the others.
    """
    remaining = iter(contrasts)
    largest = next(remaining)
    for contrast in remaining:
        np.fmax(largest, contrast, out=largest)
    return largest


def finite_or_zero(score_map: FloatArray) -> FloatArray:
    """Set NaN and infinities to 0, in place."""
    score_map[~np.isfinite(score_map)] = 0.0
    return score_map


def require_scales(method: str, scales: tuple[int, ...]) -> None:
    """Refuse an empty list of scales.

    Raises
    ------
    ParameterError
    """
    if not scales:
        raise ParameterError(f"{method}.scales must name at least one cell size, got none.")


def require_fitting(method: str, name: str, counts: Iterable[int], cell: int) -> None:
    """Refuse a number of pixels that the smallest cell does not hold.

    Raises
    ------
    ParameterError
    """
    for count in counts:
        if count > cell**2:
            raise ParameterError(
                f"{method}.{name} must be at most {cell**2}, the pixels of a cell of "
                f"{cell}x{cell}, got {count}."
            )
