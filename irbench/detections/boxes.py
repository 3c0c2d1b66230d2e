"""Geometry of boxes ``(x0, y0, x1, y1)``: half-open, in float pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, int]
Shapes = tuple[NDArray[np.int64], NDArray[np.int64]]


def no_boxes() -> NDArray[np.float32]:
    """An empty ``(0, 4)`` array."""
    return np.zeros((0, 4), dtype=np.float32)


def outside_image(boxes: NDArray[Any], shape: tuple[int, ...] | Shapes) -> NDArray[np.bool_]:
    """Which boxes reach out of an image.

    Parameters
    ----------
    boxes : (N, 4) ndarray
        ``(x0, y0, x1, y1)`` in pixels.
    shape : tuple of int, or two (N,) ndarray of int64
        Height and width of the image, or of that of each box, come first.

    Returns
    -------
    (N,) ndarray of bool

    Examples
    --------
    >>> outside_image(np.array([[0, 0, 4, 3], [0, 0, 4, 4]]), (3, 4)).tolist()
    [False, True]
    """
    height, width = shape[:2]
    return np.asarray(
        (boxes[:, :2] < 0).any(axis=1) | (boxes[:, 2] > width) | (boxes[:, 3] > height)
    )


def iou_pairs(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union of boxes taken pair by pair.

    Parameters
    ----------
    a, b : (..., 4) array_like
        ``(x0, y0, x1, y1)`` in pixels; the leading axes broadcast.

    Returns
    -------
    (...) ndarray of float64
        In [0, 1]; 0 where both boxes are without area.

    Notes
    -----
    Computed in double precision whatever comes in, in the order of operations
    of COCO's evaluator, so that the two agree on which side of a threshold a
    pair falls.

    Examples
    --------
    >>> float(iou_pairs([0, 0, 2, 2], [1, 0, 3, 2]))
    0.3333333333333333
    """
    a = np.asarray(a, dtype=np.float64)
    b = np.asarray(b, dtype=np.float64)
    ax0, ay0, ax1, ay1 = (a[..., side] for side in range(4))
    bx0, by0, bx1, by1 = (b[..., side] for side in range(4))
    width = np.minimum(ax1, bx1) - np.maximum(ax0, bx0)
    height = np.minimum(ay1, by1) - np.maximum(ay0, by0)
    intersection = np.maximum(width, 0) * np.maximum(height, 0)
    union = (ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - intersection
    return np.asarray(
        np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)
    )


def covered_share(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """Share of the area of every box of ``a`` that lies in every box of ``b``.

    Parameters
    ----------
    a : (N, 4) array_like
    b : (M, 4) array_like
        ``(x0, y0, x1, y1)`` in pixels, each of positive area.

    Returns
    -------
    (N, M) ndarray of float64
        In [0, 1]. COCO's overlap of a detection with a crowd.

    Examples
    --------
    >>> covered_share([[0, 0, 2, 2]], [[1, 0, 9, 9], [5, 5, 6, 6]]).tolist()
    [[0.5, 0.0]]
    """
    rows = np.asarray(a, dtype=np.float64).reshape(-1, 1, 4)
    columns = np.asarray(b, dtype=np.float64).reshape(1, -1, 4)
    sides = np.minimum(rows[..., 2:], columns[..., 2:]) - np.maximum(
        rows[..., :2], columns[..., :2]
    )
    area = (rows[..., 2:] - rows[..., :2]).prod(axis=-1)
    return np.asarray(np.maximum(sides, 0).prod(axis=-1) / area)


def filled_ranges(boxes: NDArray[Any], shape: Shape | Shapes) -> NDArray[np.int64]:
    """The pixels that filled boxes cover: those whose centre lies in the box.

    Parameters
    ----------
    boxes : (N, 4) array_like
        ``(x0, y0, x1, y1)`` in pixels, ``x0 <= x1`` and ``y0 <= y1``, finite; may
        reach out of the image.
    shape : (int, int), or two (N,) ndarray of int64
        Height and width of the image, or of that of each box.

    Returns
    -------
    (N, 4) ndarray of int64
        Columns ``[0]`` to ``[2] - 1`` and rows ``[1]`` to ``[3] - 1``, clipped to
        the image: pixel ``x`` is covered where ``x0 <= x + 0.5 < x1``. Where no
        pixel is, an end equals its start.

    Examples
    --------
    >>> filled_ranges([[2.4, 2.6, 4.5, 9.0]], (8, 8)).tolist()
    [[2, 3, 4, 8]]
    """
    corners = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    height, width = shape
    # Clipped before the cast, so that a huge coordinate cannot overflow.
    limits = np.array([width, height, width, height]).T
    return np.asarray(np.clip(np.ceil(corners - 0.5), 0, limits).astype(np.int64))


def filled_area(boxes: NDArray[Any], shape: Shape | Shapes) -> NDArray[np.int64]:
    """Number of pixels of filled boxes inside the image.

    Parameters
    ----------
    boxes, shape
        As for :func:`filled_ranges`.

    Returns
    -------
    (N,) ndarray of int64
        0 for a box that covers no pixel's centre; see :func:`filled_ranges`.

    Examples
    --------
    >>> filled_area([[-2, 0, 3, 2]], (8, 8)).tolist()
    [6]
    """
    ranges = filled_ranges(boxes, shape)
    return np.asarray((ranges[:, 2] - ranges[:, 0]) * (ranges[:, 3] - ranges[:, 1]))


def filled_first_pixel(boxes: NDArray[Any], shape: Shape | Shapes) -> NDArray[np.int64]:
    """Raster index of the first pixel of filled boxes.

    Parameters
    ----------
    boxes, shape
        As for :func:`filled_ranges`.

    Returns
    -------
    (N,) ndarray of int64
        ``row * width + column`` of the top left pixel. A box that covers no
        pixel's centre gets the pixel where it would begin, so that it too has a
        place in raster order.

    Examples
    --------
    >>> filled_first_pixel([[3, 1, 5, 4]], (8, 8)).tolist()
    [11]
    """
    height, width = shape
    ranges = filled_ranges(boxes, shape)
    columns = np.minimum(ranges[:, 0], np.maximum(width - 1, 0))
    rows = np.minimum(ranges[:, 1], np.maximum(height - 1, 0))
    return np.asarray(rows * width + columns)


def without_repeats(boxes: NDArray[np.float32]) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Boxes of one image, each once.

    Tools that convert labels, or label an image twice, write the same box again; a
    detector that finds the object could match only one of them.

    Parameters
    ----------
    boxes : (N, 4) ndarray

    Returns
    -------
    boxes : (M, 4) ndarray
        In the order in which they come first.
    notes : tuple of str
        A clause if any was left out.
    """
    _, first = np.unique(boxes, axis=0, return_index=True)
    if len(first) == len(boxes):
        return boxes, ()
    return boxes[np.sort(first)], ("the same box twice or more: it counts once",)
