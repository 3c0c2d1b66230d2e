"""What a network costs: parameters, multiply-accumulates, FLOPs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from irbench.networks.flop_counting import FlopCount
from irbench.networks.probing import Predict, build_afresh, build_without_values, probe_network

if TYPE_CHECKING:
    from irbench.networks.neural import NeuralDetector

PROBED_AT = 64
"""Side in pixels of the image at which it is found out which parameters are executed."""


@dataclass(frozen=True)
class ParameterCounts:
    """Numbers of parameters.

    Parameters
    ----------
    total : int
    trainable : int
        Without those that are frozen.
    executed : int
        Those that a prediction depends on, by its gradient.
    """

    total: int
    trainable: int
    executed: int


@dataclass(frozen=True)
class Cost:
    """What a network costs, before any folding of its normalisations.

    Parameters
    ----------
    parameters, trainable, executed : int
        See :class:`ParameterCounts`.
    modules : int
        The "layers" that YOLO repositories print: all modules, containers included.
    macs : int
        Multiply-accumulates of convolutions and matrix products, of one image.
    flops : int
        Twice those, by :mod:`torch.utils.flop_counter`, attention by its products.
    flops_printed : float or None
        As YOLO repositories print them; None where the network does not say how. See
        :func:`irbench.networks.printed_flops.count_printed_flops`.
    input_size : int
        Side in pixels of the square input that the four figures before are for.
    uncounted : tuple of str
        Operators whose work is in none of them, since no formula for it is known here.
    """

    parameters: int
    trainable: int
    executed: int
    modules: int
    macs: int
    flops: int
    flops_printed: float | None
    input_size: int
    uncounted: tuple[str, ...] = ()


def measure_cost(
    network: nn.Module,
    predict: Predict,
    input_size: int,
    *,
    channels: int = 3,
    probed_at: int = PROBED_AT,
    flops_printed: float | None = None,
) -> Cost:
    """Count all that there is to count of a network.

    Parameters
    ----------
    network : torch.nn.Module
        Left as it is.
    predict : callable
        From the network and images to its prediction: tensors, however nested.
    input_size : int
        Side of the square input, in pixels.
    channels : int
        Of the input.
    probed_at : int
        Side at which it is found out which parameters are executed; the network takes it.
    flops_printed : float, optional
        Handed on.

    Returns
    -------
    Cost
    """
    counts = count_parameters(network, predict, min(probed_at, input_size), channels=channels)
    counted = count_flops(network, predict, input_size, channels=channels)
    return Cost(
        parameters=counts.total,
        trainable=counts.trainable,
        executed=counts.executed,
        modules=count_modules(network),
        macs=counted.flops // 2,
        flops=counted.flops,
        flops_printed=flops_printed,
        input_size=input_size,
        uncounted=counted.uncounted,
    )


def cost_of_detector(detector: NeuralDetector, input_size: int) -> Cost:
    """The cost of the network that a detector builds, without values where that is possible."""

    def count(network: nn.Module) -> Cost:
        return measure_cost(
            network,
            lambda network, images: detector.decode(network, network(images)),
            input_size,
            channels=detector.in_channels_used,
            probed_at=detector.legal_side(PROBED_AT),
            flops_printed=detector.printed_flops(network, input_size),
        )

    try:
        return count(build_without_values(detector.build))
    # What cannot be made, or run, without values. A fault of the network itself is raised again
    # by the second try, which costs time and memory only.
    except RuntimeError:
        return count(build_afresh(detector.build))


def count_parameters(
    network: nn.Module, predict: Predict, input_size: int = PROBED_AT, *, channels: int = 3
) -> ParameterCounts:
    """Count a network's parameters; a shared one once.

    Parameters
    ----------
    network : torch.nn.Module
    predict : callable
    input_size : int
        Any side that the network takes, in pixels.
    channels : int
        Of the input.

    Returns
    -------
    ParameterCounts
    """
    parameters = list(network.parameters())

    def executed(probe: nn.Module, images: Tensor) -> int:
        probe.requires_grad_()
        sums = [t.sum() for t in _tensors(predict(probe, images)) if t.requires_grad]
        if not sums:
            return 0
        # Not by recording what is read: a branch whose output is thrown away is read too.
        gradients = torch.autograd.grad(sums, list(probe.parameters()), allow_unused=True)
        return sum(gradient.numel() for gradient in gradients if gradient is not None)

    return ParameterCounts(
        total=sum(p.numel() for p in parameters),
        trainable=sum(p.numel() for p in parameters if p.requires_grad),
        executed=probe_network(network, executed, input_size, channels=channels),
    )


def count_modules(network: nn.Module) -> int:
    """The "layers" that YOLO repositories print: all modules, containers included."""
    return sum(1 for _ in network.modules())


def count_flops(
    network: nn.Module, predict: Predict, input_size: int, *, channels: int = 3
) -> FlopCount:
    """Count the FLOPs of one prediction, 2 for each multiply-accumulate.

    Parameters
    ----------
    network : torch.nn.Module
    predict : callable
    input_size : int
        Side of the square input, in pixels.
    channels : int
        Of the input.
    """

    def count(probe: nn.Module, images: Tensor) -> FlopCount:
        counted = FlopCount()
        with torch.no_grad(), counted.counting():
            predict(probe, images)
        return counted

    return probe_network(network, count, input_size, channels=channels)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)
