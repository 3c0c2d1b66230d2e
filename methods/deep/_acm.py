"""The networks of asymmetric contextual modulation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._residual import AsymmetricFusion, BasicBlock, Head, ResidualBlock, deep_stem, stage
from ._resizing import resize, resize_like

WIDTHS = (16, 32, 64)


class ACMUNet(nn.Module):
    """The U-Net form: up-convolution, fusion, residual stage.

    Parameters
    ----------
    basic : bool
        As BasicIRSTD has it: three blocks a stage, no convolution before a fusion, momentum
        0.9, and the sigmoid inside; else as acm-pytorch.
    channels : int
        Of the input.
    """

    def __init__(self, *, basic: bool = False, channels: int = 3) -> None:
        super().__init__()
        block = BasicBlock if basic else ResidualBlock
        n, momentum = (3, 0.9) if basic else (4, 0.1)
        low, middle, high = WIDTHS
        self.basic = basic
        self.stem = deep_stem(channels, low, momentum)
        self.layer1 = stage(block, low, low, n, 1)
        self.layer2 = stage(block, low, middle, n, 2)
        self.layer3 = stage(block, middle, high, n, 2)
        self.deconv2 = nn.ConvTranspose2d(high, middle, 4, 2, 1)
        self.fuse2 = AsymmetricFusion(middle, None if basic else middle, momentum)
        self.uplayer2 = stage(block, middle, middle, n, 1)
        self.deconv1 = nn.ConvTranspose2d(middle, low, 4, 2, 1)
        self.fuse1 = AsymmetricFusion(low, None if basic else low, momentum)
        self.uplayer1 = stage(block, low, low, n, 1)
        self.head = Head(low, momentum)

    def forward(self, images: Tensor) -> Tensor:
        """From ``(B, C, H, W)``, sides multiples of 16, to ``(B, 1, H, W)``."""
        c1 = self.layer1(self.stem(images))
        c2 = self.layer2(c1)
        up = self.uplayer2(self.fuse2(self.deconv2(self.layer3(c2)), c2))
        up = self.uplayer1(self.fuse1(self.deconv1(up), c1))
        logits = resize_like(self.head(up), images)
        return torch.sigmoid(logits) if self.basic else logits


class ACMFPN(nn.Module):
    """The FPN form: the coarse map is resized and fused, twice."""

    def __init__(self) -> None:
        super().__init__()
        low, middle, high = WIDTHS
        self.stem = deep_stem(3, low)
        self.layer1 = stage(ResidualBlock, low, low, 4, 1)
        self.layer2 = stage(ResidualBlock, low, middle, 4, 2)
        self.layer3 = stage(ResidualBlock, middle, high, 4, 2)
        self.fuse23 = AsymmetricFusion(middle, high)
        self.fuse12 = AsymmetricFusion(low, middle)
        self.head = Head(low)

    def forward(self, images: Tensor) -> Tensor:
        """From ``(B, 3, H, W)``, sides multiples of 16, to logits ``(B, 1, H, W)``."""
        height, width = images.shape[2], images.shape[3]
        c1 = self.layer1(self.stem(images))
        c2 = self.layer2(c1)
        up = self.fuse23(resize(self.layer3(c2), (height // 8, width // 8)), c2)
        up = self.fuse12(resize(up, (height // 4, width // 4)), c1)
        return resize(self.head(up), (height, width))
