"""One step of the optimiser on a batch, in parts, by several processes, in a number format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from irbench.networks.detector import LossSums
from irbench.training.processes import TrainingProcesses
from irbench.training.settings import Precision, TrainingSettings
from irbench.training.tasks import BatchMaker


class StepOutcome(NamedTuple):
    """What a step says, on the device: reading it waits for the device.

    Attributes
    ----------
    terms : dict of str to () Tensor
        Of the loss, over the weight of the whole batch.
    finite : () Tensor of bool
        Whether these and the gradient are finite.
    """

    terms: dict[str, Tensor]
    finite: Tensor


class TrainingStep:
    """Moves a network's weights by one batch.

    Parameters
    ----------
    network : torch.nn.Module
        On the device of the processes, channels last.
    loss : callable
        From outputs and targets to :class:`irbench.networks.detector.LossSums`.
    optimizer : torch.optim.Optimizer
        Of the network's parameters.
    settings : TrainingSettings
    processes : TrainingProcesses

    Attributes
    ----------
    dtype : torch.dtype
        Of the network's activations.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: Callable[[Any, Any], LossSums],
        optimizer: torch.optim.Optimizer,
        settings: TrainingSettings,
        processes: TrainingProcesses,
    ) -> None:
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self.settings, self.processes = settings, processes
        self.of_boxes = settings.masks is None
        self.dtype = training_dtype(settings.precision, processes.device)
        self._parameters: list[nn.Parameter] = [
            parameter for group in optimizer.param_groups for parameter in group["params"]
        ]

    def __call__(self, batches: BatchMaker, draws: Any) -> StepOutcome:
        """Take one step.

        Parameters
        ----------
        batches : BatchMaker
        draws : ImageDraws or PatchDraws
            Of the whole batch, in every process; a multiple of parts and processes.
        """
        sums, weight = self._gradients(batches, draws)
        self.processes.add_up_gradients(self._parameters, weight, *sums.values())
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        mean = 1 / weight.clamp_min(1)
        # Of boxes times the batch, as in YOLOv8, against weight decay and the greatest norm.
        torch._foreach_mul_(gradients, mean * len(draws) if self.of_boxes else mean)
        norm = nn.utils.clip_grad_norm_(self._parameters, self.settings.clip_norm, foreach=True)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        terms = {name: term * mean for name, term in sums.items()}
        return StepOutcome(terms, torch.stack([norm, *terms.values()]).isfinite().all())

    def _gradients(self, batches: BatchMaker, draws: Any) -> tuple[dict[str, Tensor], Tensor]:
        """Add up the gradients over our parts of a batch; the sums of terms and weight."""
        device = self.processes.device
        mine = self.processes.part(len(draws))
        size = (mine.stop - mine.start) // self.settings.accumulate
        sums: dict[str, Tensor] = {}
        weight = torch.zeros((), device=device)
        for start in range(mine.start, mine.stop, size):
            images, targets = batches(draws[start : start + size])
            images = images.to(device)
            if self.of_boxes:
                images = images.expand(-1, 3, -1, -1)
            images = images.contiguous(memory_format=torch.channels_last)
            with torch.autocast(device.type, self.dtype, enabled=self.dtype != torch.float32):
                outputs = self.network(images)
            terms, part_weight = self.loss(outputs, targets.to(device))
            torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
            weight += part_weight.detach()
            for name, term in terms.items():
                sums[name] = sums.get(name, 0) + term.detach()
        return sums, weight


def training_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """The format of the network's activations in training.

    Parameters
    ----------
    precision : {"auto", "float32", "bfloat16"}
    device : torch.device

    Returns
    -------
    torch.dtype
        For ``auto`` bfloat16 where the device multiplies it faster than float32. Its
        exponent is float32's, so that no loss has to be scaled.
    """
    if precision == "float32":
        return torch.float32
    if precision == "bfloat16":
        return torch.bfloat16
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        facts = torch.backends.cpu.get_cpu_capability()
        fast = _cpu_multiplies_bfloat16() and "AVX512" in facts
    return torch.bfloat16 if fast else torch.float32


def _cpu_multiplies_bfloat16() -> bool:
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, check, lambda: False)()) for check in checks)
