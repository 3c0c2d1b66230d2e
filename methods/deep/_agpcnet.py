"""AGPCNet: attention inside patches, guided by attention between them, at two scales.

References
----------
.. [1] T. Zhang, L. Li, S. Cao, T. Pu, Z. Peng, "Attention-guided pyramid context networks for
   detecting infrared small target under complex background", IEEE TAES 59(4), 2023.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._patches import MaximumPooling, PatchGrid
from ._residual import BasicBlock, Head, gate, layer, stage
from ._resizing import resize

WIDTHS = (64, 128, 256, 512)
SCALES = (10, 6)
"""Patches along a side, of each context."""

CONTEXT = 64
REDUCTION = 8


class NonLocal(nn.Module):
    """Attention of every cell to all cells, scaled by a learnt number and added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query_conv = nn.Conv2d(channels, channels // REDUCTION, 1)
        self.key_conv = nn.Conv2d(channels, channels // REDUCTION, 1)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))
        self.softmax = nn.Softmax(-1)

    def forward(self, x: Tensor) -> Tensor:
        """Keeps the shape ``(B, C, H, W)``; memory grows with the square of H·W."""
        query = self.query_conv(x).flatten(2).transpose(1, 2)
        weights = self.softmax(query @ self.key_conv(x).flatten(2))
        read = self.value_conv(x).flatten(2) @ weights.transpose(1, 2)
        return self.gamma * read.reshape(x.shape) + x


class Guide(nn.Module):
    """A weight for every patch and channel, from attention between the patches' maxima."""

    def __init__(self, channels: int, scale: int) -> None:
        super().__init__()
        self.pool = MaximumPooling(scale)
        self.non_local_att = NonLocal(channels)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, C, H, W)`` to ``(B, C, scale, scale)`` in [0, 1]."""
        return self.sigmoid(self.non_local_att(self.pool(x)))


class PatchContext(nn.Module):
    """Attention inside each patch, weighted by the guide (AGCB, section III-B of [1]_)."""

    def __init__(self, channels: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.attention = Guide(channels, scale)
        self.non_local = NonLocal(channels)
        self.conv = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1), nn.BatchNorm2d(channels))
        self.relu = nn.ReLU()
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Keeps the shape ``(B, C, H, W)``; both sides hold at least ``scale`` cells."""
        grid = PatchGrid(x.shape[2], x.shape[3], self.scale)
        guide = self.attention(x)
        read = grid.map_patches(x, self.non_local) * grid.spread(guide)
        return self.relu(self.gamma * self.conv(read) + x)


class PyramidContext(nn.Module):
    """Contexts of several scales beside the map itself."""

    def __init__(self, channels: int, width: int, scales: tuple[int, ...]) -> None:
        super().__init__()
        self.conv1 = layer(channels, width, 1)
        self.scale_list = nn.ModuleList(PatchContext(width, scale) for scale in scales)
        self.conv2 = layer(width * (1 + len(scales)), channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Keeps the shape ``(B, C, H, W)``."""
        narrow = self.conv1(x)
        return self.conv2(torch.cat([narrow, *(one(narrow) for one in self.scale_list)], 1))


class AsymmetricGate(nn.Module):
    """A coarse and a fine map, weighted by pixels of the fine and channels of the coarse one."""

    def __init__(self, high: int, low: int) -> None:
        super().__init__()
        self.pa = gate(low, low // 4)
        self.plus_conv = layer(high, low, 1)
        self.ca = nn.Sequential(nn.AdaptiveAvgPool2d(1), *gate(low, low // 4))
        self.end_conv = layer(low, low, 3)

    def forward(self, high: Tensor, low: Tensor) -> Tensor:
        """Fuse two maps of one size, ``(B, high, H, W)`` and ``(B, low, H, W)``."""
        high = self.plus_conv(high)
        return self.end_conv(low + high) * self.ca(high) * self.pa(low)


class Backbone(nn.Module):
    """ResNet-18 whose stem keeps the size of the image: no stride, no pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 7, 1, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.relu = nn.ReLU()
        incoming = (WIDTHS[0], *WIDTHS[:-1])
        for index, (inputs, outputs) in enumerate(zip(incoming, WIDTHS, strict=True)):
            blocks = stage(BasicBlock, inputs, outputs, 2, 2 if index else 1)
            self.add_module(f"layer{index + 1}", blocks)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The outputs of the stages after the first, at strides 2, 4 and 8."""
        x = self.relu(self.bn1(self.conv1(x)))
        stages = []
        for index in range(1, 5):
            x = self.get_submodule(f"layer{index}")(x)
            stages.append(x)
        return stages[1:]


class AGPCNetwork(nn.Module):
    """The network with its authors' defaults: three channels, scales 10 and 6, reduction 8."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.fuse23 = AsymmetricGate(WIDTHS[3], WIDTHS[2])
        self.fuse12 = AsymmetricGate(WIDTHS[2], WIDTHS[1])
        self.head = Head(WIDTHS[1], bias=True)
        self.context = PyramidContext(WIDTHS[3], CONTEXT, SCALES)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """From ``(B, 3, H, W)``, sides multiples of 8 and at least 80, to logits."""
        height, width = images.shape[2], images.shape[3]
        c1, c2, c3 = self.backbone(images)
        up = resize(self.context(c3), (height // 4, width // 4), corners=True)
        up = resize(self.fuse23(up, c2), (height // 2, width // 2), corners=True)
        return resize(self.head(self.fuse12(up, c1)), (height, width), corners=True)
