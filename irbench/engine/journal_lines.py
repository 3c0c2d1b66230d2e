"""An image's record as a line of the journal: JSON, written where the image was processed."""

from __future__ import annotations

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


def decode_line(line: bytes) -> Entry:
    """What :func:`encode_line` made a line of."""
    record = orjson.loads(line)
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


def _encode_found(extent: float | None, found: Detections) -> dict[str, Any]:
    record: dict[str, Any] = {"extent": extent, "boxes": found.boxes, "scores": found.scores}
    if found.regions is not None:
        record["shape"] = found.regions.shape
        record["runs"] = found.regions.runs
        record["offsets"] = found.regions.offsets
    return record
