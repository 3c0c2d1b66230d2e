"""SCTransNet: a U-Net whose skips pass four blocks of attention across scales and channels.

References
----------
.. [1] S. Yuan, H. Qin, X. Yan, N. Akhtar, A. Mian, "SCTransNet: spatial-channel cross
   transformer network for infrared small target detection", IEEE TGRS 62, 2024.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._residual import BiasedBlock
from ._resizing import resize
from ._scale_transformer import ScaleTransformer

WIDTHS = (32, 64, 128, 256)
"""Of the four scales, finest first."""

N_BLOCKS = 4


class SkipAttention(nn.Module):
    """Channels of a skip weighted by its means and those of the decoder's map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mlp_x = nn.Sequential(nn.Flatten(), nn.Linear(channels, channels))
        self.mlp_g = nn.Sequential(nn.Flatten(), nn.Linear(channels, channels))
        self.relu = nn.ReLU()

    def forward(self, up: Tensor, skip: Tensor) -> Tensor:
        """Keeps the shape of ``skip``, ``(B, C, H, W)``."""
        means = (one.mean((2, 3), keepdim=True) for one in (skip, up))
        logits = [mlp(one) for mlp, one in zip((self.mlp_x, self.mlp_g), means, strict=True)]
        weights = ((logits[0] + logits[1]) / 2).sigmoid()[..., None, None]
        return self.relu(skip * weights)


class NormalisedConv(nn.Module):
    """A 3×3 convolution, normalised."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, 1, 1)
        self.norm = nn.BatchNorm2d(outputs)
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, inputs, H, W)`` to ``(B, outputs, H, W)``."""
        return self.activation(self.norm(self.conv(x)))


class DecoderStage(nn.Module):
    """Twice the size, the weighted skip beside it, and two convolutions."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.up = nn.Upsample(scale_factor=2)
        self.coatt = SkipAttention(channels)
        self.nConvs = nn.Sequential(
            NormalisedConv(2 * channels, outputs), NormalisedConv(outputs, outputs)
        )

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """From ``(B, C, H / 2, W / 2)`` and ``(B, C, H, W)`` to ``(B, outputs, H, W)``."""
        up = self.up(x)
        return self.nConvs(torch.cat((self.coatt(up, skip), up), 1))


class SCTransNetwork(nn.Module):
    """The network; the sigmoid is a part of it."""

    def __init__(self) -> None:
        super().__init__()
        widths = WIDTHS
        self.n_scales = len(widths)
        self.pool = nn.MaxPool2d(2, 2)
        self.inc = _encoder(1, widths[0])
        outgoing = (*widths[1:], widths[-1])
        for index, (inputs, outputs) in enumerate(zip(widths, outgoing, strict=True), 1):
            self.add_module(f"down_encoder{index}", _encoder(inputs, outputs))
        self.mtc = ScaleTransformer(widths, N_BLOCKS)
        narrower = (widths[0], *widths[:-1])
        for index in range(self.n_scales, 0, -1):
            stage = DecoderStage(widths[index - 1], narrower[index - 1])
            self.add_module(f"up_decoder{index}", stage)
        self.outc = nn.Conv2d(widths[0], 1, 1)
        for index in range(self.n_scales + 1, 1, -1):
            width = widths[-1] if index > self.n_scales else narrower[index - 1]
            self.add_module(f"gt_conv{index}", nn.Sequential(nn.Conv2d(width, 1, 1)))
        self.outconv = nn.Conv2d(self.n_scales + 1, 1, 1)
        self.apply(_initialise)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """From ``(B, 1, H, W)``, sides multiples of 16, to probabilities of that size.

        Returns
        -------
        tuple of (B, 1, H, W) Tensor
            Of the four coarse maps, coarsest first; of all together; and the last, which counts.
        """
        maps = [self.inc(images)]
        for index in range(1, self.n_scales + 1):
            maps.append(self.get_submodule(f"down_encoder{index}")(self.pool(maps[-1])))
        x = maps.pop()
        # The encoder's maps are added twice, as published: here and in the transformer.
        skips = [one + two for one, two in zip(self.mtc(maps), maps, strict=True)]
        read = [x]
        for index in range(self.n_scales, 0, -1):
            x = self.get_submodule(f"up_decoder{index}")(x, skips[index - 1])
            read.append(x)
        last = self.outc(read.pop())
        coarse = [
            _enlarge(self.get_submodule(f"gt_conv{index}")(one), 2 ** (index - 1))
            for index, one in zip(range(self.n_scales + 1, 1, -1), read, strict=True)
        ]
        joined = self.outconv(torch.cat((*reversed(coarse), last), 1))
        return tuple(one.sigmoid() for one in (*coarse, joined, last))


def _encoder(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(BiasedBlock(inputs, outputs, nn.LeakyReLU()))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, a=0, mode="fan_in")
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, 0.02)
        nn.init.zeros_(module.bias)


def _enlarge(x: Tensor, factor: int) -> Tensor:
    """Bilinear, corner cells on corner cells."""
    return resize(x, (factor * x.shape[2], factor * x.shape[3]), corners=True)
