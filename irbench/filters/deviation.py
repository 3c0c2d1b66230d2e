"""Standard deviation over a square window, or over a square ring.

The sum of squares minus the square of the sum takes two running sums, and loses digits
where grey levels vary little about a large mean. Where the grey levels are whole multiples
of 1/256, as those of 8-bit images are, both are whole numbers that float64 holds, and
nothing is lost. Otherwise the mean is found first, and the deviations from it are squared.
"""

from __future__ import annotations

import numpy as np

from irbench.filters.flat import FloatArray
from irbench.filters.running import box_sum

_FRACTION = 256
"""8 bits of fraction and 8 of grey level: 32 of a square, 16 of 225 x 225 pixels, below 53."""


def sums_are_exact(image: FloatArray) -> bool:
    """Whether all grey levels are whole multiples of 1/256, and sums of squares thus exact.

    Parameters
    ----------
    image : ndarray of float64
        Grey levels, at most 255 in size.
    """
    scaled = image * _FRACTION
    return bool(np.array_equal(scaled, np.rint(scaled)))


def deviation(flat: FloatArray, size: int, hole: int, pitch: int, *, exact: bool) -> FloatArray:
    """Sample standard deviation (N - 1) over squares, their central squares left out.

    Parameters
    ----------
    flat : (N,) ndarray of float64
        Plane of a :class:`irbench.filters.flat.FlatImage`.
    size : int
        Side of the square in pixels, odd.
    hole : int
        Side of the central square that is left out, in pixels, odd and below ``size``; 0 for
        none.
    pitch : int
        See :class:`irbench.filters.flat.FlatImage`.
    exact : bool
        Whether :func:`sums_are_exact` holds for the image. Else 3 passes for every pixel
        of the window are needed.

    Returns
    -------
    (N - (size - 1) (pitch + 1),) ndarray of float64
        Anchored at the upper left corner of the square. Never negative.
    """
    n_pixels = size**2 - hole**2
    sums = ring_sum(flat, size, hole, pitch)
    if exact:
        return deviation_of_sums(sums, ring_sum(flat * flat, size, hole, pitch), n_pixels)
    sums *= 1 / n_pixels
    energy = np.zeros_like(sums)
    for offset in _offsets(size, hole, pitch):
        difference = flat[offset : offset + sums.size] - sums
        difference *= difference
        energy += difference
    energy *= 1 / (n_pixels - 1)
    return np.sqrt(energy, out=energy)


def deviation_of_sums(sums: FloatArray, energy: FloatArray, n_pixels: int) -> FloatArray:
    """Sample standard deviation (N - 1) from exact sums.

    Parameters
    ----------
    sums, energy : ndarray of float64
        Of the values and of their squares. Both are overwritten.
    n_pixels : int
        How many values each of them is over, at least 2.

    Returns
    -------
    ndarray of float64
        ``energy``. Never negative.
    """
    energy *= n_pixels
    sums *= sums
    energy -= sums
    # Rounding is none, but squares of windows beyond 15 x 15 may exceed 53 bits.
    np.maximum(energy, 0.0, out=energy)
    energy *= 1 / (n_pixels * (n_pixels - 1))
    return np.sqrt(energy, out=energy)


def ring_sum(flat: FloatArray, size: int, hole: int, pitch: int) -> FloatArray:
    """Sums over squares without their central squares; parameters as for :func:`deviation`."""
    total = box_sum(flat, size, pitch)
    if hole:
        total -= centred(box_sum(flat, hole, pitch), hole, size, pitch)
    return total


def centred(sums: FloatArray, inner: int, outer: int, pitch: int) -> FloatArray:
    """Statistics of squares of side ``inner``, in line with those of side ``outer`` round them.

    Parameters
    ----------
    sums : (N - (inner - 1) (pitch + 1),) ndarray of float64
        Anchored at the upper left corner.
    inner, outer : int
        Sides in pixels, odd.
    pitch : int

    Returns
    -------
    (N - (outer - 1) (pitch + 1),) ndarray of float64
        A view.
    """
    offset = (outer - inner) // 2 * (pitch + 1)
    return sums[offset : sums.size - offset]


def _offsets(size: int, hole: int, pitch: int) -> list[int]:
    inside = range((size - hole) // 2, (size + hole) // 2)
    return [
        row * pitch + column
        for row in range(size)
        for column in range(size)
        if not (row in inside and column in inside)
    ]
