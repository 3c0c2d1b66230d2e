"""The residual block with channel and spatial attention that DNANet and MSHNet are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

REDUCTION = 16


class ChannelAttention(nn.Module):
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
        weights: Tensor = self.sigmoid(mean + peak)
        return weights


class SpatialAttention(nn.Module):
    """Weights of the pixels from mean and maximum over the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 1, 7, 1, 3, bias=False)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, C, H, W)`` to ``(B, 1, H, W)``."""
        maps = torch.cat((x.mean(1, keepdim=True), x.amax(1, keepdim=True)), 1)
        weights: Tensor = self.sigmoid(self.conv1(maps))
        return weights


class ResidualAttention(nn.Module):
    """Two convolutions, both attentions, and a shortcut (DNANet, section III-B)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 1, 1)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Sequential | None = None
        if inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1), nn.BatchNorm2d(outputs))
        self.ca = ChannelAttention(outputs)
        self.sa = SpatialAttention()

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, inputs, H, W)`` to ``(B, outputs, H, W)``."""
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        y = self.ca(y) * y
        y = self.sa(y) * y
        z: Tensor = self.relu(y + (x if self.shortcut is None else self.shortcut(x)))
        return z


def node(inputs: int, outputs: int, n: int) -> nn.Sequential:
    """``n`` blocks after each other."""
    rest = (ResidualAttention(outputs, outputs) for _ in range(n - 1))
    return nn.Sequential(ResidualAttention(inputs, outputs), *rest)


def scaled(x: Tensor, factor: float) -> Tensor:
    """Bilinear, corner pixels on corner pixels."""
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=True)
