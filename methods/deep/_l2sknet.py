"""L2SKNet in its U-Net form: skips filtered by learnt kernels of local saliency.

References
----------
.. [1] F. Wu, A. Liu, T. Zhang, L. Zhang, J. Luo, Z. Peng, "Saliency at the helm: steering
   infrared small target detection with learnable kernels", IEEE TGRS 63, 2025.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ._residual import layer

WIDTHS = (16, 32, 64, 128)
KERNELS = (((9, 2), (5, 2), (3, 2), (3, 1)), ((5, 2), (3, 2), (3, 1)), ((3, 2), (3, 1)), ((3, 1),))
"""Side and dilation of the kernels at each level, finest first."""

REDUCTION = 4


class ChannelWeights(nn.Module):
    """Weights of the channels from their means."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = channels // REDUCTION
        self.avg_channel = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, narrow, 1, bias=False),
            nn.BatchNorm2d(narrow),
            nn.ReLU(),
            nn.Conv2d(narrow, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.sigmod = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, C, H, W)`` to ``(B, C, 1, 1)`` in [0, 1]."""
        return self.sigmod(self.avg_channel(x))


class SaliencyKernel(nn.Module):
    """A centre minus its surroundings, with learnt weights: a kernel that sums to θ·centre.

    Parameters
    ----------
    channels, kernel, dilation : int
        The side ``kernel`` is odd.
    """

    def __init__(self, channels: int, kernel: int, dilation: int) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.conv = nn.Conv2d(channels, channels, kernel, 1, padding, dilation=dilation, bias=False)
        self.attn = ChannelWeights(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Keeps the shape ``(B, C, H, W)``."""
        weight = self.conv.weight
        middle = weight.shape[2] // 2
        total = F.conv2d(x, weight.sum((2, 3), keepdim=True))
        centre = F.conv2d(x, weight[:, :, middle : middle + 1, middle : middle + 1])
        return total - self.conv(x) + self.attn(x) * centre


class DoubleConvolution(nn.Module):
    """Two 3×3 convolutions, each normalised."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(*layer(inputs, outputs, 3), *layer(outputs, outputs, 3))

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, inputs, H, W)`` to ``(B, outputs, H, W)``."""
        return self.conv(x)


class UpConvolution(nn.Module):
    """Twice the size, by repetition, and a 3×3 convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.up = nn.Sequential(nn.Upsample(scale_factor=2), *layer(inputs, outputs, 3))

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, inputs, H, W)`` to ``(B, outputs, 2H, 2W)``."""
        return self.up(x)


class L2SKNetwork(nn.Module):
    """The network; the sigmoid is a part of it."""

    def __init__(self) -> None:
        super().__init__()
        self.n_levels = len(WIDTHS)
        self.sigmoid = nn.Sigmoid()
        for level, (width, kernels) in enumerate(zip(WIDTHS, KERNELS, strict=True)):
            inputs = WIDTHS[level - 1] if level else 1
            self.add_module(f"Conv{level + 1}", DoubleConvolution(inputs, width))
            for branch, (kernel, dilation) in enumerate(kernels):
                self.add_module(
                    self._branch_name(level, branch),
                    nn.Sequential(
                        SaliencyKernel(width, kernel, dilation),
                        nn.BatchNorm2d(width),
                        nn.LeakyReLU(0.1),
                    ),
                )
            after = layer(width, width, 3, bias=False)
            is_last = level == self.n_levels - 1
            self.add_module(f"contrConV_{level}", nn.Identity() if is_last else after)
            if level:
                self.add_module(f"Maxpool{level}", nn.MaxPool2d(2, 2))
        for level in range(self.n_levels - 1, 0, -1):
            outputs, inputs = WIDTHS[level - 1], WIDTHS[level]
            self.add_module(f"Up{level + 1}", UpConvolution(inputs, outputs))
            self.add_module(f"Up_conv{level + 1}", DoubleConvolution(2 * outputs, outputs))
        self.Conv = nn.Conv2d(WIDTHS[0], 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """From ``(B, 1, H, W)``, sides multiples of 8, to probabilities ``(B, 1, H, W)``."""
        x, skips = images, []
        for level in range(self.n_levels):
            if level:
                x = self.get_submodule(f"Maxpool{level}")(x)
            x = self.get_submodule(f"Conv{level + 1}")(x)
            skips.append(self._contrast(x, level))
        x = skips[-1]
        for level in range(self.n_levels - 1, 0, -1):
            up = self.get_submodule(f"Up{level + 1}")(x)
            x = self.get_submodule(f"Up_conv{level + 1}")(torch.cat((skips[level - 1], up), 1))
        return self.sigmoid(self.Conv(x))

    def _contrast(self, x: Tensor, level: int) -> Tensor:
        names = [self._branch_name(level, branch) for branch in range(len(KERNELS[level]))]
        summed = self.get_submodule(names[0])(x)
        for name in names[1:]:
            summed = summed + self.get_submodule(name)(x)
        return self.get_submodule(f"contrConV_{level}")(summed)

    def _branch_name(self, level: int, branch: int) -> str:
        return f"contrast{level}" if len(KERNELS[level]) == 1 else f"contrast{level}_{branch}"
