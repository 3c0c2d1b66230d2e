"""The order in which detections are matched: the best first, and no order of a list decides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rank_detections(
    image_index: NDArray[np.int64], scores: NDArray[np.float64], boxes: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Rows in order of (image, score descending, x0, y0, x1, y1), equal ones as they come.

    Parameters
    ----------
    image_index : (N,) ndarray of int64
        From 0 to 2**31 - 1.
    scores : (N,) ndarray of float64
        Finite.
    boxes : (N, 4) ndarray of float64
        Finite.

    Returns
    -------
    (N,) ndarray of int64
    """
    order = _rank_by_score(image_index, scores)
    # Few scores tie: sorting those alone by all keys is several times faster.
    tied = (np.diff(scores[order]) == 0) & (np.diff(image_index[order]) == 0)
    if tied.any():
        member = np.append(tied, False) | np.append(False, tied)
        group = np.cumsum(np.append(True, ~tied))[member]
        rows = order[member]
        order[member] = rows[_rank_by_corner(group, rows, boxes[rows])]
    return order


def _rank_by_score(
    image_index: NDArray[np.int64], scores: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Rows in order of (image, score descending), those that tie in any order."""
    with np.errstate(over="ignore"):
        narrow = (-scores).astype(np.float32)
    if not np.array_equal(narrow, -scores):
        return np.lexsort((-scores, image_index))
    # Both in one integer, which sorts several times as fast: numbers in IEEE 754 are in the order
    # of their bits, once those of negative ones are turned and the others put above them.
    bits = narrow.view(np.uint32)
    bits = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    return np.argsort(image_index.astype(np.uint64) << np.uint64(32) | bits)


def _rank_by_corner(
    group: NDArray[np.int64], rows: NDArray[np.int64], boxes: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Order of (group, x0, y0, x1, y1), what is equal in all of them by row."""
    x0, y0, x1, y1 = boxes.T
    near = boxes[:, :2]
    if not ((near >= 0) & (near < 2**16) & (near == np.floor(near))).all():
        return np.lexsort((rows, y1, x1, y0, x0, group))
    # Methods whose scores tie have boxes of whole pixels. Again one integer, and what it leaves
    # tied is sorted by all.
    key = group << 32 | x0.astype(np.int64) << 16 | y0.astype(np.int64)
    order = np.argsort(key)
    same = np.diff(key[order]) == 0
    if same.any():
        member = np.append(same, False) | np.append(False, same)
        left = order[member]
        keys = (rows[left], y1[left], x1[left], key[left])
        order[member] = left[np.lexsort(keys)]
    return order
