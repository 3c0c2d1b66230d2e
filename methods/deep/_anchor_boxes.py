"""Anchor boxes of two-stage detectors and of RetinaNet: where they lie, what they stand for.

References
----------
.. [1] S. Ren, K. He, R. Girshick, J. Sun, "Faster R-CNN: towards real-time object detection
   with region proposal networks", IEEE TPAMI 39(6), 2017, Eq. (2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from irbench.networks.box_iou import box_iou

IGNORED, BACKGROUND = -2, -1
"""In place of the index of a target."""

_LARGEST_LOG = math.log(1000 / 16)
"""An anchor never grows by more, so that a wild prediction stays finite."""


def grid_anchors(
    shape: tuple[int, int], stride: int, sides: Sequence[float], ratios: Sequence[float]
) -> Tensor:
    """The anchors of one feature map.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the map.
    stride : int
        Of the map, in pixels of the input.
    sides : sequence of float
        Square roots of the areas, in pixels.
    ratios : sequence of float
        Height over width.

    Returns
    -------
    (rows·columns·len(sides)·len(ratios), 4) Tensor
        ``(x0, y0, x1, y1)`` about the centres of the cells; by cell in rows, then by
        side, then by ratio.
    """
    halves = torch.tensor(
        [
            (side / math.sqrt(ratio) / 2, side * math.sqrt(ratio) / 2)
            for side in sides
            for ratio in ratios
        ]
    )
    rows, columns = torch.meshgrid(torch.arange(shape[0]), torch.arange(shape[1]), indexing="ij")
    centres = (torch.stack([columns, rows], -1).reshape(-1, 1, 2) + 0.5) * stride
    return torch.cat([centres - halves, centres + halves], -1).reshape(-1, 4)


def encode(boxes: Tensor, anchors: Tensor) -> Tensor:
    """Offsets from anchors to boxes, Eq. (2) of [1]_.

    Parameters
    ----------
    boxes, anchors : (..., 4) Tensor
        ``(x0, y0, x1, y1)``, with an area.

    Returns
    -------
    (..., 4) Tensor
        ``(Δx/w, Δy/h, log w'/w, log h'/h)`` with the anchor's w and h.
    """
    size = anchors[..., 2:] - anchors[..., :2]
    moved = (boxes[..., :2] + boxes[..., 2:] - anchors[..., :2] - anchors[..., 2:]) / 2
    return torch.cat([moved / size, ((boxes[..., 2:] - boxes[..., :2]) / size).log()], -1)


def decode(offsets: Tensor, anchors: Tensor) -> Tensor:
    """Boxes from offsets: the inverse of :func:`encode`; growth is bounded by 1000/16."""
    size = anchors[..., 2:] - anchors[..., :2]
    centre = (anchors[..., :2] + anchors[..., 2:]) / 2 + offsets[..., :2] * size
    half = size * offsets[..., 2:].clamp(max=_LARGEST_LOG).exp() / 2
    return torch.cat([centre - half, centre + half], -1)


def match(anchors: Tensor, boxes: Tensor, *, positive: float, negative: float) -> Tensor:
    """Which target each anchor stands for.

    Parameters
    ----------
    anchors : (N, 4) Tensor
    boxes : (M, 4) Tensor
        Targets of one image.
    positive : float
        IoU from which an anchor stands for the target that it overlaps most.
    negative : float
        IoU under which it is background; what lies between is ignored.

    Returns
    -------
    (N,) Tensor of int64
        Index of the target, :data:`BACKGROUND` or :data:`IGNORED`.

    Notes
    -----
    The anchors that overlap a target most stand for it whatever the IoU, if they overlap
    it at all: no target of a few pixels reaches ``positive`` with an anchor of 32.
    """
    if not len(boxes):
        return torch.full((len(anchors),), BACKGROUND, device=anchors.device)
    overlap = box_iou(anchors[:, None], boxes[None])
    best, index = overlap.max(1)
    matched = torch.where(best >= positive, index, IGNORED)
    matched[best < negative] = BACKGROUND
    highest = overlap.amax(0)
    is_best = (overlap == highest) & (highest > 0)
    taken = is_best.any(1)
    matched[taken] = torch.where(is_best, overlap, -1.0).argmax(1)[taken]
    return matched
