"""An image's record as a line of the journal: JSON, written where the image was processed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import orjson

from irbench.detections import Detections
from irbench.engine.map_records import decode_map, encode_map
from irbench.engine.records import Entry, StageTimes
from irbench.regions import Regions


def encode_line(entry: Entry) -> bytes:
    """One line, its end included."""
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
    return encode_json(record)


def encode_json(record: dict[str, Any]) -> bytes:
    """A record as one line."""
    return orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)


def line_head(line: bytes) -> tuple[str, str, str] | None:
    """Split, image and error of a line; None for one that is torn, or no such line.

    What was found is not looked into: :func:`decode_line` does that, at many times the cost.
    """
    if not line.endswith(b"\n"):
        return None
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(record, dict) or not record.keys() >= {"ms", "found"}:
        return None
    split, image, error = (record.get(name) for name in ("split", "image", "error"))
    if isinstance(split, str) and isinstance(image, str) and isinstance(error, str):
        return split, image, error
    return None


def decode_line(line: bytes) -> Entry:
    """What :func:`encode_line` made a line of.

    Raises
    ------
    LookupError, TypeError, ValueError, ArithmeticError
        For a line that is damaged.
    """
    record = orjson.loads(line)
    # What a damaged line makes of a number ends in an error below, and in no warning.
    with np.errstate(all="ignore"):
        found = {_extent(one["extent"]): _decode_found(one) for one in record["found"]}
    times = None
    if record["ms"] is not None:
        times = StageTimes(*(_number("ms", value) for value in record["ms"]))
    measured = decode_map(record["map"]) if "map" in record else None
    return Entry(record["split"], record["image"], found, times, record["error"], measured)


def _decode_found(record: dict[str, Any]) -> Detections:
    regions = None
    if "runs" in record:
        height, width = record["shape"]
        if not (type(height) is type(width) is int and 0 < height * width < 2**31):
            raise ValueError(f"shape must be a height and a width, got {record['shape']}")
        runs = np.asarray(record["runs"], dtype=np.int32).reshape(-1, 2)
        regions = Regions(runs, np.asarray(record["offsets"], dtype=np.int64), (height, width))
    boxes = np.asarray(record["boxes"], dtype=np.float32).reshape(-1, 4)
    return Detections(boxes, np.asarray(record["scores"], dtype=np.float32), regions)


def _extent(value: Any) -> float | None:
    return None if value is None else _number("extent", value)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {str(value)[:40]}")
    return float(value)


def _encode_found(extent: float | None, found: Detections) -> dict[str, Any]:
    record: dict[str, Any] = {"extent": extent, "boxes": found.boxes, "scores": found.scores}
    if found.regions is not None:
        record["shape"] = found.regions.shape
        record["runs"] = found.regions.runs
        record["offsets"] = found.regions.offsets
    return record
