"""Running sums and extrema on flattened images, by doubling.

The sum over eight neighbours is the sum over four plus the same four places on,
and so forth: about ``log2(n)`` passes instead of ``n``. Unlike a running sum
that adds the entering and subtracts the leaving value, every window is summed
in the same order and on its own. So equal windows have equal sums to the last
bit, nothing drifts along a row, and a flat area has exactly no contrast.

All functions take the plane of a :class:`irbench.filters.flat.FlatImage` and
return values for the window that *starts* at each entry; the result is shorter by the
extent of the window. Of planes of bytes, sums over squares are unsigned integers of as many
bits as they need, and extrema are bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.filters.flat import FloatArray, LevelArray


def running_sum(flat: NDArray[Any], size: int, stride: int) -> NDArray[Any]:
    """Sums over ``size`` entries ``stride`` apart.

    Parameters
    ----------
    flat : (N,) ndarray
        Of a type that holds the sums.
    size : int
        Number of entries in the window, at least 1.
    stride : int
        Distance between them: 1 along a row, the pitch along a column.

    Returns
    -------
    (N - (size - 1) stride,) ndarray of the same dtype
        ``result[i] = flat[i] + flat[i + stride] + …``; the input itself for size 1.
    """
    # Windows of 1, 2, 4 … entries; those in the binary expansion of `size` are put end to end.
    block, length = flat, 1
    total, covered = None, 0
    while True:
        if size & length:
            total = block if total is None else _join(np.add, total, block, covered * stride)
            covered += length
        if covered == size:
            assert total is not None
            return total
        block = _join(np.add, block, block, length * stride)
        length *= 2


def running_max(flat: LevelArray, size: int, stride: int) -> LevelArray:
    """Maxima over ``size`` entries ``stride`` apart; see :func:`running_sum`."""
    return _running_extremum(np.maximum, flat, size, stride)


def running_min(flat: LevelArray, size: int, stride: int) -> LevelArray:
    """Minima over ``size`` entries ``stride`` apart; see :func:`running_sum`."""
    return _running_extremum(np.minimum, flat, size, stride)


def box_sum(flat: LevelArray, size: int, pitch: int) -> NDArray[Any]:
    """Sums over squares of ``size`` pixels a side, anchored at their upper left corner.

    Parameters
    ----------
    flat : (N,) ndarray of float64 or uint8
    size : int
        Side of the square in pixels, at least 1.
    pitch : int
        See :class:`irbench.filters.flat.FlatImage`.

    Returns
    -------
    (N - (size - 1) (pitch + 1),) ndarray of float64 or unsigned int
    """
    if flat.dtype == np.uint8:
        flat = flat.astype(np.min_scalar_type(np.iinfo(np.uint8).max * size**2))
    return running_sum(running_sum(flat, size, 1), size, pitch)


def box_count(marked: NDArray[np.bool_], size: int, pitch: int) -> NDArray[np.integer[Any]]:
    """How many entries of each square are true; parameters as for :func:`box_sum`.

    Returns
    -------
    (N - (size - 1) (pitch + 1),) ndarray of unsigned int
        Of as few bits as ``size ** 2`` needs: passes over bytes take an eighth of the time.
    """
    flags = marked.astype(np.min_scalar_type(size**2))
    return running_sum(running_sum(flags, size, 1), size, pitch)


def box_max(flat: LevelArray, size: int, pitch: int) -> LevelArray:
    """Maxima over squares of ``size`` pixels a side; see :func:`box_sum`."""
    return running_max(running_max(flat, size, 1), size, pitch)


def box_min(flat: LevelArray, size: int, pitch: int) -> LevelArray:
    """Minima over squares of ``size`` pixels a side; see :func:`box_sum`."""
    return running_min(running_min(flat, size, 1), size, pitch)


def binomial_3x3(flat: LevelArray, pitch: int) -> FloatArray:
    """Gaussian smoothing with the kernel ``[1 2 1; 2 4 2; 1 2 1] / 16``.

    Parameters
    ----------
    flat : (N,) ndarray of float64 or uint8
    pitch : int
        See :class:`irbench.filters.flat.FlatImage`.

    Returns
    -------
    (N - 2 (pitch + 1),) ndarray of float64
        Anchored at the upper left corner of the 3x3 window. Exactly ``c`` where
        all nine pixels are ``c``.
    """
    smooth = flat.astype(np.uint16) if flat.dtype == np.uint8 else flat
    for stride in (1, pitch):
        outer = _join(np.add, smooth, smooth, 2 * stride)
        centre = 2 * smooth[stride : stride + outer.size]
        smooth = np.add(outer, centre, out=centre)
    return np.asarray(np.multiply(smooth, 1 / 16, dtype=np.float64))


def _running_extremum(
    extremum: Callable[..., Any], flat: LevelArray, size: int, stride: int
) -> LevelArray:
    result, length = flat, 1
    while length < size:
        # The last two blocks may overlap: no entry counts twice in an extremum.
        step = min(length, size - length)
        result = _join(extremum, result, result, step * stride)
        length += step
    return result


def _join(
    operation: Callable[..., Any], first: NDArray[Any], second: NDArray[Any], offset: int
) -> NDArray[Any]:
    """Combine ``first[i]`` with ``second[i + offset]``, as far as both reach."""
    length = min(first.size, second.size - offset)
    joined: NDArray[Any] = operation(first[:length], second[offset : offset + length])
    return joined
