"""RoI-align: a feature map read inside boxes, between its cells.

References
----------
.. [1] K. He, G. Gkioxari, P. Dollár, R. Girshick, "Mask R-CNN", ICCV 2017.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

N_SAMPLES = 2
"""Points along each side of a bin, over which it is averaged."""


def roi_align(features: Tensor, boxes: Tensor, stride: int, side: int) -> Tensor:
    """Read a map inside boxes, without rounding them to its cells (Section 3 of [1]_).

    Parameters
    ----------
    features : (C, H, W) Tensor
        The centre of its cell ``(i, j)`` lies at ``((j + 0.5)·stride, (i + 0.5)·stride)``.
    boxes : (N, 4) Tensor
        ``(x0, y0, x1, y1)`` in pixels of the input.
    stride : int
        Pixels per cell.
    side : int
        Bins along each side of a box.

    Returns
    -------
    (N, C, side, side) Tensor
        Beyond the outermost centres the map continues with its border.
    """
    n_boxes, channels = len(boxes), features.shape[0]
    total = features.new_zeros(channels, n_boxes * side, side)
    bins = torch.arange(side, device=boxes.device)
    extent = boxes[:, 2:] - boxes[:, :2]
    # Of the map in pixels, in the order x, y; in these units grid_sample has [-1, 1].
    reach = boxes.new_tensor([features.shape[2], features.shape[1]]) * stride
    # One point of every bin at a time: nothing larger than the result is held.
    for row in range(N_SAMPLES):
        for column in range(N_SAMPLES):
            within = torch.stack([bins + (one + 0.5) / N_SAMPLES for one in (column, row)], -1)
            at = boxes[:, None, :2] + within / side * extent[:, None]
            x, y = (2 * at / reach - 1).unbind(-1)
            grid = torch.stack(
                [x[:, None].expand(-1, side, -1), y[:, :, None].expand(-1, -1, side)], -1
            )
            total = total + functional.grid_sample(
                features[None],
                grid.reshape(1, n_boxes * side, side, 2).to(features.dtype),
                padding_mode="border",
                align_corners=False,
            ).squeeze(0)
    return (total / N_SAMPLES**2).reshape(channels, n_boxes, side, side).transpose(0, 1)
