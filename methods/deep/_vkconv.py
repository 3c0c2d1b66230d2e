"""Variable-kernel convolution: few samples at learned positions.

References
----------
.. [1] "LE-IRSTD", section III-B3, equations (7) to (9).
.. [2] X. Zhang et al., "LDConv: linear deformable convolution for improving
   convolutional neural networks", Image and Vision Computing 149, 2024.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ._yolo_blocks import SiLU, batch_norm


def base_points(n_points: int) -> tuple[tuple[int, int], ...]:
    """Where the samples lie before they are moved, eq. (7) of [1]_.

    A grid of ``round(sqrt(n_points))`` columns, filled row by row, the last row
    perhaps in part; not centred.

    Parameters
    ----------
    n_points : int
        At least 1.

    Returns
    -------
    tuple of (int, int)
        Row and column of each point.

    Examples
    --------
    >>> base_points(3)
    ((0, 0), (0, 1), (1, 0))
    """
    n_columns = round(math.sqrt(n_points))
    return tuple(divmod(i, n_columns) for i in range(n_points))


def sample_bilinear(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Read a map between its pixels; positions outside are clamped to its border.

    On CUDA with deterministic algorithms demanded, a gather takes the place of
    ``grid_sample``, whose backward pass has no deterministic form there.

    Parameters
    ----------
    x : (B, C, H, W) Tensor
    rows, columns : (B, N, h, w) Tensor
        Positions in pixels: (0, 0) is the centre of the first pixel. At least
        float32, since half precision cannot tell positions apart.

    Returns
    -------
    (B, C, N, h, w) Tensor
        Of the dtype of ``x``.
    """
    differentiated = x.requires_grad or rows.requires_grad or columns.requires_grad
    if x.is_cuda and differentiated and torch.are_deterministic_algorithms_enabled():
        return sample_by_gather(x, rows, columns)
    n_images, n_channels, height, width = x.shape
    _, n_points, h, w = rows.shape
    grid = torch.stack(
        (columns * (2 / max(width - 1, 1)) - 1, rows * (2 / max(height - 1, 1)) - 1), -1
    )
    samples = F.grid_sample(
        x.to(grid.dtype),
        grid.view(n_images, n_points * h, w, 2),
        mode="bilinear",
        padding_mode="border",
        align_corners=True,
    )
    return samples.view(n_images, n_channels, n_points, h, w).to(x.dtype)


def sample_by_gather(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Do as :func:`sample_bilinear`, from the four neighbours of every position."""
    n_images, n_channels, height, width = x.shape
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    # The upper left neighbour stays off the last row and column, so that the four
    # weights belong to four pixels and sum to 1 at the border too.
    top = rows.detach().floor().clamp_(max=max(height - 2, 0))
    left = columns.detach().floor().clamp_(max=max(width - 2, 0))
    down, right = rows - top, columns - left
    first = (top * width + left).long()
    below, beside = min(1, height - 1) * width, min(1, width - 1)
    pixels = x.to(rows.dtype).flatten(2)
    samples = torch.zeros((), dtype=rows.dtype, device=x.device)
    for offset, weight in (
        (0, (1 - down) * (1 - right)),
        (beside, (1 - down) * right),
        (below, down * (1 - right)),
        (below + beside, down * right),
    ):
        index = (first + offset).view(n_images, 1, -1).expand(-1, n_channels, -1)
        values = pixels.gather(2, index).view(n_images, n_channels, *rows.shape[1:])
        samples = samples + values * weight.unsqueeze(1)
    return samples.to(x.dtype)


class VKConv(nn.Module):
    """Convolution of ``n_points`` bilinear samples whose positions depend on the map.

    A 3×3 convolution predicts an offset per pixel and point, the first
    ``n_points`` of its channels along the rows, the others along the columns;
    the samples at pixel + base point + offset go through one linear map,
    normalisation and SiLU. The weights of the offsets start at zero, their biases
    as torch draws them: every pixel moves a point by the same small fraction of a
    pixel. So samples start off the grid, where bilinear interpolation has a kink
    and no gradient. The factor of eq. (8) is no parameter of the counted network.

    Parameters
    ----------
    in_channels, out_channels : int
    n_points : int
        Samples per pixel. The published counts demand 3; the paper writes 5.
    """

    points: Tensor

    def __init__(self, in_channels: int, out_channels: int, n_points: int = 3) -> None:
        super().__init__()
        # The points as a buffer live on the device; no weights file holds them.
        self.register_buffer("points", torch.tensor(base_points(n_points)), persistent=False)
        self.offset = nn.Conv2d(in_channels, 2 * n_points, 3, padding=1)
        nn.init.zeros_(self.offset.weight)
        self.mix = nn.Sequential(
            nn.Conv2d(n_points * in_channels, out_channels, 1, bias=False),
            batch_norm(out_channels),
            SiLU(),
        )

    def positions(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Where each pixel samples, in pixels.

        Parameters
        ----------
        x : (B, in_channels, H, W) Tensor

        Returns
        -------
        rows, columns : (B, n_points, H, W) Tensor
            float32 (float64 for a float64 map), not clamped.
        """
        height, width = x.shape[2:]
        offsets = self.offset(x)
        offsets = offsets.to(torch.promote_types(offsets.dtype, torch.float32))
        points = self.points.view(-1, 2, 1, 1)
        rows = torch.arange(height, dtype=offsets.dtype, device=x.device).view(-1, 1)
        columns = torch.arange(width, dtype=offsets.dtype, device=x.device)
        along_rows, along_columns = offsets.chunk(2, 1)
        return along_rows + (points[:, 0] + rows), along_columns + (points[:, 1] + columns)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, in_channels, H, W) -> (B, out_channels, H, W)``."""
        samples = sample_bilinear(x, *self.positions(x))
        return self.mix(samples.flatten(1, 2))
