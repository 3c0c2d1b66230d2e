"""MSHNet: a U-Net with a head at each of four scales."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._residual_attention import node, scaled

WIDTHS = (16, 32, 64, 128, 256)


class MSHNetwork(nn.Module):
    """The network.

    Parameters
    ----------
    channels : int
        Of the input.
    widths : tuple of int
        Of the four levels and the middle, finest first.
    """

    def __init__(self, channels: int = 3, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.n_levels = len(widths) - 1
        self.pool = nn.MaxPool2d(2, 2)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.up_4 = nn.Upsample(scale_factor=4, mode="bilinear", align_corners=True)
        self.up_8 = nn.Upsample(scale_factor=8, mode="bilinear", align_corners=True)
        # Of the published network, counted as a module and never called.
        self.up_16 = nn.Upsample(scale_factor=4, mode="bilinear", align_corners=True)
        self.conv_init = nn.Conv2d(channels, widths[0], 1)
        for level in range(self.n_levels):
            inputs, n = (widths[level - 1], 2) if level else (widths[0], 1)
            self.add_module(f"encoder_{level}", node(inputs, widths[level], n))
        self.middle_layer = node(widths[-2], widths[-1], 2)
        for level in reversed(range(self.n_levels)):
            inputs, n = widths[level] + widths[level + 1], 2 if level else 1
            self.add_module(f"decoder_{level}", node(inputs, widths[level], n))
        for level in range(self.n_levels):
            self.add_module(f"output_{level}", nn.Conv2d(widths[level], 1, 1))
        self.final = nn.Conv2d(self.n_levels, 1, 3, 1, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """From ``(B, C, H, W)``, sides multiples of 16, to logits.

        Returns
        -------
        tuple of Tensor
            The map that counts, ``(B, 1, H, W)``, then one of each level, finest first, each
            half as large as the one before.
        """
        x = self.conv_init(images)
        skips = []
        for level in range(self.n_levels):
            x = self.get_submodule(f"encoder_{level}")(x)
            skips.append(x)
            x = self.pool(x)
        x = self.middle_layer(x)
        maps: list[Tensor] = []
        for level in reversed(range(self.n_levels)):
            joined = torch.cat((skips[level], self.up(x)), 1)
            x = self.get_submodule(f"decoder_{level}")(joined)
            maps.insert(0, self.get_submodule(f"output_{level}")(x))
        full = [maps[0], *(scaled(one, 2.0**i) for i, one in enumerate(maps[1:], 1))]
        return self.final(torch.cat(full, 1)), *maps
