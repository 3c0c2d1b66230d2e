"""Label formats that irbench does not read, found by their content, so that an error names them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from irbench.data.annotations._coco_fields import read_json
from irbench.errors import AnnotationError
from irbench.sequences.containers import CONTAINERS

_N_LOOKED_AT = 20
"""So many files of an ending are looked at."""

_START_BYTES = 65536

_PICTURES = "write one 8- or 16-bit grey PNG or TIFF of each, its values unchanged"
_ARRAYS = (
    "write one 8- or 16-bit grey PNG or TIFF of each image and mask, as opencv's imwrite does; "
    "a stack of frames with its masks is for --dataset sequence"
)
_UNREAD = {
    **dict.fromkeys((".pgm", ".ppm", ".pnm", ".pfm", ".jp2", ".j2k", ".jxl", ".jls"), _PICTURES),
    **dict.fromkeys((".webp", ".gif", ".avif", ".fits", ".fit", ".fts", ".img"), _PICTURES),
    **dict.fromkeys((".dcm", ".exr", ".jfif"), _PICTURES),
    **dict.fromkeys((".npy", ".npz", ".mat", ".h5", ".hdf5", ".pt", ".pkl"), _ARRAYS),
    **{ending: f"it is {what}" for ending, what in CONTAINERS.items()},
}
"""Endings of files that may hold images or masks and are not read, and what makes some that are."""


def foreign_formats(paths: Iterable[Path]) -> str:
    """A sentence that names the first format that is known, and not read; empty if none is."""
    looked_at: dict[str, int] = {}
    for path in paths:
        ending = path.suffix.lower()
        looked_at[ending] = looked_at.get(ending, 0) + 1
        if looked_at[ending] > _N_LOOKED_AT or ending not in _TELL:
            continue
        name = _TELL[ending](path)
        if name:
            return (
                f"these look like {name} ({path.name}), which irbench does not read; export them "
                "as masks, COCO, YOLO boxes, PASCAL VOC, labelme or CVAT for images."
            )
    return ""


def unread_pictures(paths: Iterable[Path]) -> str:
    """Sentences on the files that may be images or masks in formats that are not read."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        if path.suffix.lower() in _UNREAD:
            found.setdefault(path.suffix.lower(), []).append(path)
    return "".join(
        f" {len(some)} {ending} files such as {some[0].name} are not read: {_UNREAD[ending]}."
        for ending, some in found.items()
    )


def _of_json(path: Path) -> str:
    try:
        content = read_json(path, allow_nan=True)
    except AnnotationError:
        return ""
    if isinstance(content, list):
        first = content[0] if content else None
        return _of_list(first) if isinstance(first, dict) else ""
    return _of_object(content) if isinstance(content, dict) else ""


def _of_list(first: dict[str, Any]) -> str:
    keys = first.keys()
    if "data" in keys and keys & {"annotations", "completions", "predictions"}:
        return "Label Studio exports"
    if "image" in keys and keys & {"label", "annotator", "annotation_id", "bbox"}:
        return "Label Studio exports (JSON-MIN)"
    if "image" in keys and "annotations" in keys:
        return "CreateML annotations"
    if "name" in keys and "labels" in keys:
        return "BDD100K or Scalabel labels"
    if keys & {"Labeled Data", "data_row"}:
        return "Labelbox exports"
    return ""


def _of_object(content: dict[str, Any]) -> str:
    keys = content.keys()
    if any(str(key).startswith("_via_") for key in keys):
        return "VGG Image Annotator (VIA) projects"
    values = [value for value in content.values() if isinstance(value, dict)]
    if any({"filename", "regions"} <= value.keys() for value in values[:5]):
        return "VGG Image Annotator (VIA) annotations"
    if "objects" in keys and ("size" in keys or "tags" in keys):
        return "Supervisely annotations"
    if "classes" in keys and {"tags", "projectType"} & keys:
        return "Supervisely projects (meta.json)"
    if "item" in keys and "annotations" in keys:
        return "Darwin (V7) annotations"
    if {"categories", "items"} <= keys:
        return "Datumaro annotations"
    if "assets" in keys or ("asset" in keys and "regions" in keys):
        return "VoTT projects"
    if "data" in keys and keys & {"annotations", "completions"}:
        return "Label Studio exports"
    if keys & {"Labeled Data", "data_row"}:
        return "Labelbox exports"
    return ""


def _of_xml(path: Path) -> str:
    text = _start(path)
    if re.search(r"<annotations[\s>]", text) and "<track" in text:
        return "CVAT for video annotations (tracks)"
    if re.search(r"<dataset[\s>]", text) and "<box top=" in text:
        return "dlib (imglab) annotations"
    return ""


def _of_csv(path: Path) -> str:
    head = _start(path).split("\n", 1)[0].casefold()
    if "region_shape_attributes" in head:
        return "VGG Image Annotator (VIA) annotations"
    if "xmin" in head or "x_min" in head or "bbox" in head:
        return "boxes in a table (CSV)"
    return ""


def _of_text(path: Path) -> str:
    lines = [line.split() for line in _start(path).splitlines()[:20] if line.strip()]
    if not lines:
        return ""
    if lines[0][0].startswith("imagesource:") or all(len(line) in (9, 10) for line in lines):
        if all(_is_number(field) for field in lines[-1]):
            return "YOLO OBB labels (turned boxes)"
        return "DOTA labels (turned boxes)"
    if all(len(line) in (15, 16) and not _is_number(line[0]) for line in lines):
        return "KITTI labels"
    fields = [line[0].split(",") for line in lines if len(line) == 1]
    if len(fields) == len(lines) and all(len(one) >= 7 for one in fields):
        return "MOT tracks"
    return ""


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) is not None


def _start(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_START_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return ""


_TELL = {".json": _of_json, ".xml": _of_xml, ".csv": _of_csv, ".txt": _of_text}
