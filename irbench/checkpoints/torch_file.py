"""The three containers that torch has written checkpoints in, read without torch.

Since 1.6 a zip archive with a pickle and one entry a storage; before, pickles in a row
with the storages behind them; before 0.1.10, a tar archive.
"""

from __future__ import annotations

import struct
import tarfile
import zipfile
from typing import Any

from irbench.checkpoints.inert_pickle import read_pickle
from irbench.checkpoints.stored_tensor import Storage, StorageType, StoredTensor
from irbench.errors import WeightsError

_MAGIC = 0x1950A86A20F9469CFC6C
"""The first pickle of the second container."""

_PROTOCOL = 1001


def read_zip(archive: zipfile.ZipFile) -> Any:
    """The content of a zip archive of torch.

    Parameters
    ----------
    archive : zipfile.ZipFile

    Returns
    -------
    object
        See :func:`irbench.checkpoints.inert_pickle.read_pickle`.

    Raises
    ------
    WeightsError
    """
    names = archive.namelist()
    found = [name for name in names if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(found) != 1:
        raise WeightsError("the archive holds no checkpoint of torch (no data.pkl).")
    folder = found[0].partition("/")[0]
    if any(name.startswith(f"{folder}/code/") for name in names):
        raise WeightsError("it is a TorchScript program, not weights: ask for the state dict.")
    # As torch writes them; a compressed entry could be as large as it likes.
    if any(one.compress_type != zipfile.ZIP_STORED for one in archive.infolist()):
        raise WeightsError("its entries are compressed, which torch never does: refused.")
    if f"{folder}/byteorder" in names and archive.read(f"{folder}/byteorder") != b"little":
        raise WeightsError("it was written on a big-endian machine; save it again on another.")
    storages: dict[str, Storage] = {}

    def persistent(pid: Any) -> Storage:
        kind, key, n_elements = _storage_fields(pid)
        if key not in storages:
            storages[key] = Storage(kind, n_elements)
            storages[key].fill(archive.read(f"{folder}/data/{key}"))
        return storages[key]

    return read_pickle(archive.read(found[0]), 0, persistent)[0]


def read_sequence(content: bytes) -> Any:
    """The content of pickles in a row with the storages behind them; see :func:`read_zip`."""
    magic, at = read_pickle(content)
    if magic != _MAGIC:
        raise WeightsError("it is a pickle, but no checkpoint of torch.")
    protocol, at = read_pickle(content, at)
    if protocol != _PROTOCOL:
        raise WeightsError(f"it has the protocol {protocol!r}, torch wrote {_PROTOCOL} only.")
    machine, at = read_pickle(content, at)
    if not isinstance(machine, dict) or not machine.get("little_endian", True):
        raise WeightsError("it was written on a big-endian machine; save it again on another.")
    storages: dict[str, Storage] = {}

    def persistent(pid: Any) -> Any:
        if isinstance(pid, tuple) and len(pid) > 1 and _text(pid[0]) == "module":
            # With its source text behind it, which nobody runs.
            return pid[1]
        kind, key, n_elements = _storage_fields(pid)
        stored = storages.setdefault(key, Storage(kind, n_elements))
        if len(pid) > 5 and pid[5] is not None:
            _, offset, size = pid[5]
            return stored.part(offset, size)
        return stored

    value, at = read_pickle(content, at, persistent)
    keys, at = read_pickle(content, at)
    if not isinstance(keys, list):
        raise WeightsError("the list of its storages is none: damaged; get it again.")
    for key in map(_text, keys):
        if key not in storages:
            raise WeightsError(f"it holds a storage {key!r} that nothing refers to: damaged.")
        at = _fill(storages[key], content, at)
    return value


def read_tar(archive: tarfile.TarFile) -> Any:
    """The content of a tar archive of torch; see :func:`read_zip`."""
    storages = _tar_storages(_member(archive, "storages"))
    tensors = _tar_tensors(_member(archive, "tensors"), storages)

    def persistent(pid: Any) -> Any:
        if isinstance(pid, tuple):
            return pid[0]
        return _known(tensors, pid)

    return read_pickle(_member(archive, "pickle"), 0, persistent)[0]


def _tar_storages(content: bytes) -> dict[Any, Storage]:
    count, at = read_pickle(content)
    storages: dict[Any, Storage] = {}
    for _ in range(_count(count)):
        described, at = read_pickle(content, at)
        key, _, kind = described
        storages[key] = Storage(_kind(kind), _elements(content, at))
        at = _fill(storages[key], content, at)
    views, at = read_pickle(content, at)
    for target, root, offset, size in views:
        storages[target] = _known(storages, root).part(offset, size)
    return storages


def _tar_tensors(content: bytes, storages: dict[Any, Storage]) -> dict[Any, StoredTensor]:
    count, at = read_pickle(content)
    tensors: dict[Any, StoredTensor] = {}
    for _ in range(_count(count)):
        (key, storage, _), at = read_pickle(content, at)
        (n_axes,) = _unpack(content, at, "<i")
        # Four bytes follow that say nothing; then sizes, strides, and the offset.
        numbers = _unpack(content, at + 8, f"<{2 * _count(n_axes) + 1}q")
        at += 8 + 8 * len(numbers)
        shape, strides = numbers[:n_axes], numbers[n_axes:-1]
        tensors[key] = StoredTensor(_known(storages, storage), numbers[-1], shape, strides)
    return tensors


def _storage_fields(pid: Any) -> tuple[StorageType, str, int]:
    """Type, key and number of elements of a storage that a pickle refers to."""
    if not isinstance(pid, tuple) or len(pid) < 5 or _text(pid[0]) != "storage":
        raise WeightsError("it refers to something that is no storage: no checkpoint of torch.")
    return _kind(pid[1]), _text(pid[2]), _count(pid[4])


def _kind(value: Any) -> StorageType:
    if not isinstance(value, StorageType):
        name = getattr(value, "__name__", type(value).__name__)
        raise WeightsError(f"it holds a storage of type {name}, which is not read here.")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**48:
        raise WeightsError(f"a number in it should be a count, not {value!r}: damaged.")
    return value


def _text(value: Any) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


def _known(entries: dict[Any, Any], key: Any) -> Any:
    if key not in entries:
        raise WeightsError(f"it refers to {key!r}, which it does not hold: damaged.")
    return entries[key]


def _elements(content: bytes, at: int) -> int:
    (n_elements,) = _unpack(content, at, "<q")
    return _count(n_elements)


def _fill(storage: Storage, content: bytes, at: int) -> int:
    """Give a storage its bytes, which follow their number; where the next thing begins."""
    n_elements = _elements(content, at)
    end = at + 8 + n_elements * storage.kind.n_bytes
    storage.fill(content[at + 8 : end])
    return end


def _unpack(content: bytes, at: int, form: str) -> tuple[Any, ...]:
    if at + struct.calcsize(form) > len(content):
        raise WeightsError("it ends in the middle: truncated; get it again.")
    return struct.unpack_from(form, content, at)


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    try:
        stream = archive.extractfile(name)
    except KeyError:
        stream = None
    if stream is None:
        raise WeightsError(f"the archive holds no checkpoint of torch (no {name}).")
    return stream.read()
