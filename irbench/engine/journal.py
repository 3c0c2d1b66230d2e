"""The journal of a method: one line per finished image, written as it comes.

Killing the process loses at most the images in work: a torn last line is cut off
when the journal is opened again.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import orjson

from irbench.detections import Detections
from irbench.engine.map_records import decode_map, encode_map
from irbench.engine.records import Entry, StageTimes
from irbench.errors import RunKeyError, WriteError
from irbench.regions import Regions


class Journal:
    """Append-only record of a method's finished images.

    Parameters
    ----------
    path : Path
    key : str
        Of the method's row; the first line of the file.

    Raises
    ------
    RunKeyError
        If the file holds the journal of another key.
    WriteError
        If it cannot be written.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.entries: dict[tuple[str, str], Entry] = {}
        good = self._read(key) if path.exists() else 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Not buffered: what a full disk does not take must not be tried again by close().
            self._file = path.open("ab", buffering=0)
            self._file.truncate(good)
        except OSError as error:
            raise WriteError(path, error) from error
        if good == 0:
            self._write({"key": key})

    def add(self, entry: Entry) -> None:
        """Record an image; it is on its way to the disk when this returns."""
        self._write(_encode(entry))
        self.entries[entry.split, entry.image] = entry

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, record: dict[str, Any]) -> None:
        line = memoryview(orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError as error:
            # Half a line at most stays behind, and is cut off when the run goes on.
            raise WriteError(self.path, error) from error

    def _read(self, key: str) -> int:
        """Take up the whole lines, and tell where they end."""
        good = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file):
                try:
                    record = orjson.loads(line) if line.endswith(b"\n") else None
                except orjson.JSONDecodeError:
                    record = None
                if record is None:
                    # A kill tears the last line only, so nothing of worth follows.
                    break
                if number == 0 and record.get("key") != key:
                    raise RunKeyError(f"{self.path} was written by another run; use another --out.")
                if number > 0:
                    entry = _decode(record)
                    self.entries[entry.split, entry.image] = entry
                good += len(line)
        return good


def _encode(entry: Entry) -> dict[str, Any]:
    times = entry.times
    record: dict[str, Any] = {
        "split": entry.split,
        "image": entry.image,
        "error": entry.error,
        "ms": None if times is None else [times.pre_ms, times.compute_ms, times.post_ms],
        "found": [_encode_found(extent, found) for extent, found in entry.found.items()],
    }
    if entry.map_statistics is not None:
        record["map"] = encode_map(entry.map_statistics)
    return record


def _encode_found(extent: float | None, found: Detections) -> dict[str, Any]:
    record: dict[str, Any] = {"extent": extent, "boxes": found.boxes, "scores": found.scores}
    if found.regions is not None:
        record["shape"] = found.regions.shape
        record["runs"] = found.regions.runs
        record["offsets"] = found.regions.offsets
    return record


def _decode(record: dict[str, Any]) -> Entry:
    found = {}
    for one in record["found"]:
        regions = None
        if "runs" in one:
            runs = np.asarray(one["runs"], dtype=np.int32).reshape(-1, 2)
            regions = Regions(runs, np.asarray(one["offsets"]), tuple(one["shape"]))
        boxes = np.asarray(one["boxes"], dtype=np.float32).reshape(-1, 4)
        scores = np.asarray(one["scores"], dtype=np.float32)
        found[one["extent"]] = Detections(boxes, scores, regions)
    times = None if record["ms"] is None else StageTimes(*record["ms"])
    measured = decode_map(record["map"]) if "map" in record else None
    return Entry(record["split"], record["image"], found, times, record["error"], measured)
