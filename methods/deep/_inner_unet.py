"""The inner U-Net that UIU-Net is made of.

References
----------
.. [1] X. Qin et al., "U²-Net: going deeper with nested U-structure for salient object
   detection", Pattern Recognition 106, 2020.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ._resizing import resize_like


class Block(NamedTuple):
    """The shape of one inner U-Net.

    Attributes
    ----------
    depth : int
        Levels; as many convolutions on the way down.
    inputs, middle, outputs : int
        Channels.
    dilated : bool
        Whether dilation takes the place of pooling.
    """

    depth: int
    inputs: int
    middle: int
    outputs: int
    dilated: bool = False


class ConvolutionLayer(nn.Module):
    """A 3×3 convolution, normalised."""

    def __init__(self, inputs: int, outputs: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv_s1 = nn.Conv2d(inputs, outputs, 3, 1, dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(outputs)
        self.relu_s1 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, inputs, H, W)`` to ``(B, outputs, H, W)``."""
        return self.relu_s1(self.bn_s1(self.conv_s1(x)))


class InnerUNet(nn.Module):
    """A residual U-Net (RSU of [1]_)."""

    def __init__(self, shape: Block) -> None:
        super().__init__()
        depth, inputs, middle, outputs, dilated = shape
        self.depth, self.dilated = depth, dilated
        self.rebnconvin = ConvolutionLayer(inputs, outputs)
        for level in range(1, depth + 1):
            dilation = 2 ** (level - 1) if dilated else (2 if level == depth else 1)
            layer = ConvolutionLayer(outputs if level == 1 else middle, middle, dilation)
            self.add_module(f"rebnconv{level}", layer)
            if not dilated and level < depth - 1:
                self.add_module(f"pool{level}", nn.MaxPool2d(2, 2, ceil_mode=True))
        for level in range(depth - 1, 0, -1):
            dilation = 2 ** (level - 1) if dilated else 1
            layer = ConvolutionLayer(2 * middle, outputs if level == 1 else middle, dilation)
            self.add_module(f"rebnconv{level}d", layer)

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, inputs, H, W)`` to ``(B, outputs, H, W)``."""
        x = self.rebnconvin(x)
        outer = x
        down: list[Tensor] = []
        for level in range(1, self.depth + 1):
            if not self.dilated and 1 < level < self.depth:
                x = self.get_submodule(f"pool{level - 1}")(x)
            x = self.get_submodule(f"rebnconv{level}")(x)
            down.append(x)
        for level in range(self.depth - 1, 0, -1):
            joined = torch.cat((resize_like(x, down[level - 1]), down[level - 1]), 1)
            x = self.get_submodule(f"rebnconv{level}d")(joined)
        return x + outer
