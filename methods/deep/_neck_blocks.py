"""The neck blocks of LE-IRSTD: GSConv and the AVCStem made of it.

References
----------
.. [1] "LE-IRSTD", section III-B, equations (6) to (12).
.. [2] H. Li et al., "Slim-neck by GSConv: a lightweight-design for real-time
   detector architectures", Journal of Real-Time Image Processing 21, 2024.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from ._vkconv import VKConv
from ._yolo_blocks import CBS

GSConvForm = Literal["mixed", "unshuffled", "dense"]
"""The rows of Table VI: SC+DWConv+shuffle, SC+DWConv, SC+shuffle."""

Convolution = Literal["vkconv", "conv"]
"""The rows of Table V: VKConv, or an ordinary 3×3 convolution (SC)."""

Placement = Literal["series", "unused", "final"]
"""Where in an AVCStem that convolution stands; see :class:`AVCStem`."""


def shuffle(first: Tensor, second: Tensor) -> Tensor:
    """Concatenate two maps, even-numbered channels before odd-numbered ones.

    Parameters
    ----------
    first, second : (B, C, H, W) Tensor

    Returns
    -------
    (B, 2·C, H, W) Tensor
        Channels 0, 2, …, 1, 3, … of the concatenation.
    """
    n_channels = first.shape[1]
    if n_channels % 2:
        both = torch.cat((first, second), 1)
        return torch.cat((both[:, ::2], both[:, 1::2]), 1)
    # One copy instead of two: for an even C no pair straddles the seam.
    return torch.cat((first[:, ::2], second[:, ::2], first[:, 1::2], second[:, 1::2]), 1)


class GSConv(nn.Module):
    """Half the output by a dense convolution, half from that by a depthwise 5×5, shuffled.

    The dense convolution [2]_ has the stride, unlike in eq. (11) of [1]_. Both
    halves end in SiLU.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel : int
        Side of the dense convolution, odd.
    stride : int
    form : {"mixed", "unshuffled", "dense"}
        ``"unshuffled"`` only concatenates; ``"dense"`` shuffles the output of one
        dense convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        stride: int = 1,
        form: GSConvForm = "mixed",
    ) -> None:
        super().__init__()
        self.form = form
        width = out_channels if form == "dense" else out_channels // 2
        self.dense = CBS(in_channels, width, kernel, stride)
        if form != "dense":
            self.depthwise = CBS(width, width, 5, groups=width)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride)``."""
        first = self.dense(x)
        if self.form == "dense":
            return shuffle(*first.chunk(2, 1))
        second = self.depthwise(first)
        if self.form == "unshuffled":
            return torch.cat((first, second), 1)
        return shuffle(first, second)


class GSBottleneck(nn.Module):
    """GSB: a 1×1 and a 3×3 GSConv, beside them a 1×1 convolution with normalisation."""

    def __init__(self, channels: int, form: GSConvForm = "mixed") -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            GSConv(channels, channels, 1, form=form), GSConv(channels, channels, 3, form=form)
        )
        self.shortcut = CBS(channels, channels, activation=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, channels, H, W) -> (B, channels, H, W)``."""
        return self.convolutions(x) + self.shortcut(x)


class AVCStem(nn.Module):
    """Two branches of half the width, one through a GSB, joined by a convolution.

    Parameters
    ----------
    in_channels, out_channels : int
    convolution : {"vkconv", "conv"}
        The convolution under study.
    placement : {"series", "unused", "final"}
        ``"series"`` applies it to the GSB's output. ``"unused"`` builds it and
        never calls it, which is what the published FLOPs say of the counted
        network. ``"final"`` lets it join the branches in place of the 1×1
        convolution, which is what the paper's text says.
    n_points : int
        Samples of the VKConv.
    form : {"mixed", "unshuffled", "dense"}
        See :class:`GSConv`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        convolution: Convolution = "vkconv",
        placement: Placement = "series",
        n_points: int = 3,
        form: GSConvForm = "mixed",
    ) -> None:
        super().__init__()
        width = out_channels // 2
        self.placement = placement
        self.entry = CBS(in_channels, width)
        self.bypass = CBS(in_channels, width)
        self.bottlenecks = nn.Sequential(GSBottleneck(width, form))
        if placement == "final":
            self.exit = _studied(convolution, 2 * width, out_channels, n_points)
        else:
            self.variable = _studied(convolution, width, width, n_points)
            self.exit = CBS(2 * width, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, in_channels, H, W) -> (B, out_channels, H, W)``."""
        y = self.bottlenecks(self.entry(x))
        if self.placement == "series":
            y = self.variable(y)
        return self.exit(torch.cat((self.bypass(x), y), 1))


def _studied(
    convolution: Convolution, in_channels: int, out_channels: int, n_points: int
) -> nn.Module:
    if convolution == "vkconv":
        return VKConv(in_channels, out_channels, n_points)
    return CBS(in_channels, out_channels, 3)
