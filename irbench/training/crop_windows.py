"""Which part of a composed training image is seen, where it is not all of it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from irbench.training.placement import Placement
from irbench.training.targets import place_boxes

ON_TARGET = 0.75
"""Share of windows that hold a target. The others lie anywhere, for a network that never
sees a window of clutter alone learns that there is always something."""

MARGIN = 0.125
"""Least distance of such a target's centre from the window's border, as a share of its side."""


def choose_windows(
    placement: Placement, boxes: Tensor, starts: Tensor, window: Tensor, view: int
) -> Tensor:
    """Choose a window of each composed image.

    Parameters
    ----------
    placement : Placement
        Of B whole images of side S.
    boxes : (M, 4) Tensor of float64
        As for :func:`irbench.training.targets.place_boxes`.
    starts : (N + 1,) Tensor of int64
    window : (B, 4) Tensor of float64
        In [0, 1): whether it holds a target, which one, and where it lies.
    view : int
        Side V of the windows, at most S.

    Returns
    -------
    (B, 2) Tensor of float64
        Where each begins, ``(x, y)``: whole pixels in [0, S - V], before flips.
    """
    unflipped = replace(placement, flips=torch.zeros_like(placement.flips))
    rows, placed = place_boxes(unflipped, boxes, starts)
    centres = (placed[:, :2] + placed[:, 2:]) / 2
    counts = torch.bincount(rows, minlength=len(window))
    before = counts.cumsum(0) - counts

    room = float(placement.size - view)
    low = torch.zeros((len(window), 2), dtype=torch.float64)
    high = torch.full_like(low, room)
    is_on_target = (window[:, 0] < ON_TARGET) & (counts > 0)
    # A product just below the count may round to it.
    nth = torch.minimum((window[:, 1] * counts).long(), (counts - 1).clamp_min(0))
    centre = centres[(before + nth)[is_on_target]]
    low[is_on_target] = (centre - (1 - MARGIN) * view).clamp(0, room)
    high[is_on_target] = (centre - MARGIN * view).clamp(0, room)
    return (low + window[:, 2:] * (high - low)).floor()
