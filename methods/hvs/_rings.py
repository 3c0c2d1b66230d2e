"""The mean of a square minus the mean of the square ring round it."""

from __future__ import annotations

from typing import Any

from irbench.errors import ParameterError
from irbench.filters.flat import FloatArray
from irbench.parameters import parameter


def inner_sides_parameter() -> Any:
    """The sides of the inner window."""
    return parameter(
        default=(3, 5, 7, 9), low=1, high=61, odd=True, unit="px", help="sides of the inner window"
    )


def outer_side_parameter(default: int) -> Any:
    """The side of the outer window."""
    return parameter(
        default=default, low=3, high=63, odd=True, unit="px", help="side of the outer window"
    )


def from_darkest(image: FloatArray) -> FloatArray:
    """The image minus its least grey level.

    Differences of means are the same, but those of a constant image are exactly 0, whatever
    its level, and less is lost by rounding.
    """
    shifted: FloatArray = image - image.min()
    return shifted


def ring_contrast(square: FloatArray, around: FloatArray, inner: int, outer: int) -> FloatArray:
    """Mean of a square minus the mean of the ring between it and a larger square.

    Parameters
    ----------
    square, around : (N,) or (H, W) ndarray of float64
        Sums over the inner and the outer square, at the same places. ``square`` is overwritten.
    inner, outer : int
        Sides in pixels, odd, ``inner < outer``.

    Returns
    -------
    ndarray of float64
        ``square``. The numerator is a whole number where the plane's values are: a flat area
        has exactly no contrast.
    """
    n_inner, n_outer = inner**2, outer**2
    square *= n_outer
    square -= n_inner * around
    square *= 1 / (n_inner * (n_outer - n_inner))
    return square


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
