"""The order in which detections are matched: best score first, ties by position in the image."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from irbench.metrics.packed_components import PackedComponents


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
    return _ranked(
        image_index, scores, lambda rows, group: _rank_by_corner(group, rows, boxes[rows])
    )


def rank_components(found: PackedComponents, scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows in order of image and descending score, equal ones in raster order.

    Parameters
    ----------
    found : PackedComponents
    scores : (N,) ndarray of float64
        Finite.

    Returns
    -------
    (N,) ndarray of int64
    """
    return _ranked(found.image, scores, found.in_raster_order)


def _ranked(
    image_index: NDArray[np.int64],
    scores: NDArray[np.float64],
    rank_tied: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]],
) -> NDArray[np.int64]:
    """``rank_tied`` gets rows, and a number for those of one image and score; see above."""
    order = _rank_by_score(image_index, scores)
    # Few scores tie: sorting those alone by all keys is several times faster.
    tied = (np.diff(scores[order]) == 0) & (np.diff(image_index[order]) == 0)
    if tied.any():
        member = np.append(tied, False) | np.append(False, tied)
        group = np.cumsum(np.append(True, ~tied))[member]
        rows = order[member]
        order[member] = rows[rank_tied(rows, group)]
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
