"""An image's record as a line of the journal: JSON, written where the image was processed.

Detections stand in it as the bytes of arrays, in base64: as decimal numbers, reading them
back was most of what storing them took.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from irbench.atomic import json_bytes
from irbench.detections.packed_detections import PackedDetections
from irbench.engine.storage.image_records import ImageRecord, RecordBlock, StageTimes
from irbench.engine.storage.map_statistics_file import decode_map, encode_map
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
