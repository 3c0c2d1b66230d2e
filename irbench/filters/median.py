"""Medians along lines of a flattened image."""

from __future__ import annotations

import numpy as np

from irbench.filters.flat import LevelArray


def clamp_bounds(
    flat: LevelArray, half: int, stride: int, n_entries: int
) -> tuple[LevelArray, LevelArray]:
    """The two middle values of a line without its centre.

    The median of ``2 half + 1`` values is the centre, clamped to the interval
    between the two middle ones of the others: whatever lies inside leaves
    ``half`` values on either side.

    Parameters
    ----------
    flat : (N,) ndarray of float64 or uint8
        The plane of a :class:`irbench.filters.flat.FlatImage`; entry ``i`` is the
        first pixel of line ``i``.
    half : int
        Pixels on either side of the centre, at least 1.
    stride : int
        Distance between the pixels of a line.
    n_entries : int
        Number of lines.

    Returns
    -------
    lower, upper : (n_entries,) ndarray of the same dtype
        The ``half``-th and the next larger of the ``2 half`` values.
    """
    if half == 2:
        return _middle_of_two_pairs(flat, stride, n_entries)
    offsets = [k * stride for k in range(2 * half + 1) if k != half]
    others = np.stack([flat[offset : offset + n_entries] for offset in offsets])
    others.partition((half - 1, half), axis=0)
    return others[half - 1], others[half]


def _middle_of_two_pairs(
    flat: LevelArray, stride: int, n_entries: int
) -> tuple[LevelArray, LevelArray]:
    """The case of the default, in 6 passes: the pairs on both sides are the same plane."""
    n_pairs = n_entries + 3 * stride
    smaller = np.minimum(flat[:n_pairs], flat[stride : stride + n_pairs])
    larger = np.maximum(flat[:n_pairs], flat[stride : stride + n_pairs])
    before, after = slice(0, n_entries), slice(3 * stride, n_pairs)
    high_of_smaller = np.maximum(smaller[before], smaller[after])
    low_of_larger = np.minimum(larger[before], larger[after])
    return (
        np.minimum(high_of_smaller, low_of_larger),
        np.maximum(high_of_smaller, low_of_larger),
    )
