"""Boxes whose four numbers mean something else than their format says, found from all of a file.

COCO has ``[x, y, width, height]`` in pixels, YOLO ``cx cy w h`` in fractions. Scripts write
corners in their place, or fractions where pixels belong: numbers of the right kind, and boxes
that nobody has drawn. One box seldom proves it; all of them do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_REACH = 0.01
"""So far out of the image a box may reach, as a share of its side: the rounding of text."""

_ENOUGH = 3
"""From so many boxes on it is no chance that all of them read as corners too."""


def coco_contradiction(boxes: NDArray[Any], areas: NDArray[Any], shapes: NDArray[Any]) -> str:
    """What proves that boxes are not ``[x, y, width, height]`` in pixels; empty if nothing.

    Parameters
    ----------
    boxes : (N, 4) ndarray of float
        As the file has them.
    areas : (N,) ndarray of float
        As the file states them; NaN where it does not.
    shapes : (N, 2) ndarray of float
        Height and width of the image of each.

    Examples
    --------
    >>> corners, area, shape = [[60, 40, 63, 43.0]], [9.0], [[96, 128.0]]
    >>> coco_contradiction(*map(np.array, (corners, area, shape)))[:50]
    'the areas are those of corners [x0, y0, x1, y1], n'
    """
    if not len(boxes):
        return ""
    x, y, w, h = boxes.T
    # Sizes under a pixel, all of them: a box of one pixel in the corner is sound.
    tiny = (boxes >= 0).all() and (boxes[:, :2] <= 1).all() and (boxes[:, 2:] < 1).all()
    if tiny and len(np.unique(boxes, axis=0)) >= _ENOUGH:
        return "all numbers lie between 0 and 1, as fractions of the image do; COCO has pixels"
    # No part of a box is larger than the box.
    if (np.abs(areas - (w + 1) * (h + 1)) <= 1e-6 * areas).all():
        return (
            "the areas are those of boxes a pixel wider and higher, so that these end at the last "
            "pixel, as Supervisely writes them; add 1 to each width and height"
        )
    if not ((w > x) & (h > y)).all():
        return ""
    as_corners = np.abs(areas - (w - x) * (h - y)) <= 0.01 * np.maximum(areas, 1)
    as_sizes = np.abs(areas - w * h) <= 0.01 * np.maximum(areas, 1)
    if as_corners.all() and not as_sizes.any():
        return "the areas are those of corners [x0, y0, x1, y1], not of [x, y, width, height]"
    outside = (x + w > shapes[:, 1] + 1) | (y + h > shapes[:, 0] + 1)
    inside = ((w <= shapes[:, 1] + 1) & (h <= shapes[:, 0] + 1)).all()
    if len(boxes) >= _ENOUGH and outside.any() and inside:
        return (
            f"{int(outside.sum())} of {len(boxes)} boxes would reach out of their image, and none "
            "of them as corners [x0, y0, x1, y1]"
        )
    return ""


def yolo_contradiction(boxes: NDArray[Any]) -> str:
    """What proves that boxes are not ``cx cy w h`` in fractions; empty if nothing.

    Parameters
    ----------
    boxes : (N, 4) ndarray of float
        As the files have them.

    Examples
    --------
    >>> yolo_contradiction(np.array([[0.9, 0.8, 0.92, 0.83]] * 3))[:38]
    '3 of 3 boxes would reach out of their '
    """
    if len(boxes) < _ENOUGH:
        return ""
    if not (boxes[:, 2:] > boxes[:, :2]).all():
        return ""
    low, high = boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2
    outside = ((low < -_REACH) | (high > 1 + _REACH)).any(axis=1)
    if not outside.any():
        return ""
    return (
        f"{int(outside.sum())} of {len(boxes)} boxes would reach out of their image, and none of "
        "them as corners x0 y0 x1 y1"
    )
