"""RDIAN: receptive fields of four sizes, and attention to eight directions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ._residual import Head
from ._resizing import resize_like

WIDTH = 16
DIRECTIONS = ((0, 0), (0, 2), (0, 4), (2, 4), (4, 4), (4, 2), (4, 0), (2, 0))
"""Row and column of the kernel's border cell, clockwise from the upper left."""


def _layer(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(),
    )


class Residual(nn.Module):
    """Two convolutions and the identity."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.layer1 = _layer(2 * WIDTH, WIDTH, kernel)
        self.layer2 = _layer(WIDTH, 2 * WIDTH, kernel)

    def forward(self, x: Tensor) -> Tensor:
        """Keeps the shape."""
        return self.layer2(self.layer1(x)) + x


class Direction(nn.Module):
    """A fixed kernel: the centre minus one cell at distance two, on each channel."""

    def __init__(self, row: int, column: int) -> None:
        super().__init__()
        weight = torch.zeros(1, 1, 5, 5)
        weight[..., 2, 2] = 1
        weight[..., row, column] = -1
        self.weight = nn.Parameter(weight, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Keeps the shape."""
        channels = x.shape[1]
        return F.conv2d(x, self.weight.expand(channels, 1, 5, 5), padding=2, groups=channels)


class ChannelGate(nn.Module):
    """Weights of the channels from their means and maxima."""

    def __init__(self, channels: int, narrow: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Flatten(), nn.Linear(channels, narrow), nn.ReLU(), nn.Linear(narrow, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Keeps the shape."""
        logits = self.mlp(x.mean((2, 3), keepdim=True)) + self.mlp(x.amax((2, 3), keepdim=True))
        return x * torch.sigmoid(logits)[..., None, None]


class ChannelStatistics(nn.Module):
    """Maximum and mean over the channels."""

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, C, H, W)`` to ``(B, 2, H, W)``."""
        return torch.cat((x.amax(1, keepdim=True), x.mean(1, keepdim=True)), 1)


class NormalisedConvolution(nn.Module):
    """A 7×7 convolution to one channel, normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, 1, 3, bias=False)
        self.bn = nn.BatchNorm2d(1, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, 2, H, W)`` to ``(B, 1, H, W)``."""
        return self.bn(self.conv(x))


class SpatialGate(nn.Module):
    """Weights of the pixels from maximum and mean over the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.compress = ChannelStatistics()
        self.spatial = NormalisedConvolution()

    def forward(self, x: Tensor) -> Tensor:
        """Keeps the shape."""
        return x * torch.sigmoid(self.spatial(self.compress(x)))


class Attention(nn.Module):
    """Channel gate, then spatial gate."""

    def __init__(self, channels: int, narrow: int) -> None:
        super().__init__()
        self.ChannelGate = ChannelGate(channels, narrow)
        self.SpatialGate = SpatialGate()

    def forward(self, x: Tensor) -> Tensor:
        """Keeps the shape."""
        return self.SpatialGate(self.ChannelGate(x))


class RDIANetwork(nn.Module):
    """The network; its direction kernels are parameters without gradient, as published."""

    def __init__(self) -> None:
        super().__init__()
        wide = 2 * WIDTH
        self.conv1 = _layer(1, WIDTH, 3)
        self.conv2 = _layer(WIDTH, wide, 3, 2)
        self.residual_block0 = nn.Sequential(Residual(1))
        self.residual_block1 = nn.Sequential(Residual(3), Residual(3))
        self.residual_block2 = nn.Sequential(Residual(5), Residual(5))
        self.residual_block3 = nn.Sequential(Residual(7), Residual(7))
        self.cbam = Attention(wide, 1)
        self.conv_cat = _layer(4 * wide, wide, 3)
        self.conv_res = _layer(WIDTH, wide, 1)
        self.relu = nn.ReLU()
        for index, (row, column) in enumerate(DIRECTIONS, 11):
            self.add_module(f"d{index}", Direction(row, column))
        self.head = Head(wide)

    def forward(self, images: Tensor) -> Tensor:
        """From ``(B, 1, H, W)``, even sides, to logits ``(B, 1, H, W)``."""
        fine = self.conv1(images)
        differences = [self.get_submodule(f"d{index}")(images) for index in range(11, 19)]
        pairs = zip(differences[:4], differences[4:], strict=True)
        opposite = torch.stack([one * other for one, other in pairs]).sum(0)
        coarse = self.conv2(fine + fine * torch.sigmoid(opposite))
        branches = [self.get_submodule(f"residual_block{index}")(coarse) for index in range(4)]
        joined = self.cbam(self.conv_cat(torch.cat(branches, 1)))
        up = resize_like(joined, images)
        return self.head(self.relu(up + self.conv_res(fine)))
