"""FLOPs as YOLO repositories print them.

References
----------
.. [1] L. Zhu, "THOP: PyTorch-OpCounter", version 0.1.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from irbench.networks.probing import Predict, probe_network

PRINTED_AT = 32
"""Side in pixels of the image at which the printed FLOPs were counted, then scaled."""

Rule = Callable[[nn.Module, Tensor, Tensor], int]
"""From a module, its input and its output to half of its FLOPs."""


def _convolution(module: nn.Module, x: Tensor, y: Tensor) -> int:
    assert isinstance(module, nn.Conv2d)
    return y.numel() * module.weight[0].numel()


PRINTED_RULES: Mapping[type[nn.Module], Rule] = MappingProxyType(
    {
        nn.Conv2d: _convolution,
        nn.BatchNorm2d: lambda module, x, y: 4 * x.numel(),
        nn.Upsample: lambda module, x, y: y.numel(),
        nn.AdaptiveAvgPool2d: lambda module, x, y: x.numel() + y.numel(),
    }
)
"""The rules of [1]_ by type of module, subclasses excluded; what is not here is free."""


def count_printed_flops(
    network: nn.Module,
    predict: Predict,
    input_size: int = 640,
    *,
    counted_at: int = PRINTED_AT,
    rules: Mapping[type[nn.Module], Rule] = PRINTED_RULES,
    channels: int = 3,
) -> float:
    """FLOPs as YOLO repositories print them, by the rules of [1]_.

    Twice the multiply-accumulates of convolutions (biases are free), 4 per
    element normalised, 1 per element upsampled, the additions of mean pooling;
    everything else is free. They count on an image of 32×32 and multiply by the
    ratio of areas, which multiplies work that does not grow with the image, such
    as that of a channel attention, as well.

    Parameters
    ----------
    network : torch.nn.Module
    predict : callable
    input_size : int
        Side of the square image that the result is for, in pixels.
    counted_at : int
        Side of the square image that is counted. With ``input_size`` here, nothing is
        scaled.
    rules : mapping
        By type of module; :data:`PRINTED_RULES`, and those of a network's own modules.
    channels : int
        Of the input.

    Returns
    -------
    float
    """

    def count(probe: nn.Module, images: Tensor) -> int:
        operations = 0

        def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            nonlocal operations
            operations += rules[type(module)](module, inputs[0], output)

        for module in probe.modules():
            if type(module) in rules:
                module.register_forward_hook(add)
        with torch.no_grad():
            predict(probe, images)
        return operations

    operations = probe_network(network, count, counted_at, channels=channels)
    return 2 * operations * (input_size / counted_at) ** 2
