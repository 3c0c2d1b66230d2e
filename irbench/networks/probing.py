"""Running a network for its shapes alone.

Nothing is computed: a network without values, on torch's device ``meta``, returns
shapes. One whose path depends on values, such as a network with proposals, runs on the
CPU instead.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

T = TypeVar("T")

Predict = Callable[[nn.Module, Tensor], Any]
"""From a network and images ``(B, C, S, S)`` to what its prediction consists of."""


def probe_network(
    network: nn.Module,
    count: Callable[[nn.Module, Tensor], T],
    input_size: int,
    *,
    channels: int = 3,
) -> T:
    """Let a function run a copy of a network that has shapes and no values.

    Parameters
    ----------
    network : torch.nn.Module
        Left as it is.
    count : callable
        Called with the copy, in evaluation mode, and one image. Where the copy cannot be
        run without values, called a second time with a real copy on the CPU.
    input_size : int
        Side of the image, in pixels.
    channels : int
        Of the image.

    Returns
    -------
    object
        What the function returns.
    """
    shape = (1, channels, input_size, input_size)
    # Inference mode, which a caller may be in, hides gradients and FLOPs.
    with torch.inference_mode(False), torch.enable_grad():
        try:
            return count(_without_values(network).eval(), torch.empty(shape, device="meta"))
        # Kernels without shapes, values that are asked for, tensors of another device; a fault of
        # the network itself is raised again by the copy that has values.
        except RuntimeError:
            if any(parameter.is_meta for parameter in network.parameters()):
                raise
            return count(copy.deepcopy(network).to("cpu").eval(), torch.zeros(shape))


def _without_values(network: nn.Module) -> nn.Module:
    """A copy on the device ``meta``; unlike ``to("meta")``, it keeps shared parameters shared."""
    copies: dict[int, Any] = {
        id(p): nn.Parameter(torch.empty_like(p, device="meta"), p.requires_grad)
        for p in network.parameters()
    }
    copies |= {id(b): torch.empty_like(b, device="meta") for b in network.buffers()}
    return copy.deepcopy(network, copies)


def build_without_values(build: Callable[[], nn.Module]) -> nn.Module:
    """Make a network with shapes and, where it can be made so, no values.

    Parameters
    ----------
    build : callable
        Makes the network with fresh weights.

    Returns
    -------
    torch.nn.Module
    """
    try:
        with torch.device("meta"):
            return build()
    # What needs values to be made; a fault of the network itself is raised again.
    except RuntimeError:
        return build_afresh(build)


def build_afresh(build: Callable[[], nn.Module]) -> nn.Module:
    """Make a network on the CPU; the state of torch's generator stays as it is."""
    with torch.random.fork_rng(devices=[]):
        return build()
