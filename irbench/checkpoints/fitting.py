"""Holding the tensors of a checkpoint against those of a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from irbench.checkpoints.reading import Checkpoint, Stored, load_tensor
from irbench.errors import WeightsError
from irbench.networks.weights import without_counters

if TYPE_CHECKING:
    from torch import nn

_SHOWN = 4


def fit_checkpoint(network: nn.Module, checkpoint: Checkpoint) -> str:
    """Put the tensors of a checkpoint into a network; all of them or none.

    Counts of batches that a normalisation has seen enter no prediction: they may lack.

    Parameters
    ----------
    network : torch.nn.Module
        Changed in place.
    checkpoint : Checkpoint

    Returns
    -------
    str
        The beginning that its names have and the network's have not, such as
        ``"module."``; most often empty.

    Raises
    ------
    WeightsError
        Naming the tensors that are missing, extra or of another shape.
    """
    import torch

    state = network.state_dict()
    prefix = _prefix(checkpoint.tensors, state)
    theirs = {name.removeprefix(prefix): one for name, one in checkpoint.tensors.items()}
    _check(without_counters(state), without_counters(theirs))
    values = {name: load_tensor(one) for name, one in theirs.items() if name in state}
    for name, one in values.items():
        if not one.isfinite().all():
            raise WeightsError(f"{name} holds NaN or infinity: the training went astray.")
        if one.is_floating_point() != state[name].is_floating_point():
            raise WeightsError(f"{name} is {one.dtype}, the network's {state[name].dtype}.")
    with torch.no_grad():
        for name, one in values.items():
            state[name].copy_(one)
    return prefix


def _prefix(names: Iterable[str], state: Mapping[str, object]) -> str:
    """The common beginning without which most names are the network's."""
    names = list(names)
    best, prefix = 0, ""
    candidate = ""
    while True:
        fitting = sum(name[len(candidate) :] in state for name in names)
        if fitting > best:
            best, prefix = fitting, candidate
        firsts = {name[len(candidate) :].partition(".")[:2] for name in names}
        first, dot = next(iter(firsts)) if len(firsts) == 1 else ("", "")
        if not dot:
            return prefix
        candidate += f"{first}."


def _check(ours: Mapping[str, Stored], theirs: Mapping[str, Stored]) -> None:
    missing = [name for name in ours if name not in theirs]
    extra = [name for name in theirs if name not in ours]
    other = [
        f"{name} is {tuple(theirs[name].shape)}, not {tuple(one.shape)}"
        for name, one in ours.items()
        if name in theirs and tuple(theirs[name].shape) != tuple(one.shape)
    ]
    parts = [
        f"{len(names)} {what} ({_listed(names)})"
        for what, names in (("missing", missing), ("extra", extra), ("of another shape", other))
        if names
    ]
    if parts:
        raise WeightsError(
            f"it is of another network, or of another width. Of {len(ours)} tensors: "
            f"{'; '.join(parts)}."
        )


def _listed(names: list[str]) -> str:
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
