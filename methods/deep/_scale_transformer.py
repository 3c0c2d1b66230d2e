"""What SCTransNet's skips pass: every scale as a map of equal size, through blocks of attention.

References
----------
.. [1] S. Yuan, H. Qin, X. Yan, N. Akhtar, A. Mian, "SCTransNet: spatial-channel cross
   transformer network for infrared small target detection", IEEE TGRS 62, 2024.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ._cross_attention import CrossScaleBlock, LayerNorm

PATCH = 16
"""Of the finest scale, in cells; half as large at each next one."""

POSITIONS = (256 // PATCH) ** 2
"""Of the embeddings that are made, for images of 256×256, and never added."""


class Embedding(nn.Module):
    """Patches as vectors; the embedding of positions is a parameter that enters nothing."""

    def __init__(self, channels: int, patch: int) -> None:
        super().__init__()
        self.patch_embeddings = nn.Conv2d(channels, channels, patch, patch)
        self.position_embeddings = nn.Parameter(torch.zeros(1, POSITIONS, channels))
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, C, H, W)`` to ``(B, C, H / patch, W / patch)``."""
        return self.patch_embeddings(x)


class Enlargement(nn.Module):
    """Back to the resolution before the embedding."""

    def __init__(self, channels: int, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.conv = nn.Conv2d(channels, channels, 1)
        self.norm = nn.BatchNorm2d(channels)
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, C, H, W)`` to ``(B, C, factor·H, factor·W)``."""
        x = F.interpolate(x, scale_factor=float(self.factor), mode="bilinear", align_corners=False)
        return self.activation(self.norm(self.conv(x)))


class Encoder(nn.Module):
    """The blocks, and a normalisation of each scale behind them."""

    def __init__(self, widths: tuple[int, ...], n_blocks: int) -> None:
        super().__init__()
        self.layer = nn.ModuleList(CrossScaleBlock(widths) for _ in range(n_blocks))
        for scale, width in enumerate(widths, 1):
            self.add_module(f"encoder_norm{scale}", LayerNorm(width))

    def forward(self, scales: list[Tensor]) -> list[Tensor]:
        """Keeps all shapes ``(B, C, H, W)``; H and W are those of every scale."""
        for block in self.layer:
            scales = block(scales)
        return [self.get_submodule(f"encoder_norm{i}")(one) for i, one in enumerate(scales, 1)]


class ScaleTransformer(nn.Module):
    """From the encoder's maps to what the decoder takes for skips."""

    def __init__(self, widths: tuple[int, ...], n_blocks: int) -> None:
        super().__init__()
        for index, width in enumerate(widths):
            self.add_module(f"embeddings_{index + 1}", Embedding(width, PATCH >> index))
        self.encoder = Encoder(widths, n_blocks)
        for index, width in enumerate(widths):
            self.add_module(f"reconstruct_{index + 1}", Enlargement(width, PATCH >> index))

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Keeps all shapes."""
        embedded = [self.get_submodule(f"embeddings_{i}")(one) for i, one in enumerate(maps, 1)]
        found = [
            self.get_submodule(f"reconstruct_{i}")(one)
            for i, one in enumerate(self.encoder(embedded), 1)
        ]
        return [one + before for one, before in zip(found, maps, strict=True)]
