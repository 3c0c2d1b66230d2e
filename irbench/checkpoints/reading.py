"""Reading a checkpoint of any known format: its tensors by name."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irbench.checkpoints.inert_pickle import StandIn
from irbench.checkpoints.stored_tensor import StoredTensor
from irbench.checkpoints.torch_file import read_sequence, read_tar, read_zip
from irbench.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor

KEYS = ("state_dict", "net", "model", "model_state_dict", "network", "params", "weights")
"""Under which repositories keep a network beside other things, the likeliest first."""

_MOST_MODULES = 100_000
"""A network that refers to itself, or to its parts over and over, has no end."""

Stored = Any
"""A tensor of torch, or a :class:`StoredTensor`: both have a ``shape``."""


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a checkpoint, before they are held against a network.

    Attributes
    ----------
    tensors : mapping of str to object
        By their names in the file; each has a ``shape``. See :func:`load_tensor`.
    format : str
        What kind of file it is, for the card.
    sha256 : str
        Of the content that they were read from.
    """

    tensors: Mapping[str, Stored]
    format: str
    sha256: str


def read_checkpoint(path: Path | str) -> Checkpoint:
    """Read the tensors of a checkpoint; nothing in it is executed.

    Parameters
    ----------
    path : path-like
        A state dict, or a dictionary with one under a name of :data:`KEYS`, or a whole
        module, as ``torch.save`` of any version wrote it; ``.npz`` with an array for each
        tensor; safetensors. Known by content, whatever it is called.

    Raises
    ------
    WeightsError
        Naming the file; if it would execute something, is damaged, or holds no network.
    """
    path = Path(path).expanduser()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"the checkpoint {path} cannot be read ({error.strerror}).") from None
    try:
        tensors, form = _read(content)
    except WeightsError as error:
        raise WeightsError(f"the checkpoint {path}: {error}") from None
    # Directories, checksums and numbers of archives that are not what they should be.
    except (
        EOFError, KeyError, NotImplementedError, OSError, OverflowError, RecursionError,
        RuntimeError, TypeError, ValueError, tarfile.TarError, zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise WeightsError(
            f"the checkpoint {path}: it is truncated or damaged ({error}); get it again."
        ) from None
    return Checkpoint(tensors, form, hashlib.sha256(content).hexdigest())


def load_tensor(stored: Stored) -> Tensor:
    """The values of an entry of :attr:`Checkpoint.tensors`."""
    import torch

    if isinstance(stored, StoredTensor):
        return stored.load()
    assert isinstance(stored, torch.Tensor)
    return stored


def _read(content: bytes) -> tuple[dict[str, Stored], str]:
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if all(name.endswith(".npy") for name in archive.namelist()):
                return _read_arrays(content), "npz"
            found, form = read_zip(archive), "torch zip"
    elif content[8:9] == b"{":
        return _read_safetensors(content), "safetensors"
    elif content[257:262] == b"ustar" or content.startswith(b"sys_info\0"):
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            found, form = read_tar(archive), "torch tar"
    elif content.startswith(b"\x80"):
        found, form = read_sequence(content), "torch pickles"
    else:
        raise WeightsError("neither a checkpoint of torch, nor .npz, nor safetensors.")
    tensors, kind = _network_in(found)
    return tensors, f"{form}, {kind}"


def _read_arrays(content: bytes) -> dict[str, Stored]:
    import numpy as np
    import torch

    tensors = {}
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        for name in arrays.files:
            array = arrays[name]
            if array.dtype.kind not in "fiub":
                raise WeightsError(f"the array {name} holds {array.dtype}, not numbers.")
            native = array.astype(array.dtype.newbyteorder("="), copy=True)
            tensors[name] = torch.from_numpy(native)
    return tensors


def _read_safetensors(content: bytes) -> dict[str, Stored]:
    import safetensors.torch

    try:
        return dict(safetensors.torch.load(content))
    # The library's own error, and what odd headers cause in it.
    except Exception as error:
        raise WeightsError(f"it is truncated, damaged or no safetensors ({error}).") from None


def _network_in(content: Any) -> tuple[dict[str, Stored], str]:
    """The tensors of the one network in what was read, and as what they were found."""
    if (tensors := _as_network(content)) is not None:
        return tensors, "module" if isinstance(content, StandIn) else "state dict"
    entries = content if isinstance(content, dict) else {}
    found = {str(key): one for key, part in entries.items() if (one := _as_network(part))}
    key = next((key for key in KEYS if key in found), None)
    if key is None and len(found) == 1:
        (key,) = found
    if key is not None:
        return found[key], f"under {key!r}"
    held = ", ".join(map(str, found or entries)) or type(content).__name__
    many = "several networks" if found else "no tensors by name"
    raise WeightsError(f"it holds {many} (it has: {held[:200]}); save the one state dict alone.")


def _as_network(value: Any) -> dict[str, Stored] | None:
    """The tensors of a state dict or of a whole module; None for anything else."""
    if isinstance(value, StandIn):
        if value.entries:
            return _as_network(value.entries)
        tensors = dict(_tensors_of_module(value))
        return tensors or None
    if not isinstance(value, dict) or not value:
        return None
    # A count or a text of somebody's own may stand beside the tensors.
    tensors = {k: one for k, one in value.items() if isinstance(one, StoredTensor)}
    named = all(isinstance(key, str) for key in value)
    plain = not any(isinstance(one, dict | list | StandIn) for one in value.values())
    return tensors if tensors and named and plain else None


def _tensors_of_module(module: StandIn) -> Iterator[tuple[str, Stored]]:
    """Parameters and buffers of a pickled module, named as its state dict names them."""
    visited = 0
    waiting = [("", module)]
    while waiting:
        prefix, one = waiting.pop()
        visited += 1
        if visited > _MOST_MODULES or len(prefix) > _MOST_MODULES:
            raise WeightsError("the module in it has no end: damaged.")
        state = one.state if isinstance(one.state, dict) else {}
        for group in ("_parameters", "_buffers"):
            for name, value in _entries(state.get(group)):
                if isinstance(value, StoredTensor):
                    yield f"{prefix}{name}", value
        for name, value in _entries(state.get("_modules")):
            if isinstance(value, StandIn):
                waiting.append((f"{prefix}{name}.", value))


def _entries(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items()) if isinstance(value, dict) else []
