"""Weighted entropy of a window, without a histogram per pixel.

A bin that holds n of the N grey levels of a window adds ``weight * n / N * log2(N / n)``.
That is the sum over its n grey levels of ``weight / N * log2(N / n)`` each; so it is
enough to know, for each grey level of the window, how many others share its bin. Whether two
pixels share a bin is found once per displacement, in bytes, and serves all windows.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.filters.flat import FloatArray


def bins_of(flat: FloatArray, bin_width: float) -> NDArray[np.unsignedinteger[Any]]:
    """Number of the bin that each grey level falls in.

    Bins are centred on the multiples of ``bin_width`` from 0 to 255; a level halfway between two
    belongs to the lower one.

    Parameters
    ----------
    flat : (N,) ndarray of float64
        Grey levels.
    bin_width : float
        In grey levels, above 0.

    Returns
    -------
    (N,) ndarray of unsigned int
        Of as few bits as there are bins.
    """
    last = int(np.ceil(255 / bin_width))
    numbers = np.ceil(flat / bin_width - 0.5)
    return np.clip(numbers, 0, last).astype(np.min_scalar_type(last))


def weighted_entropy(flat: FloatArray, size: int, pitch: int, bin_width: float) -> FloatArray:
    """Entropy of each window, its bins weighted by the squared difference from the centre.

    Parameters
    ----------
    flat : (N,) ndarray of float64
        Grey levels, plane of a :class:`irbench.filters.flat.FlatImage`.
    size : int
        Side of the window in pixels, odd, 3 to 15.
    pitch : int
        See :class:`irbench.filters.flat.FlatImage`.
    bin_width : float
        See :func:`bins_of`.

    Returns
    -------
    (N - (size - 1) (pitch + 1),) ndarray of float64
        In squared grey levels times bit, anchored at the upper left corner of the window.
        Exactly 0 where one bin holds the whole window.
    """
    bins = bins_of(flat, bin_width)
    n_pixels, length = size**2, flat.size - (size - 1) * (pitch + 1)
    counts = _sharing(bins, size, pitch, length)
    shares = np.arange(1, n_pixels + 1) / n_pixels
    information = np.concatenate([[0.0], -np.log2(shares) / n_pixels])
    information[-1] = 0.0
    centre = flat[size // 2 * (pitch + 1) :][:length]
    levels = bins * bin_width
    entropy = np.zeros(length)
    for count, (row, column) in zip(counts, np.ndindex(size, size), strict=True):
        weight = levels[row * pitch + column :][:length] - centre
        weight *= weight
        weight *= information[count]
        entropy += weight
    return entropy


def _sharing(
    bins: NDArray[np.unsignedinteger[Any]], size: int, pitch: int, length: int
) -> NDArray[np.uint8]:
    """``(size ** 2, length)``: how many pixels of the window share the bin of each of them."""
    counts = np.ones((size**2, length), dtype=np.uint8)
    for rows, columns in itertools.product(range(size), range(1 - size, size)):
        if rows == 0 and columns <= 0:
            continue
        distance = rows * pitch + columns
        same = (bins[: bins.size - distance] == bins[distance:]).view(np.uint8)
        for row in range(size - rows):
            for column in range(max(0, -columns), min(size, size - columns)):
                here = row * size + column
                there = here + rows * size + columns
                shared = same[row * pitch + column :][:length]
                counts[here] += shared
                counts[there] += shared
    return counts
