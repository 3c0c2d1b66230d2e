"""UIU-Net: a U-Net whose blocks are U-Nets, with interactive fusion of neighbouring levels.

References
----------
.. [1] X. Wu, D. Hong, J. Chanussot, "UIU-Net: U-Net in U-Net for infrared small object
   detection", IEEE TIP 32, 2023.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._inner_unet import Block, InnerUNet
from ._residual import gate, layer
from ._residual_attention import PooledSpatialAttention
from ._resizing import resize_like

ENCODER = (
    Block(7, 3, 32, 64),
    Block(6, 64, 32, 128),
    Block(5, 128, 64, 256),
    Block(4, 256, 128, 512),
    Block(4, 512, 256, 512, dilated=True),
    Block(4, 512, 256, 512, dilated=True),
)
DECODER = (
    Block(7, 128, 16, 64),
    Block(6, 256, 32, 64),
    Block(5, 512, 64, 128),
    Block(4, 1024, 128, 256),
    Block(4, 1024, 256, 512, dilated=True),
)
"""Of the levels, finest first."""


class InteractiveFusion(nn.Module):
    """Each of two levels weighted by the other (IC-A of [1]_)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = channels // 4
        self.feature_high = layer(channels, channels, 1)
        self.topdown = nn.Sequential(nn.AdaptiveAvgPool2d(1), *gate(channels, narrow))
        self.bottomup = nn.Sequential(*layer(channels, narrow, 1), PooledSpatialAttention(3))
        self.post = layer(channels, channels, 3)

    def forward(self, high: Tensor, low: Tensor) -> Tensor:
        """From two maps ``(B, C, H, W)`` to both, ``(B, 2C, H, W)``."""
        high = self.feature_high(high)
        guided = low * self.topdown(high)
        other = 2 * high * self.bottomup(guided)
        return torch.cat((self.post(2 * guided), self.post(other)), 1)


class UIUNetwork(nn.Module):
    """The network; the sigmoid is a part of it.

    Parameters
    ----------
    channels : int
        Of the input.
    """

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        n_levels = self.n_levels = len(ENCODER)
        for level, shape in enumerate(ENCODER, 1):
            seen = shape._replace(inputs=channels) if level == 1 else shape
            self.add_module(f"stage{level}", InnerUNet(seen))
            if level < n_levels:
                self.add_module(f"pool{level}{level + 1}", nn.MaxPool2d(2, 2, ceil_mode=True))
        for level in range(n_levels - 1, 0, -1):
            self.add_module(f"stage{level}d", InnerUNet(DECODER[level - 1]))
        outputs = [*(shape.outputs for shape in DECODER), ENCODER[-1].outputs]
        for level, width in enumerate(outputs, 1):
            self.add_module(f"side{level}", nn.Conv2d(width, 1, 3, 1, 1))
        self.outconv = nn.Conv2d(n_levels, 1, 1)
        for level in range(n_levels - 1, 1, -1):
            self.add_module(f"fuse{level}", InteractiveFusion(ENCODER[level - 1].outputs))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """From ``(B, C, H, W)``, sides at least 32, to probabilities of that size.

        Returns
        -------
        tuple of (B, 1, H, W) Tensor
            The one that counts, then that of each level, finest first.
        """
        x, down = images, []
        for level in range(1, self.n_levels + 1):
            if level > 1:
                x = self.get_submodule(f"pool{level - 1}{level}")(x)
            x = self.get_submodule(f"stage{level}")(x)
            down.append(x)
        read = [x]
        for level in range(self.n_levels - 1, 0, -1):
            low = down[level - 1]
            high = resize_like(x, low)
            if level > 1:
                joined = self.get_submodule(f"fuse{level}")(high, low)
            else:
                joined = torch.cat((high, low), 1)
            x = self.get_submodule(f"stage{level}d")(joined)
            read.insert(0, x)
        sides = [
            resize_like(self.get_submodule(f"side{level}")(one), images)
            for level, one in enumerate(read, 1)
        ]
        final = self.outconv(torch.cat(sides, 1))
        return tuple(one.sigmoid() for one in (final, *sides))
