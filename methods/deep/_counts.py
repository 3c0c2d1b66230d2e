"""FLOPs of the networks of this folder as YOLO repositories print them."""

from __future__ import annotations

from types import MappingProxyType

from torch import Tensor, nn

from irbench.networks import printed_flops

from ._attention import ChannelMean
from ._detect import DistributionMean
from ._network import Network


def predict(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes and scores of images, before any suppression."""
    assert isinstance(network, Network)
    return network.decode(network(images))


def count_printed_flops(
    network: Network, image_size: int = 640, *, counted_at: int = printed_flops.PRINTED_AT
) -> float:
    """FLOPs as YOLO repositories print them; the head's expected distances count.

    Parameters
    ----------
    network : Network
    image_size : int
        Side of the square image that the result is for, in pixels.
    counted_at : int
        Side of the square image that is counted, a multiple of 32. With
        ``image_size`` here, nothing is scaled; see
        :func:`irbench.networks.printed_flops.count_printed_flops`.

    Returns
    -------
    float
    """
    return printed_flops.count_printed_flops(
        network,
        predict,
        image_size,
        counted_at=counted_at,
        rules=_RULES,
        channels=network.architecture.in_channels,
    )


def _distribution_mean(module: nn.Module, x: Tensor, y: Tensor) -> int:
    assert isinstance(module, DistributionMean)
    return y.numel() * module.reg_max


_RULES = MappingProxyType(
    {
        **printed_flops.PRINTED_RULES,
        ChannelMean: printed_flops.PRINTED_RULES[nn.AdaptiveAvgPool2d],
        DistributionMean: _distribution_mean,
    }
)
