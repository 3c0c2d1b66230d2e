"""Detection in tiles: for images larger than the network's input.

Tiles overlap, so that a target up to the width of the overlap is whole in at least
one of them. What another tile saw of it is dropped when the tiles are merged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from irbench.errors import UsageError
from irbench.networks.box_iou import intersection_over
from irbench.networks.nms import Kept, suppress_greedily

IOU_THRESHOLD = 0.5
"""Lower than within a tile: two views of the same target of 3 pixels that differ by half a
pixel have an IoU of 0.7."""

COVERED_THRESHOLD = 0.5
BORDER_PX = 1.0


class Tile(NamedTuple):
    """A part of an image: columns ``x0`` to ``x1 - 1`` and rows ``y0`` to ``y1 - 1``."""

    x0: int
    y0: int
    x1: int
    y1: int


def tile_grid(shape: tuple[int, int], size: int, overlap: int) -> list[Tile]:
    """Cover an image with as few equal tiles as it takes, evenly spread.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the image.
    size : int
        Side of a tile, in pixels; along a shorter axis of the image its length.
    overlap : int
        Least number of pixels that neighbours share, in [0, size).

    Returns
    -------
    list of Tile
        Row by row; all inside the image.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> tile_grid((4, 10), 6, 2)
    [Tile(x0=0, y0=0, x1=6, y1=4), Tile(x0=4, y0=0, x1=10, y1=4)]
    """
    if min(shape) < 1:
        raise UsageError(f"the image must have pixels, got the shape {tuple(shape)}.")
    if not 0 <= overlap < size:
        raise UsageError(f"overlap must be in [0, size), got {overlap=} and {size=}.")
    height, width = shape
    return [
        Tile(x, y, min(x + size, width), min(y + size, height))
        for y in _starts(height, size, overlap)
        for x in _starts(width, size, overlap)
    ]


def _starts(length: int, size: int, overlap: int) -> list[int]:
    if length <= size:
        return [0]
    n_steps = math.ceil((length - size) / (size - overlap))
    return [step * (length - size) // n_steps for step in range(n_steps + 1)]


def merge_tiles(
    found: Sequence[Kept],
    tiles: Sequence[Tile],
    shape: tuple[int, int],
    *,
    max_detections: int = 300,
) -> Kept:
    """Join the detections of the tiles of one image.

    A box that comes nearer than :data:`BORDER_PX` to the side of its tile, where that is not
    the image's, may be cut: it ranks behind all whole ones. In that order, then by descending
    score, a box is dropped if a kept one of the same class from another tile has an IoU with
    it above :data:`IOU_THRESHOLD`, or, where it may be cut, covers more than
    :data:`COVERED_THRESHOLD` of it.
    Boxes of the same tile have been through suppression and leave each other alone.

    Parameters
    ----------
    found : sequence of Kept
        Per tile, in pixels of the tile, clipped to it.
    tiles : sequence of Tile
    shape : (int, int)
        Height and width of the image.
    max_detections : int

    Returns
    -------
    Kept
        In pixels of the image, by descending score; equal scores in the order of the
        tiles.

    Raises
    ------
    UsageError
        Without tiles, or for another number of them.
    """
    if not tiles or len(found) != len(tiles):
        raise UsageError(f"expected one result per tile, got {len(found)} for {len(tiles)} tiles.")
    sizes = [len(kept.scores) for kept in found]
    boxes, scores, classes = (torch.cat(parts) for parts in zip(*found, strict=True))
    device = boxes.device
    tile = torch.repeat_interleave(torch.tensor(sizes, device=device))
    frames = torch.tensor(tiles, dtype=boxes.dtype, device=device)[tile]
    boxes = boxes + frames[:, :2].repeat(1, 2)

    height, width = shape
    image = boxes.new_tensor((0, 0, width, height))
    near = (boxes - frames).abs() <= BORDER_PX
    cut = (near & (frames != image)).any(1)

    order = scores.argsort(descending=True, stable=True)
    order = order[cut[order].to(torch.int8).argsort(stable=True)]

    def suppresses(rows: Tensor, columns: Tensor) -> Tensor:
        a, b = order[rows[0]], order[columns[0]]
        iou, covered = intersection_over(boxes[a][:, None], boxes[b])
        same_target = (iou > IOU_THRESHOLD) | (cut[b] & (covered > COVERED_THRESHOLD))
        rivals = (tile[a][:, None] != tile[b]) & (classes[a][:, None] == classes[b])
        return (same_target & rivals)[None]

    everything = torch.ones(1, len(order), dtype=torch.bool, device=device)
    kept = torch.zeros_like(cut)
    kept[order] = suppress_greedily(everything, suppresses, len(order))[0]
    index = kept.nonzero().squeeze(1)
    best = index[scores[index].argsort(descending=True, stable=True)[:max_detections]]
    return Kept(boxes[best], scores[best], classes[best])
