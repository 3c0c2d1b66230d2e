"""Weights of networks on disk: written with a card, found by name, and loaded strictly.

The format is safetensors: plain numbers, nothing that could run. Pickled files
(``.pt``, ``.pth``) are refused by name and by content, and never opened as such.
Finding and listing reads cards only, without torch.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from irbench.atomic import write_bytes, write_json
from irbench.errors import WeightsError
from irbench.networks.card import Card
from irbench.networks.weights_file import SUFFIX, WeightsFile, card_path, pickled_error
from irbench.networks.weights_search import find_weights

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = [
    "WeightsFile",
    "architecture_fingerprint",
    "find_weights",
    "load_weights",
    "save_weights",
    "without_counters",
]

T = TypeVar("T")

# Counts the batches that a normalisation has seen; only a momentum of None reads it.
_COUNTER = "num_batches_tracked"


def architecture_fingerprint(network: nn.Module) -> str:
    """What a network's weights look like: 16 hex digits over sorted names and shapes."""
    lines = [f"{name} {tuple(one.shape)}" for name, one in sorted(_state(network).items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def save_weights(
    path: Path | str,
    network: nn.Module,
    card: Card,
    dtype: Literal["float16", "bfloat16", "float32"] = "float16",
) -> Card:
    """Write a network's weights and their card, each atomically, the weights first.

    Parameters
    ----------
    path : path-like
        Ends in ``.safetensors``; the card goes beside it, with ``.json``.
    network : torch.nn.Module
        Parameters and buffers are written. Of the buffers, those called
        ``num_batches_tracked`` are left out: they do not enter any output.
    card : Card
        Its ``sha256`` and ``architecture`` are set here.
    dtype : {"float16", "bfloat16", "float32"}
        Of floating-point tensors on disk; half precision rounds to 11 bits. A tensor with a value
        beyond it, such as the variance of a channel that nothing normalises, stays in float32.

    Returns
    -------
    Card
        As written.

    Raises
    ------
    WeightsError
        For another ending, or weights that are not finite in float32.
    """
    import safetensors.torch
    import torch

    path = Path(path)
    if path.suffix != SUFFIX:
        raise WeightsError(f"weights are written as NAME{SUFFIX}, got {path.name}.")
    stored: torch.dtype = getattr(torch, dtype)
    tensors = {}
    for name, one in _state(network).items():
        if one.is_floating_point() and not one.isfinite().all():
            raise WeightsError(f"{path} is not written: {name} is not finite.")
        held = one.detach().to("cpu", stored if one.is_floating_point() else one.dtype, copy=True)
        if held.is_floating_point() and not held.isfinite().all():
            held = one.detach().to("cpu", torch.float32, copy=True)
            if not held.isfinite().all():
                raise WeightsError(f"{path} is not written: {name} does not fit float32.")
        tensors[name] = held.contiguous()
    content = safetensors.torch.save(tensors)
    card = dataclasses.replace(
        card,
        sha256=hashlib.sha256(content).hexdigest(),
        architecture=architecture_fingerprint(network),
    )
    # Checked before anything is written: a card that cannot be read is none.
    Card.from_dict(card.as_dict(), card_path(path))
    write_bytes(path, content)
    write_json(card_path(path), card.as_dict())
    return card


def load_weights(network: nn.Module, file: WeightsFile) -> None:
    """Put weights into a network, in the network's own types; all of them or none.

    Parameters
    ----------
    network : torch.nn.Module
        Changed in place.
    file : WeightsFile

    Raises
    ------
    WeightsError
        If the file is missing, damaged, pickled, not the one of its card, not of this
        network, or holds values that are not finite. The network is unchanged then.
    """
    import torch

    try:
        content = file.path.read_bytes()
    except OSError as error:
        raise WeightsError(f"the weights {file.path} cannot be read ({error.strerror}).") from None
    tensors = _parse(content, file.path)
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.card.sha256:
        raise WeightsError(
            f"{file.path} is not the file of its card: its sha256 begins with {digest[:8]}, the "
            f"card says {file.card.sha256[:8]}. Get both again, or train again."
        )
    state = _state(network)
    differences = _differences(state, tensors)
    if not differences and architecture_fingerprint(network) != file.card.architecture:
        differences = ["the card's fingerprint of the architecture"]
    if differences:
        more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
        raise WeightsError(
            f"{file.path} holds weights of another network: {', '.join(differences[:3])}{more}. "
            f"They were trained for the method {file.card.method}."
        )
    for name, one in tensors.items():
        if one.is_floating_point() and not one.isfinite().all():
            raise WeightsError(
                f"{file.path}: {name} holds NaN or infinity, so the training went astray; "
                "train again."
            )
    with torch.no_grad():
        for name, one in tensors.items():
            state[name].copy_(one)


def _state(network: nn.Module) -> dict[str, Tensor]:
    """What is kept on disk, by name."""
    return without_counters(network.state_dict())


def without_counters(tensors: Mapping[str, T]) -> dict[str, T]:
    """Tensors by name, without the counts of batches, which enter no output."""
    return {name: one for name, one in tensors.items() if name.rpartition(".")[2] != _COUNTER}


def _parse(content: bytes, path: Path) -> dict[str, Tensor]:
    import safetensors.torch

    # Beside its own error the library lets through what odd headers cause: KeyError for
    # a type that torch lacks, ValueError, RuntimeError and others for sizes.
    try:
        found = safetensors.torch.load(content)
    except Exception as error:
        # Only now: eight bytes of a valid file's length may look like a pickle's first.
        if _looks_pickled(content):
            raise pickled_error(path) from None
        raise WeightsError(
            f"{path} is truncated, damaged or no safetensors file ({error}); get it again, or "
            "train again."
        ) from None
    return without_counters(found)


def _looks_pickled(content: bytes) -> bool:
    zipped = content.startswith(b"PK\x03\x04")
    return zipped or (
        content[:1] == b"\x80" and content[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
    )


def _differences(state: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> list[str]:
    """In words, each tensor that the network has otherwise than the file."""
    found = []
    for name in sorted(state.keys() | tensors.keys()):
        ours, theirs = state.get(name), tensors.get(name)
        if ours is None:
            found.append(f"{name} is in the file only")
        elif theirs is None:
            found.append(f"{name} is not in the file")
        elif ours.shape != theirs.shape:
            found.append(f"{name} is {tuple(theirs.shape)}, not {tuple(ours.shape)}")
        elif ours.is_floating_point() != theirs.is_floating_point():
            found.append(f"{name} is {theirs.dtype}, not {ours.dtype}")
    return found
