"""Which images go together in an epoch, and the chance of everything else in it.

All of it follows from the seed and the epoch's number, so that a training that is resumed
after a break draws what it would have drawn without one.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from irbench.errors import UsageError
from irbench.training.settings import TrainingSettings


def batch_size(settings: TrainingSettings, n_images: int, n_processes: int = 1) -> int:
    """Images of a step: as the settings say, or all where there are fewer.

    Returns
    -------
    int
        A multiple of parts times processes.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> batch_size(TrainingSettings(batch=16, accumulate=2), n_images=11, n_processes=2)
    8
    """
    unit = settings.accumulate * n_processes
    if settings.batch % unit:
        raise UsageError(
            f"batch must be a multiple of {unit} ({n_processes} processes × "
            f"{settings.accumulate} parts), got {settings.batch}."
        )
    batch = min(settings.batch, n_images // unit * unit)
    if batch == 0:
        raise UsageError(
            f"{n_images} training images cannot be divided among {n_processes} processes × "
            f"{settings.accumulate} parts of a batch; take fewer."
        )
    return batch


def shuffle(n_images: int, batch: int, generator: torch.Generator) -> Tensor:
    """The images of an epoch in their order; those beyond the last whole batch rest."""
    return torch.randperm(n_images, generator=generator)[: n_images // batch * batch]


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """For the order and the augmentation of an epoch: the same in all processes."""
    return torch.Generator().manual_seed(_word(seed, epoch, 1))


def seed_network(seed: int, epoch: int, rank: int) -> None:
    """Seed what the network draws in an epoch, such as drop paths, in each process anew."""
    torch.manual_seed(_word(seed, epoch, 2 + rank))


def _word(*numbers: int) -> int:
    """A seed; the last number must not be 0, which would be as if it were not there."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
