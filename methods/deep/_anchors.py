"""Anchor points of a pyramid of maps, and the boxes that raw maps stand for.

An anchor is the centre of a cell. A box is given by its distances from there to
the left, top, right and bottom side, and each distance by a distribution over
the whole numbers of cells ``0 … reg_max - 1``, whose mean it is. [1]_

Points and boxes are in pixels of the network's input, distances in cells.
Anchors are counted level by level, row by row.

References
----------
.. [1] X. Li et al., "Generalized focal loss: learning qualified and distributed
   bounding boxes for dense object detection", NeurIPS 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from irbench.errors import UsageError

REG_MAX = 16
"""Bins of the distribution of a distance, as in YOLOv8."""


def anchor_points(
    sizes: Sequence[tuple[int, int]],
    strides: Sequence[int],
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> tuple[Tensor, Tensor]:
    """The centres of all cells of a pyramid.

    Parameters
    ----------
    sizes : sequence of (int, int)
        Height and width of each level, in cells.
    strides : sequence of int
        Pixels per cell of each level.
    device, dtype : optional

    Returns
    -------
    points : (N, 2) Tensor
        x and y in pixels: ``(i + 0.5) · stride``.
    cell_px : (N, 1) Tensor
        The stride of each anchor's level.

    Examples
    --------
    >>> points, cell_px = anchor_points([(1, 2), (1, 1)], [8, 16])
    >>> points.tolist(), cell_px.flatten().tolist()
    ([[4.0, 4.0], [12.0, 4.0], [8.0, 8.0]], [8.0, 8.0, 16.0])
    """
    points, cell_px = [], []
    for (height, width), stride in zip(sizes, strides, strict=True):
        x = (torch.arange(width, device=device, dtype=dtype) + 0.5) * stride
        y = (torch.arange(height, device=device, dtype=dtype) + 0.5) * stride
        points.append(torch.cartesian_prod(y, x).flip(1))
        cell_px.append(torch.full((height * width, 1), stride, device=device, dtype=dtype))
    return torch.cat(points), torch.cat(cell_px)


def boxes_from_distances(points: Tensor, distances: Tensor) -> Tensor:
    """Boxes from the distances of their sides to a point.

    Parameters
    ----------
    points : (..., 2) Tensor
    distances : (..., 4) Tensor
        Left, top, right, bottom, in the unit of ``points``.

    Returns
    -------
    (..., 4) Tensor
        ``(x0, y0, x1, y1)``.
    """
    before, after = distances.chunk(2, -1)
    return torch.cat((points - before, points + after), -1)


def distances_from_boxes(points: Tensor, boxes: Tensor) -> Tensor:
    """Distances of the sides of boxes to a point; undoes :func:`boxes_from_distances`.

    Parameters
    ----------
    points : (..., 2) Tensor
    boxes : (..., 4) Tensor

    Returns
    -------
    (..., 4) Tensor
        Left, top, right, bottom; negative for a side that the point lies beyond.
    """
    low, high = boxes.chunk(2, -1)
    return torch.cat((points - low, high - points), -1)


def expected_distances(logits: Tensor, bins: Tensor | None = None) -> Tensor:
    """The mean of the distribution over whole numbers of cells.

    Parameters
    ----------
    logits : (..., reg_max) Tensor
    bins : (reg_max,) Tensor, optional
        The numbers themselves, 0 to ``reg_max - 1``, where they exist already.

    Returns
    -------
    (...) Tensor
        In [0, reg_max - 1] cells.
    """
    if bins is None:
        bins = torch.arange(logits.shape[-1], device=logits.device, dtype=logits.dtype)
    # A product and a sum, not a matrix product, which autocast would do in half precision.
    return (logits.softmax(-1) * bins).sum(-1)


def decode(
    raw_maps: Sequence[Tensor],
    strides: Sequence[int],
    reg_max: int = REG_MAX,
    mean: Callable[[Tensor], Tensor] = expected_distances,
) -> tuple[Tensor, Tensor]:
    """Turn raw maps into boxes and scores: all of them, nothing suppressed.

    Parameters
    ----------
    raw_maps : sequence of (B, 4 · reg_max + n_classes, H_i, W_i) Tensor
        Per level: logits of the left, top, right and bottom distance, ``reg_max``
        each, then of the classes. Any float type.
    strides : sequence of int
    reg_max : int
    mean : callable
        What computes :func:`expected_distances`; a network has a module for it, which
        counts.

    Returns
    -------
    boxes : (B, N, 4) Tensor
        ``(x0, y0, x1, y1)`` in pixels of the network's input, not clipped to it; level
        by level, row by row.
    scores : (B, N, n_classes) Tensor
        In [0, 1]. Both float32 (float64 for maps of float64).

    Raises
    ------
    UsageError
        If the maps do not fit the strides or ``reg_max``.
    """
    sizes, n_classes = pyramid_sizes(raw_maps, strides, reg_max)
    cells, scores = [], []
    for level in raw_maps:
        flat = widen(level.flatten(2).transpose(1, 2))
        sides, classes = torch.split(flat, [4 * reg_max, n_classes], 2)
        cells.append(mean(sides.reshape(*sides.shape[:2], 4, reg_max)))
        scores.append(classes.sigmoid())
    distances = torch.cat(cells, 1)
    points, cell_px = anchor_points(sizes, strides, device=distances.device, dtype=distances.dtype)
    return boxes_from_distances(points, distances * cell_px), torch.cat(scores, 1)


def pyramid_sizes(
    raw_maps: Sequence[Tensor], strides: Sequence[int], reg_max: int
) -> tuple[list[tuple[int, int]], int]:
    """Height and width of each level, and the number of classes; checks that they fit.

    Raises
    ------
    UsageError
    """
    if len(raw_maps) != len(strides):
        raise UsageError(f"expected a raw map for each of the strides {strides}, {len(raw_maps)=}.")
    shapes = [tuple(level.shape) for level in raw_maps]
    # Compared, not put in a set: a hash would fix the batch while the network is traced.
    if not shapes or any(len(one) != 4 or one[:2] != shapes[0][:2] for one in shapes):
        raise UsageError(f"raw maps must be (B, C, H_i, W_i) with the same B and C, got {shapes}.")
    n_classes = shapes[0][1] - 4 * reg_max
    if n_classes < 1:
        raise UsageError(
            f"raw maps must have 4·{reg_max} + n_classes channels, got {shapes[0][1]}."
        )
    return [(shape[2], shape[3]) for shape in shapes], n_classes


def widen(x: Tensor) -> Tensor:
    """At least float32: half precision cannot place a box of 3 pixels in 640."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
