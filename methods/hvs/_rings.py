"""The mean of a square minus the mean of the square ring round it."""

from __future__ import annotations

from irbench.errors import ParameterError
from irbench.filters.deviation import centred
from irbench.filters.flat import FloatArray
from irbench.filters.running import box_sum


def from_darkest(image: FloatArray) -> FloatArray:
    """The image minus its least grey level.

    Differences of means are the same, but those of a constant image are exactly 0, whatever
    its level, and less is lost by rounding.
    """
    shifted: FloatArray = image - image.min()
    return shifted


def ring_contrast(
    sums: FloatArray, around: FloatArray, inner: int, outer: int, pitch: int
) -> FloatArray:
    """Mean of a square minus the mean of the ring between it and a larger square.

    Parameters
    ----------
    sums : (M,) ndarray of float64
        Plane of which the inner square is summed.
    around : (N - (outer - 1) (pitch + 1),) ndarray of float64
        Sums over the outer square, anchored at its upper left corner, of the same plane.
    inner, outer : int
        Sides in pixels, odd, ``inner < outer``.
    pitch : int
        See :class:`irbench.filters.flat.FlatImage`.

    Returns
    -------
    ndarray of float64
        In line with ``around``. The numerator is a whole number where the plane's values
        are: a flat area has exactly no contrast.
    """
    n_inner, n_outer = inner**2, outer**2
    square = centred(box_sum(sums, inner, pitch), inner, outer, pitch)
    contrast = n_outer * square
    contrast -= n_inner * around
    contrast *= 1 / (n_inner * (n_outer - n_inner))
    return contrast


def require_larger(method: str, name: str, value: int, other: str, least: int) -> None:
    """Refuse a window that is not larger than the one inside it.

    Raises
    ------
    ParameterError
    """
    if value <= least:
        raise ParameterError(
            f"{method}.{name} must be larger than {method}.{other}, {least}, got {value}."
        )


def require_several(method: str, scales: tuple[int, ...]) -> None:
    """Refuse scales that cannot be compared with each other.

    Raises
    ------
    ParameterError
    """
    if len(set(scales)) < 2:
        raise ParameterError(
            f"{method}.scales must name at least two different sides, got {scales}."
        )
