"""The residual block with channel and spatial attention that DNANet and MSHNet are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ._residual import BiasedBlock

REDUCTION = 16


class PooledChannelAttention(nn.Module):
    """Weights of the channels from their means and maxima, by shared convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.max_pool = nn.AdaptiveMaxPool2d(1)
        self.fc1 = nn.Conv2d(channels, channels // REDUCTION, 1, bias=False)
        self.relu1 = nn.ReLU()
        self.fc2 = nn.Conv2d(channels // REDUCTION, channels, 1, bias=False)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, C, H, W)`` to ``(B, C, 1, 1)``."""
        pooled = (self.avg_pool(x), self.max_pool(x))
        mean, peak = (self.fc2(self.relu1(self.fc1(one))) for one in pooled)
        return self.sigmoid(mean + peak)


class PooledSpatialAttention(nn.Module):
    """Weights of the pixels from mean and maximum over the channels, through one kernel."""

    def __init__(self, kernel: int = 7) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 1, kernel, 1, kernel // 2, bias=False)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, C, H, W)`` to ``(B, 1, H, W)`` in [0, 1]."""
        maps = torch.cat((x.mean(1, keepdim=True), x.amax(1, keepdim=True)), 1)
        return self.sigmoid(self.conv1(maps))


class ResidualAttention(BiasedBlock):
    """Two convolutions, both attentions, and a shortcut (DNANet, section III-B)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, nn.ReLU())
        self.ca = PooledChannelAttention(outputs)
        self.sa = PooledSpatialAttention()

    def weigh(self, y: Tensor) -> Tensor:
        """Weigh the channels, then the pixels."""
        y = self.ca(y) * y
        return self.sa(y) * y


def node(inputs: int, outputs: int, n: int) -> nn.Sequential:
    """``n`` blocks after each other."""
    rest = (ResidualAttention(outputs, outputs) for _ in range(n - 1))
    return nn.Sequential(ResidualAttention(inputs, outputs), *rest)


def scaled(x: Tensor, factor: float) -> Tensor:
    """Bilinear, corner pixels on corner pixels."""
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=True)
