"""The running mean of a network's weights, which generalises better than the last ones."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from irbench.training.schedule import averaging_decay


class WeightAverage:
    """An exponential running mean of weights and of running statistics.

    Parameters
    ----------
    network : torch.nn.Module
        Where it starts; its tensors are read in place, so it may not move to another device.
    share : float
        See :func:`irbench.training.schedule.averaging_decay`.

    Attributes
    ----------
    network : torch.nn.Module
        The mean, in evaluation mode, without gradients.
    """

    def __init__(self, network: nn.Module, share: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.share = share
        pairs = zip(self.network.state_dict().values(), network.state_dict().values(), strict=True)
        self._means: list[Tensor] = []
        self._currents: list[Tensor] = []
        self._counters: list[Tensor] = []
        self._current_counters: list[Tensor] = []
        for mean, current in pairs:
            if mean.is_floating_point():
                self._means.append(mean)
                self._currents.append(current)
            else:
                self._counters.append(mean)
                self._current_counters.append(current)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after ``step`` steps of the optimiser."""
        weight = 1 - averaging_decay(step, self.share)
        torch._foreach_lerp_(self._means, self._currents, weight)
        if self._counters:
            torch._foreach_copy_(self._counters, self._current_counters)
