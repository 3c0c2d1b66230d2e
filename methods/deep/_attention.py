"""The attention of MBConv: a weight per channel, then a weight per pixel.

References
----------
.. [1] S. Woo et al., "CBAM: convolutional block attention module", ECCV 2018.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class CBAM(nn.Module):
    """Channel attention, then spatial attention.

    Unlike in [1]_ the channels' weights come from their means alone, without a
    bottleneck: the form that the published counts demand.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channel = ChannelAttention(channels)
        self.spatial = SpatialAttention()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Weigh the channels, and say how to weigh the pixels.

        Parameters
        ----------
        x : (B, C, H, W) Tensor

        Returns
        -------
        weighted : (B, C, H, W) Tensor
            Each channel multiplied by its weight.
        pixels : (B, 1, H, W) Tensor
            The weights that remain to be multiplied with, in (0, 1). A linear map
            of each pixel may come first: behind it the map may be narrower.
        """
        weighted, statistics = weigh_channels(x, self.channel(x))
        return weighted, self.spatial(statistics)


class ChannelMean(nn.AdaptiveAvgPool2d):
    """The mean of each channel: in float32 on a CPU that of its base to the bit.

    In bfloat16 the sum is rounded before it is divided, and again after it.

    The gradient of a sum is one number per channel that is only looked at as a map; that of
    a mean is written out as a map, of the widest size in the network, and read again.
    """

    def __init__(self) -> None:
        super().__init__(1)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, C, 1, 1)``."""
        if not x.requires_grad:
            return super().forward(x)
        return x.sum((2, 3), keepdim=True) / (x.shape[2] * x.shape[3])


class ChannelAttention(nn.Module):
    """One weight per channel from the channel means, by a full linear map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool = ChannelMean()
        self.conv = nn.Conv2d(channels, channels, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, C, 1, 1)``, in (0, 1)."""
        return self.sigmoid(self.conv(self.pool(x)))


class SpatialAttention(nn.Module):
    """One weight per pixel from the mean and the maximum over the channels there."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.sigmoid = nn.Sigmoid()

    def forward(self, statistics: Tensor) -> Tensor:
        """``(B, 2, H, W) -> (B, 1, H, W)``, in (0, 1)."""
        return self.sigmoid(self.conv(statistics))


def weigh_channels(x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Multiply each channel by its weight; mean and maximum over the channels of the result.

    Parameters
    ----------
    x : (B, C, H, W) Tensor
    weights : (B, C, 1, 1) Tensor

    Returns
    -------
    weighted : (B, C, H, W) Tensor
    statistics : (B, 2, H, W) Tensor
    """
    if torch.is_grad_enabled() and (x.requires_grad or weights.requires_grad):
        weighted, statistics = _WeighChannels.apply(x, weights)  # type: ignore[no-untyped-call]
        return weighted, statistics
    weighted = x * weights
    return weighted, _statistics(weighted)[0]


def _statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    largest, where = x.max(1, keepdim=True)
    return torch.cat((x.mean(1, keepdim=True), largest), 1), where


class _WeighChannels(torch.autograd.Function):
    """:func:`weigh_channels` with a backward pass over the map in three steps, not seven.

    The map is the widest of the network, and these steps are bound by memory:
    left to autograd, a training step takes a tenth longer.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        weighted = x * weights
        statistics, where = _statistics(weighted)
        ctx.save_for_backward(x, weights, where)
        return weighted, statistics

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_weighted: Tensor, grad_statistics: Tensor) -> tuple[Tensor, Tensor]:
        x, weights, where = ctx.saved_tensors
        grad_mean, grad_largest = grad_statistics.chunk(2, 1)
        grad = grad_weighted + grad_mean / x.shape[1]
        # No two of a pixel are the same. In half precision scatter_add_ would go through float32.
        at_largest = grad.gather(1, where) + grad_largest
        grad.scatter_(1, where, at_largest.to(grad.dtype))
        product = grad * x
        grad_weights = product.sum((2, 3), keepdim=True)
        return torch.mul(grad, weights, out=product), grad_weights
