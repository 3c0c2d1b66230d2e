"""The boxes of training images, and which of them still stand for a target."""

from __future__ import annotations

import torch
from torch import Tensor

from irbench.training.placement import Placement

MIN_VISIBLE = 0.4
"""Least share of a box's area that must be left of it.

A small target is brightest in its middle. Cut along one side at 40 %, the middle or the
pixel beside it is still there, and to a detector it is a target at the border; of less
only the slope is seen, which looks like the background.
"""

MIN_SIDE_PX = 1.0
"""Least side that must be left of a box, unless it was smaller before."""

# Of a side that was smaller before: it may lose a rounding error.
_WHOLE = 0.99


def place_boxes(placement: Placement, boxes: Tensor, starts: Tensor) -> tuple[Tensor, Tensor]:
    """Bring the boxes of tiles to where their pixels are.

    Parameters
    ----------
    placement : Placement
        Of B images.
    boxes : (M, 4) Tensor of float64
        ``(x0, y0, x1, y1)`` in pixels of the canvas, of all images that tiles are taken
        from, in order.
    starts : (N + 1,) Tensor of int64
        Image ``i`` has ``boxes[starts[i]:starts[i + 1]]``.

    Returns
    -------
    rows : (K,) Tensor of int64
        The image that each box is on, ascending.
    boxes : (K, 4) Tensor of float64
        Clipped to what is seen of their tile, in pixels of the window. Those of which less than
        :data:`MIN_VISIBLE` or a side of less than :data:`MIN_SIDE_PX` is left are
        dropped.
    """
    tile, source = _boxes_of_tiles(placement, starts)
    row, lower, right = tile // 4, tile // 2 % 2 == 1, tile % 2 == 1
    anchor = placement.anchor[row, lower.long(), right.long()]
    factor, pivot = placement.factor[row, None], placement.pivot[row]
    corners = boxes[source].view(-1, 2, 2)
    before = corners[:, 1] - corners[:, 0]
    corners = (corners - anchor[:, None]) * factor[:, None] + pivot[:, None]

    size = float(placement.size)
    seam = placement.seam[row].clamp(0, size)
    is_beyond = torch.stack((right, lower), 1)
    origin, view = placement.origin[row], float(placement.view)
    low = torch.maximum(torch.where(is_beyond, seam, 0), origin)
    high = torch.minimum(torch.where(is_beyond, size, seam), origin + view)
    # A tile that the window does not reach shows nothing.
    high = torch.maximum(low, high)
    seen = torch.minimum(torch.maximum(corners, low[:, None]), high[:, None])

    sides, all_sides = seen[:, 1] - seen[:, 0], corners[:, 1] - corners[:, 0]
    is_kept = (sides >= (_WHOLE * before).clamp_max(MIN_SIDE_PX)).all(1)
    is_kept &= sides.prod(1) >= MIN_VISIBLE * all_sides.prod(1)

    seen = seen - origin[:, None]
    flipped = view - seen.flip(1)
    seen = torch.where(placement.flips[row][:, None], flipped, seen)
    return row[is_kept], seen[is_kept].flatten(1)


def _boxes_of_tiles(placement: Placement, starts: Tensor) -> tuple[Tensor, Tensor]:
    """``(K,)`` tile, of all 4B, and ``(K,)`` index of every box on a tile that is used."""
    images = placement.images.flatten()
    is_used = placement.seam.isfinite().all(1).repeat_interleave(4)
    is_used[::4] = True
    counts = torch.where(is_used, starts[images + 1] - starts[images], 0)
    tile = torch.arange(len(images)).repeat_interleave(counts)
    before = counts.cumsum(0) - counts
    source = starts[images][tile] + torch.arange(len(tile)) - before[tile]
    return tile, source
