"""What a network costs: parameters, modules, FLOPs.

References
----------
.. [1] L. Zhu, "THOP: PyTorch-OpCounter", version 0.1.1: the counting rules
   behind the FLOPs that YOLO repositories print.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ._detect import DistributionMean
from ._network import Network

PRINTED_AT = 32
"""Side in pixels of the image at which the printed FLOPs were counted, then scaled."""


@dataclass(frozen=True)
class ParameterCounts:
    """Numbers of parameters.

    Parameters
    ----------
    total : int
    trainable : int
        Without the frozen kernel of the head.
    executed : int
        Those that a prediction depends on.
    """

    total: int
    trainable: int
    executed: int


def count_parameters(network: Network) -> ParameterCounts:
    """Count a network's parameters.

    Parameters
    ----------
    network : Network

    Returns
    -------
    ParameterCounts
    """
    parameters = list(network.parameters())
    probe = _probe(network).requires_grad_()
    boxes, scores = _predict(probe, PRINTED_AT)
    gradients = torch.autograd.grad(
        boxes.sum() + scores.sum(), list(probe.parameters()), allow_unused=True
    )
    return ParameterCounts(
        total=sum(p.numel() for p in parameters),
        trainable=sum(p.numel() for p in parameters if p.requires_grad),
        executed=sum(gradient.numel() for gradient in gradients if gradient is not None),
    )


def count_modules(network: nn.Module) -> int:
    """The "layers" that YOLO repositories print: all modules, containers included."""
    return sum(1 for _ in network.modules())


def count_flops(network: Network, image_size: int = 640) -> int:
    """FLOPs of one prediction, 2 per multiply-accumulate of convolutions and products.

    Parameters
    ----------
    network : Network
    image_size : int
        Side of the square image, in pixels, a multiple of 32.

    Returns
    -------
    int
        By :mod:`torch.utils.flop_counter`.
    """
    counter = FlopCounterMode(display=False)
    with counter:
        _predict(_probe(network), image_size)
    return int(counter.get_total_flops())


def count_printed_flops(
    network: Network, image_size: int = 640, *, counted_at: int = PRINTED_AT
) -> float:
    """FLOPs as YOLO repositories print them, by the rules of [1]_.

    Twice the multiply-accumulates of convolutions (biases are free), 4 per
    element normalised, 1 per element upsampled, the additions of mean pooling;
    everything else is free. They count on an image of 32×32 and multiply by the
    ratio of areas, which multiplies work that does not grow with the image, such
    as that of a channel attention, as well.

    Parameters
    ----------
    network : Network
    image_size : int
        Side of the square image that the answer is for, in pixels.
    counted_at : int
        Side of the square image that is counted, a multiple of 32. With
        ``image_size`` here, nothing is scaled.

    Returns
    -------
    float
    """
    operations = 0
    probe = _probe(network)

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal operations
        operations += _OPERATIONS[type(module)](module, inputs[0], output)

    for module in probe.modules():
        if type(module) in _OPERATIONS:
            module.register_forward_hook(count)
    _predict(probe, counted_at)
    return 2 * operations * (image_size / counted_at) ** 2


def _convolution(module: nn.Module, x: Tensor, y: Tensor) -> int:
    assert isinstance(module, nn.Conv2d)
    return y.numel() * module.weight[0].numel()


def _distribution_mean(module: nn.Module, x: Tensor, y: Tensor) -> int:
    assert isinstance(module, DistributionMean)
    return y.numel() * module.reg_max


_OPERATIONS: Mapping[type[nn.Module], Callable[[nn.Module, Tensor, Tensor], int]] = {
    nn.Conv2d: _convolution,
    DistributionMean: _distribution_mean,
    nn.BatchNorm2d: lambda module, x, y: 4 * x.numel(),
    nn.Upsample: lambda module, x, y: y.numel(),
    nn.AdaptiveAvgPool2d: lambda module, x, y: x.numel() + y.numel(),
}


def _probe(network: Network) -> Network:
    """A copy that computes shapes only, so that counting takes no time or memory."""
    return copy.deepcopy(network).to("meta").eval()


def _predict(network: Network, image_size: int) -> tuple[Tensor, Tensor]:
    channels = network.architecture.in_channels
    image = torch.empty(1, channels, image_size, image_size, device="meta")
    return network.decode(network(image))
