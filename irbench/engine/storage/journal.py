"""The journal of a method: one line per finished image, written as it comes.

Killing the process loses at most the images in work: a torn last line is cut off
when the journal is opened again. So is whatever follows the first line that is damaged
otherwise, or that an irbench of other lines wrote, and a last line that is; damage further
inside a line is an error when that line is asked for, since looking into all of them would
double the time of resuming.

A line is JSON, made where the image was processed. Detections stand in it as the bytes of
arrays, in base64: as decimal numbers, reading them back was most of what storing them took.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from irbench.atomic import json_bytes
from irbench.detections.packed_detections import PackedDetections
from irbench.engine.storage.file_checks import file_reader
from irbench.engine.storage.image_records import BLOCK_IMAGES, ImageRecord, RecordBlock, StageTimes
from irbench.engine.storage.map_record import decode_map, encode_map
from irbench.errors import RunKeyError, WriteError
from irbench.json_fields import is_number

_ARRAYS = {
    "offsets": ("<i4", ()),
    "boxes": ("<f4", (4,)),
    "scores": ("<f4", ()),
    "run_offsets": ("<i4", ()),
    "runs": ("<i4", (2,)),
    "shapes": ("<i4", (2,)),
}
"""Type of the numbers of each array, and shape of each of its elements."""


class Journal:
    """Append-only record of a method's finished images.

    In memory it keeps where each line begins, not what it holds.

    Parameters
    ----------
    path : Path
    key : str
        Of the method's row; the first line of the file.

    Attributes
    ----------
    errors : dict of (str, str) to str
        By split and image, why images failed.

    Raises
    ------
    RunKeyError
        If the file holds the journal of another key, or its first line is damaged.
    WriteError
        If it cannot be written.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.errors: dict[tuple[str, str], str] = {}
        self._starts: dict[str, dict[str, int]] = {}
        self._end = self._read(key) if path.exists() else 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Not buffered: what a full disk does not take must not be tried again by close().
            self._file = path.open("ab", buffering=0)
            self._file.truncate(self._end)
        except OSError as error:
            raise WriteError(path, error) from error
        if self._end == 0:
            self._write(encode_json({"key": key}))

    @property
    def entries(self) -> Mapping[tuple[str, str], ImageRecord]:
        """The finished images by split and id, each read from the file when it is asked for.

        Asking for a line that is damaged raises RunKeyError.
        """
        return _Entries(self, self._starts)

    def blocks(self, keys: Iterable[tuple[str, str]]) -> Iterator[RecordBlock]:
        """Many entries, some at a time, at a fraction of what they take one by one.

        Parameters
        ----------
        keys : iterable of (str, str)
            Split and id of finished images.

        Raises
        ------
        RunKeyError
            If one of their lines is damaged.
        """
        remaining = iter(keys)
        with self.path.open("rb") as file:
            while group := list(islice(remaining, BLOCK_IMAGES)):
                lines = []
                for split, image in group:
                    file.seek(self._starts[split][image])
                    lines.append(file.readline())
                yield _decode(self.path, lines)

    def check_extents(self, block: RecordBlock, extents: Collection[float | None]) -> None:
        """Refuse entries of good images that do not have the extents asked for.

        Raises
        ------
        RunKeyError
        """
        wanted = set(extents)
        for index, (found, error) in enumerate(zip(block.extents, block.errors, strict=True)):
            if not error and set(found) != wanted:
                raise RunKeyError(
                    f"{self.path} is damaged: the line of {block.images[index]} "
                    f"({block.splits[index]}) has the extents {list(found)}, expected "
                    f"{list(extents)}. Remove the file, and repeat the command that made it."
                )

    def add(self, entry: ImageRecord) -> None:
        """Record an image; it is on its way to the disk when this returns."""
        self.add_line(entry.split, entry.image, encode_line(entry), entry.error)

    def add_line(self, split: str, image: str, line: bytes, error: str = "") -> None:
        """Record an image whose line was made already; see :meth:`add`."""
        start = self._end
        self._write(line)
        self._index(split, image, start, error)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            # Half a line at most stays behind, and is cut off when the run resumes.
            raise WriteError(self.path, error) from error
        self._end += len(line)

    def _index(self, split: str, image: str, start: int, error: str) -> None:
        self._starts.setdefault(split, {})[image] = start
        if error:
            self.errors[split, image] = error
        else:
            self.errors.pop((split, image), None)

    def _read(self, key: str) -> int:
        """Take up the whole lines, and find where they end."""
        with self.path.open("rb") as file:
            first = file.readline()
            if not first.endswith(b"\n"):
                return 0
            self._check_key(first, key)
            end, last, last_head = len(first), b"", None
            for line in file:
                head = line_head(line)
                if head is None:
                    # A kill tears the last line only, so nothing of worth follows.
                    break
                if last_head is not None:
                    self._index(*last_head[:2], end - len(last), last_head[2])
                last, last_head = line, head
                end += len(line)
        if last_head is None:
            return end
        try:
            _decode(self.path, [last])
        except RunKeyError:
            return end - len(last)
        self._index(*last_head[:2], end - len(last), last_head[2])
        return end

    def _check_key(self, line: bytes, key: str) -> None:
        try:
            found = orjson.loads(line)["key"]
        except (orjson.JSONDecodeError, LookupError, TypeError):
            found = None
        if not isinstance(found, str):
            raise RunKeyError(
                f"{self.path} is damaged: its first line does not state which run it belongs to. "
                "Remove the file, and repeat the command that made it."
            )
        if found != key:
            raise RunKeyError(f"{self.path} was written by another run; use another --out.")


@file_reader
def _decode(path: Path, lines: list[bytes]) -> RecordBlock:
    return decode_lines(lines)


class _Entries(Mapping[tuple[str, str], ImageRecord]):
    """The entries of a journal, read when asked for."""

    def __init__(self, journal: Journal, starts: dict[str, dict[str, int]]) -> None:
        self._journal, self._starts = journal, starts

    def __getitem__(self, key: tuple[str, str]) -> ImageRecord:
        return next(self._journal.blocks([key])).entry(0)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and key[1] in self._starts.get(key[0], {})

    def __iter__(self) -> Iterator[tuple[str, str]]:
        starts = (
            (start, (split, image))
            for split, images in self._starts.items()
            for image, start in images.items()
        )
        return (key for _, key in sorted(starts))

    def __len__(self) -> int:
        return sum(map(len, self._starts.values()))


def encode_line(entry: ImageRecord) -> bytes:
    """One line, its end included."""
    times = entry.times
    packed = PackedDetections.of(entry.found.values())
    record: dict[str, Any] = {
        "split": entry.split,
        "image": entry.image,
        "error": entry.error,
        "ms": None if times is None else [times.pre_ms, times.compute_ms, times.post_ms],
        "extents": list(entry.found),
        "found": {
            name: b64encode(getattr(packed, name).astype(kind).tobytes()).decode()
            for name, (kind, _) in _ARRAYS.items()
        },
    }
    if entry.map_statistics is not None:
        record["map"] = encode_map(entry.map_statistics)
    return encode_json(record)


def encode_json(record: dict[str, Any]) -> bytes:
    """A record as one line."""
    return json_bytes(record, orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)


def line_head(line: bytes) -> tuple[str, str, str] | None:
    """Split, image and error of a line; None for one that is torn, or no such line.

    What was found is not looked into: :func:`decode_lines` does that.
    """
    if not line.endswith(b"\n"):
        return None
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(record, dict) or not record.keys() >= {"ms", "extents", "found"}:
        return None
    split, image, error = (record.get(name) for name in ("split", "image", "error"))
    if isinstance(split, str) and isinstance(image, str) and isinstance(error, str):
        return split, image, error
    return None


def decode_lines(lines: Sequence[bytes]) -> RecordBlock:
    """What :func:`encode_line` made lines of.

    Raises
    ------
    LookupError, ValueError
        For a line that is damaged.
    """
    block = RecordBlock.concatenate([_decode_line(line) for line in lines])
    # What no line alone shows; for all of them at once, since it costs as much as for one.
    block.found.check()
    return block


def _decode_line(line: bytes) -> RecordBlock:
    record = orjson.loads(line)
    if not isinstance(record, dict):
        raise ValueError(f"the line must be an object, got {str(record)[:40]}")
    times = None
    if record["ms"] is not None:
        times = StageTimes(*(_number("ms", value) for value in _list("ms", record["ms"], 3)))
    measured = decode_map(record["map"]) if "map" in record else None
    listed = _list("extents", record["extents"])
    extents = tuple(None if one is None else _number("extent", one) for one in listed)
    found = _decode_found(record["found"])
    # Joined with other lines, this would go unseen.
    found.check_sizes()
    if len(extents) != len(found) or len(set(extents)) != len(extents):
        raise ValueError(f"there must be {len(found)} different extents, got {extents}")
    return RecordBlock(
        [record["split"]], [record["image"]], [extents], found,
        [times], [record["error"]], [measured],
    )  # fmt: skip


def _decode_found(record: Mapping[str, str]) -> PackedDetections:
    if not isinstance(record, dict) or not all(isinstance(v, str) for v in record.values()):
        raise ValueError(f"found must be texts by name, got {str(record)[:40]}")
    arrays: dict[str, NDArray[Any]] = {
        name: np.frombuffer(b64decode(record[name], validate=True), kind).reshape(-1, *shape)
        for name, (kind, shape) in _ARRAYS.items()
    }
    for name in ("offsets", "run_offsets"):
        arrays[name] = arrays[name].astype(np.int64)
    return PackedDetections(**arrays)


def _list(name: str, value: Any, length: int | None = None) -> list[Any]:
    if not isinstance(value, list) or length not in (None, len(value)):
        expected = "a list" if length is None else f"a list of {length}"
        raise ValueError(f"{name} must be {expected}, got {str(value)[:40]}")
    return value


def _number(name: str, value: Any) -> float:
    if not is_number(value):
        raise ValueError(f"{name} must be a finite number, got {str(value)[:40]}")
    return float(value)
