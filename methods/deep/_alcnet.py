"""ALCNet: local contrast between the stages of a residual network, its authors' and BasicIRSTD's.

References
----------
.. [1] Y. Dai, Y. Wu, F. Zhou, K. Barnard, "Attentional local contrast networks for infrared
   small target detection", IEEE TGRS 59(11), 2021.
"""

from __future__ import annotations

from torch import Tensor, nn

from ._acm import WIDTHS
from ._local_contrast import local_contrast
from ._residual import (
    AsymmetricFusion,
    BasicBlock,
    Head,
    ResidualBlock,
    deep_stem,
    gate,
    layer,
    stage,
)
from ._resizing import resize_like

SHIFTS = {"single": (13,), "multiple": (13, 17)}
"""Distances in cells of the contrast that each mode takes the greatest of."""


class BottomUpFusion(nn.Module):
    """A coarse map, weighted by what the fine one shows, and the fine one added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm_high, self.norm_low = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.gate = gate(channels, channels)

    def forward(self, high: Tensor, low: Tensor) -> Tensor:
        """Fuse two maps of one size, ``(B, C, H, W)``."""
        high, low = self.norm_high(high), self.norm_low(low)
        return self.gate(low) * high + low


class ALCNetwork(nn.Module):
    """The network of [1]_, at the resolution of the image throughout its first stage.

    Parameters
    ----------
    contrast : {"multiple", "single"}
        Distances of :func:`local_contrast`, see :data:`SHIFTS`.
    """

    def __init__(self, contrast: str = "multiple") -> None:
        super().__init__()
        low, middle, high = WIDTHS
        self.shifts = SHIFTS[contrast]
        self.stem = nn.Sequential(
            nn.BatchNorm2d(3, affine=False),
            *layer(3, low, 3, bias=False),
        )
        self.layer1 = stage(ResidualBlock, low, low, 4, 1)
        self.layer2 = stage(ResidualBlock, low, middle, 4, 2)
        self.layer3 = stage(ResidualBlock, middle, high, 4, 2)
        self.reduce3, self.reduce2 = (
            layer(inputs, low, 1, bias=False) for inputs in (high, middle)
        )
        self.fuse23, self.fuse12 = BottomUpFusion(low), BottomUpFusion(low)
        self.head = Head(low)

    def forward(self, images: Tensor) -> Tensor:
        """From ``(B, 3, H, W)``, sides multiples of 4, to logits ``(B, 1, H, W)``."""
        c1 = self.layer1(self.stem(images))
        c2 = self.layer2(c1)
        p2 = self.reduce2(local_contrast(c2, self.shifts))
        p3 = self.reduce3(local_contrast(self.layer3(c2), self.shifts))
        p2 = self.fuse23(resize_like(p3, p2, corners=True), p2)
        low = local_contrast(c1, self.shifts)
        return self.head(self.fuse12(resize_like(p2, c1, corners=True), low))


class ALCNetBasic(nn.Module):
    """What BasicIRSTD calls ALCNet: a pyramid with the fusions of ACM, without any contrast.

    Its two stages ``uplayer1`` and ``uplayer2`` are never called; checkpoints hold them.
    """

    def __init__(self) -> None:
        super().__init__()
        low, middle, high = WIDTHS
        n, momentum = 4, 0.9
        self.stem = deep_stem(1, low, momentum)
        self.layer1 = stage(BasicBlock, low, low, n, 1)
        self.layer2 = stage(BasicBlock, low, middle, n, 2)
        self.layer3 = stage(BasicBlock, middle, high, n, 2)
        self.deconv2 = nn.ConvTranspose2d(high, middle, 4, 2, 1)
        self.uplayer2 = stage(BasicBlock, middle, middle, n, 1)
        self.fuse23 = AsymmetricFusion(middle, momentum=momentum)
        self.deconv1 = nn.ConvTranspose2d(middle, low, 4, 2, 1)
        self.uplayer1 = stage(BasicBlock, low, low, n, 1)
        self.fuse12 = AsymmetricFusion(low, momentum=momentum)
        self.deconv0 = nn.ConvTranspose2d(low, low // 2, 4, 2, 1)
        self.head = Head(low // 2, momentum)

    def forward(self, images: Tensor) -> Tensor:
        """From ``(B, 1, H, W)``, sides multiples of 16, to probabilities ``(B, 1, H, W)``."""
        c1 = self.layer1(self.stem(images))
        c2 = self.layer2(c1)
        up = self.fuse23(self.deconv2(self.layer3(c2)), c2)
        up = self.deconv0(self.fuse12(self.deconv1(up), c1))
        return resize_like(self.head(up), images).sigmoid()
