"""SCTransNet's block: channels of each scale attend to the channels of all, then a mixer.

References
----------
.. [1] S. Yuan, H. Qin, X. Yan, N. Akhtar, A. Mian, "SCTransNet: spatial-channel cross
   transformer network for infrared small target detection", IEEE TGRS 62, 2024.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

EXPANSION = 2.66
"""Inner channels of the mixer's halves, over those that it takes."""

_EPSILON = 1e-5


class Affine(nn.Module):
    """Normalises a vector over its last axis, with weight and bias."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Keeps the shape ``(..., C)``."""
        return F.layer_norm(x, x.shape[-1:], self.weight, self.bias, _EPSILON)


class LayerNorm(nn.Module):
    """Normalises the channels of every pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = Affine(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Keeps the shape ``(B, C, H, W)``."""
        y: Tensor = self.body(x.permute(0, 2, 3, 1))
        return y.permute(0, 3, 1, 2)


class CrossScaleAttention(nn.Module):
    """Channels of one scale as queries, those of all scales as keys and values (SSCA).

    Parameters
    ----------
    widths : tuple of int
        Channels of the scales.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.total = sum(widths)
        self.n_scales = len(widths)
        self.psi = nn.InstanceNorm2d(1)
        self.softmax = nn.Softmax(3)
        for scale, width in enumerate(widths, 1):
            self.add_module(f"mhead{scale}", nn.Conv2d(width, width, 1, bias=False))
        self.mheadk = nn.Conv2d(self.total, self.total, 1, bias=False)
        self.mheadv = nn.Conv2d(self.total, self.total, 1, bias=False)
        for scale, width in enumerate(widths, 1):
            query = nn.Conv2d(width, width, 3, 1, 1, groups=width // 2, bias=False)
            self.add_module(f"q{scale}", query)
        self.k = nn.Conv2d(self.total, self.total, 3, 1, 1, groups=self.total, bias=False)
        self.v = nn.Conv2d(self.total, self.total, 3, 1, 1, groups=self.total, bias=False)
        for scale, width in enumerate(widths, 1):
            self.add_module(f"project_out{scale}", nn.Conv2d(width, width, 1, bias=False))
        # Of published checkpoints; nothing reads them.
        for scale in range(1, self.n_scales + 1):
            for other in range(1, 5):
                self.register_parameter(f"q{scale}_attn{other}", nn.Parameter(torch.tensor([0.2])))

    def forward(self, scales: list[Tensor], together: Tensor) -> list[Tensor]:
        """What each scale reads.

        Parameters
        ----------
        scales : list of (B, C, H, W) Tensor
        together : (B, ΣC, H, W) Tensor

        Returns
        -------
        list of (B, C, H, W) Tensor
        """
        keys = F.normalize(self.k(self.mheadk(together)).flatten(2), dim=2)
        values = self.v(self.mheadv(together)).flatten(2)
        found = []
        for scale, x in enumerate(scales, 1):
            query = self.get_submodule(f"q{scale}")(self.get_submodule(f"mhead{scale}")(x))
            query = F.normalize(query.flatten(2), dim=2)
            logits = query @ keys.transpose(1, 2) / math.sqrt(self.total)
            read = self.softmax(self.psi(logits[:, None]))[:, 0] @ values
            found.append(self.get_submodule(f"project_out{scale}")(read.reshape(x.shape)))
        return found


class ChannelMixing(nn.Module):
    """Channels weighted by their means and those of both neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.conv = nn.Sequential(nn.Conv1d(1, 1, 3, padding=1, bias=False), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """Keeps the shape ``(B, C, H, W)``."""
        means = self.avg_pool(x)[..., 0].transpose(1, 2)
        return x * self.conv(means).transpose(1, 2)[..., None]


class FeedForward(nn.Module):
    """Two depthwise convolutions of different size beside each other (CFN)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = int(EXPANSION * channels)
        self.project_in = nn.Conv2d(channels, 2 * half, 1, bias=False)
        self.dwconv3x3 = nn.Conv2d(half, half, 3, 1, 1, groups=half, bias=False)
        self.dwconv5x5 = nn.Conv2d(half, half, 5, 1, 2, groups=half, bias=False)
        self.relu3 = nn.ReLU()
        self.relu5 = nn.ReLU()
        self.project_out = nn.Conv2d(2 * half, channels, 1, bias=False)
        self.eca = ChannelMixing()

    def forward(self, x: Tensor) -> Tensor:
        """Keeps the shape ``(B, C, H, W)``."""
        fine, coarse = self.project_in(x).chunk(2, 1)
        parts = (self.relu3(self.dwconv3x3(fine)), self.relu5(self.dwconv5x5(coarse)))
        return self.eca(self.project_out(torch.cat(parts, 1)))


class CrossScaleBlock(nn.Module):
    """Attention, then the mixer, each normalised before and added (SCTB, Fig. 3 of [1]_)."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        for scale, width in enumerate(widths, 1):
            self.add_module(f"attn_norm{scale}", LayerNorm(width))
            self.add_module(f"ffn_norm{scale}", LayerNorm(width))
            self.add_module(f"ffn{scale}", FeedForward(width))
        self.attn_norm = LayerNorm(sum(widths))
        self.channel_attn = CrossScaleAttention(widths)

    def forward(self, scales: list[Tensor]) -> list[Tensor]:
        """Keeps all shapes ``(B, C, H, W)``."""
        together = self.attn_norm(torch.cat(scales, 1))
        normed = [self.get_submodule(f"attn_norm{i}")(one) for i, one in enumerate(scales, 1)]
        read = self.channel_attn(normed, together)
        scales = [one + other for one, other in zip(scales, read, strict=True)]
        mixed = []
        for index, one in enumerate(scales, 1):
            normalised = self.get_submodule(f"ffn_norm{index}")(one)
            mixed.append(one + self.get_submodule(f"ffn{index}")(normalised))
        return mixed
