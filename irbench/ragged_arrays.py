"""Lists of different lengths, laid end to end in one array.

List ``i`` has the rows ``offsets[i]:offsets[i + 1]``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def offsets_of(counts: ArrayLike) -> NDArray[np.int64]:
    """``(N + 1,)`` offsets of N lists with ``(N,)`` ``counts`` rows."""
    return np.concatenate([[0], np.cumsum(np.asarray(counts, dtype=np.int64))])


def ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Consecutive integers: ``counts[i]`` of them from ``starts[i]``, one range after another.

    Examples
    --------
    >>> ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(counts)
    return np.asarray(np.repeat(starts - ends + counts, counts) + np.arange(ends[-1:].sum()))


def inverse_permutation(order: NDArray[np.int64]) -> NDArray[np.int64]:
    """``(N,)`` position of each of 0 … N - 1 in ``order``, a permutation of them."""
    positions = np.empty_like(order)
    positions[order] = np.arange(len(order))
    return positions


def rounds(group: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Split rows into rounds: all first rows of a group, then all second ones, and so on.

    Examples
    --------
    >>> [rows.tolist() for rows in rounds(np.array([7, 7, 3, 7]))]
    [[2, 0], [1], [3]]
    """
    if not len(group):
        return []
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=group[order[0]] - 1))
    turn = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    by_turn = order[np.argsort(turn, kind="stable")]
    return np.split(by_turn, np.cumsum(np.bincount(turn))[:-1])
