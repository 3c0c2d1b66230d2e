"""The backbone blocks of LE-IRSTD: MBConv with attention, and BSblock.

The paper [1]_ leaves much open and its code was never published; these blocks
are those that reproduce the published parameter and module counts.

References
----------
.. [1] "LE-IRSTD", section III-B, equations (1) to (5).
.. [2] M. Tan, Q. Le, "EfficientNet", ICML 2019.
.. [3] J. Chen et al., "Run, don't walk: chasing higher FLOPS for faster neural
   networks", CVPR 2023: partial convolution and the FasterNet block.
.. [4] G. Huang et al., "Deep networks with stochastic depth", ECCV 2016.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from ._attention import CBAM
from ._yolo_blocks import CBS, SiLU, batch_norm

DROP_PROBABILITY = 0.2
"""The paper's, for BSblock; it gives none for MBConv."""


class DropPath(nn.Module):
    """Stochastic depth [4]_: drops the branch of a whole sample, in training only.

    What is kept is scaled by ``1 / (1 - probability)``.
    """

    def __init__(self, probability: float = DROP_PROBABILITY) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, C, H, W)``."""
        if not self.training or self.probability == 0:
            return x
        kept = 1 - self.probability
        return x * x.new_empty(len(x), 1, 1, 1).bernoulli_(kept).div_(kept)

    def extra_repr(self) -> str:
        """The probability, for the printed network."""
        return f"probability={self.probability}"


class MBConv(nn.Module):
    """Inverted bottleneck with attention, eq. (1) and (2) of [1]_.

    Widens by a 1×1 convolution, filters each channel, attends, narrows without
    activation and adds the input. [2]_

    Parameters
    ----------
    channels : int
        Of input and output.
    kernel : int
        Side of the depthwise convolution, odd.
    expansion : int
        Width of the inside in units of ``channels``.
    """

    # Not `project`: the pixels' weights come between it and its normalisation.
    folds: ClassVar = (("expand", "expand_norm"), ("filter", "filter_norm"))

    def __init__(self, channels: int, kernel: int = 3, expansion: int = 6) -> None:
        super().__init__()
        width = expansion * channels
        self.expand = nn.Conv2d(channels, width, 1, bias=False)
        self.expand_norm = batch_norm(width)
        self.expand_activation = SiLU()
        self.filter = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width, bias=False)
        self.filter_norm = batch_norm(width)
        self.filter_activation = SiLU()
        self.attention = CBAM(width)
        self.project = nn.Conv2d(width, channels, 1, bias=False)
        self.project_norm = batch_norm(channels)
        self.drop = DropPath()

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels, H, W) -> (B, channels, H, W)``."""
        y = self.expand_activation(self.expand_norm(self.expand(x)))
        y = self.filter_activation(self.filter_norm(self.filter(y)))
        y, pixels = self.attention(y)
        y = self.project_norm(self.project(y) * pixels)
        return x + self.drop(y)


class PConv(nn.Module):
    """Partial convolution, eq. (4) of [1]_: 3×3 on the first channels, the rest as they are.

    Parameters
    ----------
    channels : int
    divisor : int
        The first ``channels / divisor`` channels are convolved; 1 convolves all,
        the "SC" of Table IV.
    """

    def __init__(self, channels: int, divisor: int = 4) -> None:
        super().__init__()
        self.n_convolved = channels // divisor
        self.n_passed = channels - self.n_convolved
        self.conv = nn.Conv2d(self.n_convolved, self.n_convolved, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels, H, W) -> (B, channels, H, W)``."""
        first, rest = torch.split(x, [self.n_convolved, self.n_passed], 1)
        return torch.cat((self.conv(first), rest), 1)


class BSBlock(nn.Module):
    """Bottleneck structure block, eq. (3) of [1]_; the FasterNet block of [3]_.

    Partial convolution, then two 1×1 convolutions through twice the width, then
    the input added.

    Parameters
    ----------
    channels : int
        Of input and output.
    divisor : int
        See :class:`PConv`.
    """

    def __init__(self, channels: int, divisor: int = 4) -> None:
        super().__init__()
        self.partial = PConv(channels, divisor)
        self.mlp = nn.Sequential(
            CBS(channels, 2 * channels), nn.Conv2d(2 * channels, channels, 1, bias=False)
        )
        self.drop = DropPath()

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels, H, W) -> (B, channels, H, W)``."""
        return x + self.drop(self.mlp(self.partial(x)))
