"""Where a training stands, in one file that is replaced as a whole.

A safetensors file: tensors of the network, of the running mean, of the best mean so far and
of the optimiser, and the rest as JSON in its header. One file, so that a killed process never
leaves the best weights of another moment than the rest. No pickle, so reading one executes
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import torch
from torch import Tensor, nn

from irbench.atomic import replacing
from irbench.errors import UsageError
from irbench.json_fields import parse_json
from irbench.messages.key_differences import changed

SCHEMA = 2
_MOMENTS = "optimizer."


class CheckpointError(UsageError):
    """A checkpoint that cannot be gone on from."""


@dataclass
class TrainingState:
    """What is known after an epoch beside tensors.

    Attributes
    ----------
    epoch : int
        Epochs that are done.
    step : int
        Steps of the optimiser that are done.
    seconds : float
        Spent on them.
    best_epoch : int or None
        The epoch, counted from 1, whose mean weights are the best so far; 0 for the weights
        that the training began with, where they were trained before; None for none.
    best_score : float
        Their validation AP@50, in [0, 1].
    history : list of dict
        A row per epoch.
    """

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    best_epoch: int | None = None
    best_score: float = -1.0
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class TrainingTensors:
    """What changes while a network is trained.

    Attributes
    ----------
    network : torch.nn.Module
        That is trained.
    average : torch.nn.Module
        The running mean of its weights.
    best : torch.nn.Module
        That mean as it was after the best epoch.
    optimizer : torch.optim.Optimizer
    """

    network: nn.Module
    average: nn.Module
    best: nn.Module
    optimizer: torch.optim.Optimizer

    def by_name(self) -> dict[str, Tensor]:
        """The tensors of the networks, which may be written to."""
        return {
            f"{part}.{name}": tensor
            for part in ("network", "average", "best")
            for name, tensor in getattr(self, part).state_dict().items()
        }


def save_checkpoint(
    path: Path, key: Mapping[str, Any], state: TrainingState, tensors: TrainingTensors
) -> None:
    """Write all that is needed to resume.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    key : mapping
        What must be equal to resume: settings, data, network.
    state : TrainingState
    tensors : TrainingTensors

    Raises
    ------
    OSError
        If it cannot be written, for want of room for example; a former one is as it was.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    named = tensors.by_name() | _moments(tensors.optimizer)
    header = {"schema": SCHEMA, "key": dict(key), "state": asdict(state)}
    with replacing(path) as temporary:
        try:
            save_file(
                {name: tensor.detach().contiguous() for name, tensor in named.items()},
                temporary,
                metadata={"irbench": orjson.dumps(header).decode()},
            )
        except SafetensorError as error:  # which hides the number of an operating system's error
            raise OSError(str(error)) from error


def read_header(path: Path) -> tuple[dict[str, Any], TrainingState]:
    """The key and the state of a checkpoint.

    Raises
    ------
    CheckpointError
        If the file is not one, or is damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            header = parse_json((file.metadata() or {})["irbench"])
        if header["schema"] != SCHEMA:
            raise CheckpointError(
                f"{path} is a checkpoint of schema {header['schema']}, this version reads "
                f"{SCHEMA}; start anew in another --out."
            )
        return header["key"], TrainingState(**header["state"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} is no checkpoint of irbench, or is damaged ({error}); remove it, or start "
            "anew in another --out."
        ) from error


def load_checkpoint(path: Path, key: Mapping[str, Any], tensors: TrainingTensors) -> TrainingState:
    """Put everything back as it was.

    Parameters
    ----------
    path : Path
    key : mapping
        Must equal the one that was saved.
    tensors : TrainingTensors
        Changed in place.

    Raises
    ------
    CheckpointError
        If it is damaged, or of another training; nothing is changed then.
    """
    from safetensors.torch import load_file

    saved, state = read_header(path)
    _check_key(path, saved, dict(key))
    present = tensors.by_name()
    loaded = load_file(path)
    moments = {name: loaded.pop(name) for name in list(loaded) if name.startswith(_MOMENTS)}
    n_parameters = len(_parameters(tensors.optimizer))
    if (
        loaded.keys() != present.keys()
        or any(loaded[name].shape != tensor.shape for name, tensor in present.items())
        or any(int(name.split(".")[1]) >= n_parameters for name in moments)
    ):
        raise CheckpointError(
            f"{path} is a checkpoint of another network; start anew in another --out."
        )
    with torch.no_grad():
        for name, tensor in present.items():
            tensor.copy_(loaded[name])
    _set_moments(tensors.optimizer, moments)
    return state


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What the optimiser remembers of each parameter that ever had a gradient."""
    return {
        f"{_MOMENTS}{position}.{name}": value
        for position, parameter in enumerate(_parameters(optimizer))
        for name, value in optimizer.state.get(parameter, {}).items()
    }


def _set_moments(optimizer: torch.optim.Optimizer, moments: Mapping[str, Tensor]) -> None:
    parameters = _parameters(optimizer)
    fused = any(group.get("fused") for group in optimizer.param_groups)
    optimizer.state.clear()
    for key, value in moments.items():
        position, name = key.removeprefix(_MOMENTS).split(".")
        parameter = parameters[int(position)]
        if value.shape == parameter.shape:
            value = torch.empty_like(parameter).copy_(value)
        elif fused:  # a counter, which lies beside its parameter then
            value = value.to(parameter.device)
        optimizer.state[parameter][name] = value


def _parameters(optimizer: torch.optim.Optimizer) -> list[Any]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _check_key(path: Path, saved: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    saved, wanted = _flat(saved), _flat(orjson.loads(orjson.dumps(wanted)))
    differ = [
        name for name in sorted(saved.keys() | wanted.keys()) if saved.get(name) != wanted.get(name)
    ]
    if differ:
        listed = "; ".join(
            f"{name}: {changed(name, there, now) or f'{there!r} there, {now!r} now'}"
            for name in differ[:5]
            for there, now in [(saved.get(name), wanted.get(name))]
        )
        raise CheckpointError(
            f"{path} is of another training ({listed}). Give the same options, or another --out."
        )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat
