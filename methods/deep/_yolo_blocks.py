"""The blocks of YOLOv8's backbone and neck.

Every block is called ``Block(in_channels, out_channels, …)`` and takes and
returns maps ``(B, C, H, W)``.

References
----------
.. [1] G. Jocher, A. Chaurasia, J. Qiu, "Ultralytics YOLOv8", 2023: the network,
   described there without a paper.
.. [2] K. He, X. Zhang, S. Ren, J. Sun, "Spatial pyramid pooling in deep
   convolutional networks for visual recognition", TPAMI 37(9), 2015.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation with YOLO's epsilon and momentum, which every block uses."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.03)


class SiLU(nn.Module):
    """``x · sigmoid(x)``; overwrites its input where no gradient needs it.

    Only for the fresh output of a convolution or a normalisation.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply the activation, ``(…) -> (…)``."""
        return F.silu(x, inplace=not x.requires_grad)


class CBS(nn.Module):
    """Convolution without bias, batch normalisation, SiLU.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel : int
        Side, odd; the padding keeps the size at stride 1.
    stride : int
    groups : int
    activation : bool
        False leaves out the SiLU.
    """

    folds: ClassVar = (("conv", "norm"),)
    # Stateless, hence one object for all; the published module counts count it once.
    _silu = SiLU()

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        groups: int = 1,
        activation: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False
        )
        self.norm = batch_norm(out_channels)
        self.activation = self._silu if activation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """``(B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride)``."""
        return self.activation(self.norm(self.conv(x)))


class Bottleneck(nn.Module):
    """Two 3×3 CBS, with the input added where ``residual``."""

    def __init__(self, channels: int, *, residual: bool) -> None:
        super().__init__()
        self.first = CBS(channels, channels, 3)
        self.second = CBS(channels, channels, 3)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels, H, W) -> (B, channels, H, W)``."""
        y: Tensor = self.second(self.first(x))
        return x + y if self.residual else y


class C2f(nn.Module):
    """Cross-stage partial block whose every bottleneck's output reaches the end.

    Parameters
    ----------
    in_channels, out_channels : int
    repeats : int
        Number of bottlenecks, each ``out_channels / 2`` wide.
    residual : bool
        Whether the bottlenecks add their input: yes in the backbone, no in the neck.
    """

    def __init__(
        self, in_channels: int, out_channels: int, repeats: int = 1, *, residual: bool = False
    ) -> None:
        super().__init__()
        width = out_channels // 2
        self.entry = CBS(in_channels, 2 * width)
        self.exit = CBS((2 + repeats) * width, out_channels)
        self.bottlenecks = nn.ModuleList(
            Bottleneck(width, residual=residual) for _ in range(repeats)
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(B, in_channels, H, W) -> (B, out_channels, H, W)``."""
        parts = list(self.entry(x).chunk(2, 1))
        for bottleneck in self.bottlenecks:
            parts.append(bottleneck(parts[-1]))
        return self.exit(torch.cat(parts, 1))


class SPPF(nn.Module):
    """Spatial pyramid pooling [2]_ by three chained maxima of one size.

    Parameters
    ----------
    in_channels, out_channels : int
    pool : int
        Side of the maximum, odd.
    """

    def __init__(self, in_channels: int, out_channels: int, pool: int = 5) -> None:
        super().__init__()
        width = in_channels // 2
        self.entry = CBS(in_channels, width)
        self.exit = CBS(4 * width, out_channels)
        self.pool = nn.MaxPool2d(pool, stride=1, padding=pool // 2)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, in_channels, H, W) -> (B, out_channels, H, W)``."""
        maps = [self.entry(x)]
        for _ in range(3):
            maps.append(self.pool(maps[-1]))
        return self.exit(torch.cat(maps, 1))


class Concat(nn.Module):
    """Concatenation along the channels."""

    def forward(self, *maps: Tensor) -> Tensor:
        """``(B, C_i, H, W), … -> (B, Σ C_i, H, W)``."""
        return torch.cat(maps, 1)
