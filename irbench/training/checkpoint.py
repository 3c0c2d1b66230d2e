"""Where a training stands, in one file that is replaced as a whole.

A safetensors file: tensors of the network, of the running mean and of the optimiser, and
the rest as JSON in its header. No pickle, so reading one executes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import torch
from torch import Tensor, nn

from irbench.engine.atomic import replacing
from irbench.errors import UsageError
from irbench.training.ema import WeightAverage

SCHEMA = 1
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
    best_epoch : int
        The epoch, counted from 1, whose mean weights are the best so far; 0 for none.
    best_score : float
        Their validation AP@50, in [0, 1].
    history : list of dict
        A row per epoch.
    """

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    best_epoch: int = 0
    best_score: float = -1.0
    history: list[dict[str, Any]] = field(default_factory=list)


def save_checkpoint(
    path: Path,
    key: Mapping[str, Any],
    state: TrainingState,
    network: nn.Module,
    average: WeightAverage,
    optimizer: torch.optim.Optimizer,
) -> None:
    """Write all that is needed to go on.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    key : mapping
        What must be equal to go on: settings, data, network.
    state : TrainingState
    network : torch.nn.Module
    average : WeightAverage
    optimizer : torch.optim.Optimizer
    """
    from safetensors.torch import save_file

    tensors = _network_tensors(network, average) | _moments(optimizer)
    header = {"schema": SCHEMA, "key": dict(key), "state": asdict(state)}
    with replacing(path) as temporary:
        save_file(
            {name: tensor.detach().contiguous() for name, tensor in tensors.items()},
            temporary,
            metadata={"irbench": orjson.dumps(header).decode()},
        )


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
            header = orjson.loads((file.metadata() or {})["irbench"])
        if header["schema"] != SCHEMA:
            raise CheckpointError(
                f"{path} is a checkpoint of schema {header['schema']}, this version reads "
                f"{SCHEMA}; start anew in another --out."
            )
        return header["key"], TrainingState(**header["state"])
    except (OSError, SafetensorError, KeyError, TypeError, orjson.JSONDecodeError) as error:
        raise CheckpointError(
            f"{path} is no checkpoint of irbench, or is damaged ({error}); remove it, or start "
            "anew in another --out."
        ) from error


def load_checkpoint(
    path: Path,
    key: Mapping[str, Any],
    network: nn.Module,
    average: WeightAverage,
    optimizer: torch.optim.Optimizer,
) -> TrainingState:
    """Put everything back as it was.

    Parameters
    ----------
    path : Path
    key : mapping
        Must equal the one that was saved.
    network, average, optimizer
        Changed in place.

    Returns
    -------
    TrainingState

    Raises
    ------
    CheckpointError
        If it is damaged, or of another training; nothing is changed then.
    """
    from safetensors.torch import load_file

    saved, state = read_header(path)
    _check_key(path, saved, dict(key))
    present = _network_tensors(network, average)
    loaded = load_file(path)
    moments = {name: loaded.pop(name) for name in list(loaded) if name.startswith(_MOMENTS)}
    if loaded.keys() != present.keys() or any(
        loaded[name].shape != tensor.shape for name, tensor in present.items()
    ):
        raise CheckpointError(f"{path} is a checkpoint of another network.")
    with torch.no_grad():
        for name, tensor in present.items():
            tensor.copy_(loaded[name])
    _set_moments(optimizer, moments)
    return state


def _network_tensors(network: nn.Module, average: WeightAverage) -> dict[str, Tensor]:
    tensors = {f"network.{name}": t for name, t in network.state_dict().items()}
    tensors.update((f"average.{name}", t) for name, t in average.network.state_dict().items())
    return tensors


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
            f"{name}: {saved.get(name)!r} there, {wanted.get(name)!r} now" for name in differ[:5]
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
