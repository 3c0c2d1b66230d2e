"""The floor of a network: its convolutions alone, and what else is part of its time."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from irbench.methods.deep import _vkconv


@dataclass
class Call:
    """A call of a function that was seen, to be repeated alone.

    Attributes
    ----------
    function : callable
    inputs : tuple of Tensor
        Those of the call, their layout in memory included.
    parameters : tuple of Tensor
        That the function has beside its inputs, and that are trained.
    """

    function: Callable[..., Tensor]
    inputs: tuple[Tensor, ...]
    parameters: tuple[Tensor, ...] = ()

    def forward(self) -> Tensor:
        """Call it."""
        return self.function(*self.inputs)


def convolutions_of(
    network: nn.Module, run: Callable[[], Any], dtype: torch.dtype = torch.float32
) -> list[Call]:
    """Collect the convolutions of a network with what they receive.

    Parameters
    ----------
    network : torch.nn.Module
    run : callable
        Runs the network once.
    dtype : torch.dtype
        In which they are to be repeated.
    """
    calls: list[Call] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        alone = copy.deepcopy(module).to(dtype)
        alone._forward_hooks.clear()
        trained = tuple(p for p in alone.parameters() if p.requires_grad)
        calls.append(Call(alone, (_copy(inputs[0], dtype),), trained))

    handles = [
        module.register_forward_hook(note)
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
    ]
    try:
        with torch.no_grad():
            run()
    finally:
        for handle in handles:
            handle.remove()
    return calls


def samplings_of(run: Callable[[], Any]) -> list[Call]:
    """Collect what VKConv samples in a run: maps and positions."""
    calls: list[Call] = []
    original = _vkconv.sample_bilinear

    def note(*inputs: Tensor) -> Tensor:
        calls.append(Call(original, tuple(_copy(one, one.dtype) for one in inputs)))
        return original(*inputs)

    _vkconv.sample_bilinear = note
    try:
        with torch.no_grad():
            run()
    finally:
        _vkconv.sample_bilinear = original
    return calls


def forward_pass(calls: Sequence[Call]) -> Callable[[], None]:
    """Run all calls, without gradients."""

    def run() -> None:
        with torch.inference_mode():
            for call in calls:
                call.forward()

    return run


def training_pass(calls: Sequence[Call], *, from_image: bool) -> Callable[[], None]:
    """Run all calls, forward and backward.

    Parameters
    ----------
    calls : sequence of Call
    from_image : bool
        Whether the first of them receives the image, which needs no gradient.
    """
    for index, call in enumerate(calls):
        needed = not from_image or index > 0
        call.inputs = tuple(one.clone().requires_grad_(needed) for one in call.inputs)
    with torch.no_grad():
        gradients = [torch.randn_like(call.forward()) for call in calls]

    def run() -> None:
        for call, gradient in zip(calls, gradients, strict=True):
            wanted = [t for t in (*call.inputs, *call.parameters) if t.requires_grad]
            torch.autograd.grad(call.forward(), wanted, gradient)

    return run


def _copy(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """On memory of its own, in the same layout."""
    return torch.empty_like(tensor, dtype=dtype).copy_(tensor.detach())
