"""The pixels of training images: two taps per axis, rows first, then columns.

A scale, a shift and a flip act on rows and columns separately. So whole rows are
fetched and mixed first, which is contiguous, and only the columns are gathered: several
times faster on a CPU than a gather of four pixels for each, and some thirty launches
for a batch on an accelerator, none of which the CPU has to wait for.
"""

from __future__ import annotations

import torch
from torch import Tensor

from irbench.networks.letterbox import PAD_VALUE
from irbench.training.placement import Placement

# As the letterboxed images of a cache have it.
GREY = float(torch.tensor(PAD_VALUE, dtype=torch.float16))
"""The grey where there is no image."""

# Pixels that an accelerator makes at once: 40 images of 640 × 640, with 0.8 GB of its memory.
_PIXELS_AT_A_TIME = 2**24


def resample(images: Tensor, placement: Placement, gain: Tensor, offset: Tensor) -> Tensor:
    """Compose training images.

    Parameters
    ----------
    images : (N, S, S) Tensor of float16
        In [0, 1], on any device.
    placement : Placement
        Of B images.
    gain, offset : (B,) Tensor
        Of the grey levels of each, on the CPU.

    Returns
    -------
    (B, 1, V, V) Tensor of float32
        The windows of the placement, in [0, 1], on the device of ``images``: bilinear,
        :data:`GREY` where there is no image.
    """
    device, size, view = images.device, placement.size, placement.view
    n_images = len(placement.images)
    canvas_rows = images.view(-1, size)
    across, down = placement.taps(0), placement.taps(1)

    # (B, V, 2): for each row, of the left tile and of the right one.
    tile = placement.images.gather(1, down.side[..., None].expand(-1, -1, 2))
    inside = down.inside.transpose(1, 2)
    weight = down.weight.transpose(1, 2)
    gain, offset = gain.float()[:, None, None], offset.float()[:, None, None]
    # The gain goes with the weights, and a row of grey is one of weight 0.
    first = upload(tile * size + down.first.transpose(1, 2), device)
    second = upload(tile * size + down.second.transpose(1, 2), device)
    first_weight = upload(torch.where(inside, (1 - weight) * gain, 0), device)
    second_weight = upload(torch.where(inside, weight * gain, 0), device)
    constant = upload(torch.where(inside, offset, GREY), device)

    # (B, 2, V): for the upper and the lower tiles, columns in the row of the left tile, the
    # right one, and a last column of grey.
    beside = across.side[:, None] * size
    left = upload(torch.where(across.inside, across.first + beside, 2 * size), device)
    right = upload(torch.where(across.inside, across.second + beside, 2 * size), device)
    right_weight = upload(across.weight, device)
    half = upload(down.side, device)

    composed = torch.empty((n_images, 1, view, view), dtype=torch.float32, device=device)
    step = _step(device, size * view)
    for start in range(0, n_images, step):
        some = slice(start, start + step)
        mixed = _mix_rows(
            canvas_rows,
            (first[some], second[some]),
            (first_weight[some], second_weight[some]),
            constant[some],
        )
        number = torch.arange(len(mixed), device=device)[:, None]
        tables = (table[some][number, half[some]] for table in (left, right, right_weight))
        left_column, right_column, weight_column = tables
        torch.lerp(
            mixed.gather(2, left_column),
            mixed.gather(2, right_column),
            weight_column,
            out=composed[some, 0],
        )
    # Rounding may have gone past them.
    return composed.clamp_(0, 1)


def _step(device: torch.device, n_pixels: int) -> int:
    """Images made at once: what fits in the CPU's cache; elsewhere, work in large pieces."""
    return 1 if device.type == "cpu" else max(1, _PIXELS_AT_A_TIME // n_pixels)


def _mix_rows(
    canvas_rows: Tensor, rows: tuple[Tensor, Tensor], weights: tuple[Tensor, Tensor], add: Tensor
) -> Tensor:
    """``(B, V, 2S + 1)``: the rows of the tiles side by side, and grey."""
    (n_images, view, _), size = add.shape, canvas_rows.shape[1]
    mixed = canvas_rows.new_empty((n_images, view, 2 * size + 1), dtype=torch.float32)
    mixed[..., -1] = GREY
    first, second = (canvas_rows.index_select(0, row.reshape(-1)).float() for row in rows)
    first *= weights[0].reshape(-1, 1)
    first.addcmul_(second, weights[1].reshape(-1, 1))
    first += add.reshape(-1, 1)
    mixed[..., :-1] = first.view(n_images, view, 2 * size)
    return mixed


def upload(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy from the CPU without waiting for what the device still has to do."""
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
