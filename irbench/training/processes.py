"""Several processes that train one network, as ``torchrun`` starts them.

Each holds the whole network and an equal part of every batch. After the backward pass the
gradients, which are sums over images, are added up; then all take the same step. The
networks here are of a few million parameters, so one message after the backward pass costs
little and needs no wrapper around the network.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch import distributed as dist

from irbench.networks.devices import resolve_device


@dataclass(frozen=True)
class TrainingProcesses:
    """The processes of a training.

    Attributes
    ----------
    rank : int
        Of this one, from 0.
    count : int
    device : torch.device
        That this one computes on.
    """

    rank: int
    count: int
    device: torch.device

    @classmethod
    def join(cls, device: str = "auto") -> TrainingProcesses:
        """Find out what this process is: alone, or one that ``torchrun`` started.

        Parameters
        ----------
        device : str
            ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

        Raises
        ------
        UsageError
            For a device that this machine does not have.
        """
        count, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
        chosen = choose_device(device, int(os.environ.get("LOCAL_RANK", "0")) if count > 1 else 0)
        if count > 1 and not dist.is_initialized():
            if chosen.type == "cuda":
                torch.cuda.set_device(chosen)
            dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
        return cls(rank, count, chosen)

    def leave(self) -> None:
        """Take leave of the others."""
        if self.count > 1 and dist.is_initialized():
            dist.destroy_process_group()

    @property
    def first(self) -> bool:
        """Whether this is the one that writes files and speaks."""
        return self.rank == 0

    def part(self, n: int) -> slice:
        """Our part of ``n`` positions, a multiple of the number of processes."""
        size = n // self.count
        return slice(self.rank * size, (self.rank + 1) * size)

    def add_up(self, *tensors: Tensor) -> None:
        """Replace tensors by their sums over the processes, in one message."""
        if self.count == 1 or not tensors:
            return
        flat = torch.cat([tensor.detach().reshape(-1).float() for tensor in tensors])
        dist.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.detach().copy_(part.view(tensor.shape))

    def add_up_gradients(self, parameters: Sequence[nn.Parameter], *others: Tensor) -> None:
        """Add up gradients, and other sums of a step, in one message.

        A parameter without a gradient in this process, for example for want of a target,
        takes the others'; one that has none anywhere stays without.
        """
        if self.count == 1:
            return
        has = torch.tensor([float(p.grad is not None) for p in parameters], device=self.device)
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        self.add_up(has, *others, *gradients)
        for parameter, gradient, n_have in zip(parameters, gradients, has.tolist(), strict=True):
            parameter.grad = gradient if n_have else None

    def average_buffers(self, *networks: nn.Module) -> None:
        """Give all processes the mean of the running statistics."""
        buffers = [b for network in networks for b in network.buffers() if b.is_floating_point()]
        self.add_up(*buffers)
        if self.count > 1:
            for buffer in buffers:
                buffer /= self.count

    def copy_from_first(self, network: nn.Module) -> None:
        """Give all processes the first one's weights."""
        if self.count > 1:
            for tensor in network.state_dict().values():
                dist.broadcast(tensor, 0)

    def agree(self, value: bool) -> bool:
        """What the first process says."""
        if self.count == 1:
            return value
        said = torch.tensor(float(value), device=self.device)
        dist.broadcast(said, 0)
        return bool(said)


def choose_device(device: str, local_rank: int = 0) -> torch.device:
    """A device by name; where several processes train, each takes the GPU of its rank.

    Raises
    ------
    UsageError
    """
    chosen = resolve_device(device)
    if chosen == "cuda":
        chosen = resolve_device(f"cuda:{local_rank}")
    return torch.device(chosen)
