"""ResNet-50 without its classifier: the body of the detectors of 2016 and 2017.

References
----------
.. [1] K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition",
   CVPR 2016.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._residual import shortcut

EXPANSION = 4
"""Channels that a block gives, over those that it computes with."""

STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
"""Inner channels and number of blocks of each stage of [1]_."""


class ResNetBottleneck(nn.Module):
    """Convolutions 1×1, 3×3 and 1×1, each normalised, around a shortcut.

    Parameters
    ----------
    in_channels : int
    channels : int
        Inner ones; the block gives four times as many.
    stride : int
        Of the 3×3 convolution and of the shortcut.
    """

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        out_channels = EXPANSION * channels
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        adapts = in_channels != out_channels or stride != 1
        self.downsample = shortcut(in_channels, out_channels, stride) if adapts else None

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, in_channels, H, W)`` to ``(B, 4·channels, H/stride, W/stride)``."""
        direct = x if self.downsample is None else self.downsample(x)
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn2(self.conv2(x)))
        return torch.relu(self.bn3(self.conv3(x)) + direct)


class ResNet50(nn.Module):
    """The stem and the four stages.

    Parameters
    ----------
    width : float
        Times which the channels of the published network are, for small tests.

    Attributes
    ----------
    channels : tuple of int
        Of the four stages' outputs.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        inner = [max(int(channels * width), 1) for channels, _ in STAGES]
        self.channels = tuple(EXPANSION * one for one in inner)
        self.conv1 = nn.Conv2d(3, inner[0], 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(inner[0])
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        incoming = (inner[0], *self.channels)
        self.stages = nn.ModuleList(
            nn.Sequential(
                ResNetBottleneck(incoming[i], inner[i], 1 if i == 0 else 2),
                *(ResNetBottleneck(self.channels[i], inner[i]) for _ in range(n_blocks - 1)),
            )
            for i, (_, n_blocks) in enumerate(STAGES)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor, n_stages: int = len(STAGES)) -> list[Tensor]:
        """The outputs of the first ``n_stages`` stages, at strides 4, 8, 16 and 32."""
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        outputs = []
        for stage in self.stages[:n_stages]:
            x = stage(x)
            outputs.append(x)
        return outputs
