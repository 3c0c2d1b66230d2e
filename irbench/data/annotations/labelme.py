"""labelme JSON: one file an image, one entry of ``shapes`` a part of a target.

The boxes follow :mod:`irbench.data.annotations.shapes`. Shapes of one label and one ``group_id``
are parts of one target, as labelme's own converters have it. X-AnyLabeling writes the same
format, rectangles by four corners; its turned boxes are refused.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.data.annotations import shapes as drawn
from irbench.data.annotations._coco_fields import Record, read_json, records
from irbench.data.annotations.labels import BoxLabels, Shape, check_stated_shape
from irbench.data.annotations.place import Place
from irbench.images.files import decode_stored

_MAX_MASK_BYTES = 64_000_000
"""A mask in text larger than this is no part of an image of a labelling tool."""

_REFUSED = {
    "rotation": "a turned box, as X-AnyLabeling writes it; export it as polygon or rectangle",
    "cuboid": "a cuboid",
    "line": "a line, which has no area",
    "linestrip": "a line strip, which has no area",
    "points": "the points of a prompt",
}


def is_labelme(content: Any) -> bool:
    """Whether parsed JSON is of labelme: an object with a list of shapes."""
    return isinstance(content, Mapping) and isinstance(content.get("shapes"), list)


def read_labelme(path: Path | str, shape: Shape | None = None) -> BoxLabels:
    """Read the labels of one image.

    Parameters
    ----------
    path : path-like
    shape : (int, int), optional
        Height and width of the image, which ``imageHeight`` and ``imageWidth`` must repeat
        where the file has them. By default those of the file.

    Raises
    ------
    AnnotationError
        Naming the file and the shape: no JSON, missing fields, numbers that are none, a shape
        that means no box, one outside of the image, or another size than the image's.
    """
    content = read_json(path)
    whole = Place(path)
    if not is_labelme(content):
        raise whole.invalid("labelme JSON, an object with 'shapes'", type(content).__name__)
    shape = _size(Record(content, whole), shape)
    parts: dict[tuple[str, Any], list[drawn.Box]] = {}
    n_points = 0
    for index, record in enumerate(records(content["shapes"], Place(path, "shapes"))):
        label = record.field("label")
        if not isinstance(label, str) or not label:
            raise record.at("label").invalid("a text", label)
        group = record.item.get("group_id")
        if group is not None and (isinstance(group, bool) or not isinstance(group, int | str)):
            raise record.at("group_id").invalid("a number or null", group)
        n_points += record.item.get("shape_type") == "point"
        # A shape without a group is a target of its own.
        owner = (label, ("shape", index) if group is None else ("group", group))
        parts.setdefault(owner, []).append(_box(record, shape))
    boxes = [drawn.joined(some) for some in parts.values()]
    classes = [label for label, _ in parts]
    notes = (drawn.POINTS,) if n_points else ()
    return BoxLabels.gather(boxes, classes, notes=notes)


def _size(whole: Record, shape: Shape | None) -> Shape | None:
    names = ("imageHeight", "imageWidth")
    if any(whole.item.get(name) is None for name in names):
        return shape
    stated = (whole.side(names[0]), whole.side(names[1]))
    return check_stated_shape(stated, shape, whole.at("imageHeight"))


def _box(record: Record, shape: Shape | None) -> drawn.Box:
    kind = record.item.get("shape_type") or "polygon"
    place = record.at("points")
    if kind == "mask":
        (left, top), *_ = drawn.pairs(record.field("points"), place) or [[0.0, 0.0]]
        pixels = _mask(record.field("mask"), record.at("mask"))
        return drawn.mask(pixels, left, top, shape, record.at("mask"))
    readers = {
        "rectangle": drawn.rectangle,
        "polygon": drawn.polygon,
        "circle": drawn.circle,
        "point": drawn.point,
    }
    if not isinstance(kind, str) or kind not in readers:
        known = _REFUSED.get(kind, kind) if isinstance(kind, str) else kind
        expected = "a rectangle, polygon, circle, point or mask"
        raise record.at("shape_type").invalid(expected, known)
    return readers[kind](drawn.pairs(record.field("points"), place), shape, place)


def _mask(text: Any, place: Place) -> NDArray[np.bool_]:
    if not isinstance(text, str) or len(text) > _MAX_MASK_BYTES:
        raise place.invalid("a PNG in base64", type(text).__name__)
    try:
        data = base64.b64decode(text, validate=True)
        values = decode_stored(Path(place.path), data).values
    except (binascii.Error, ValueError) as error:
        # An ImageError is a ValueError too.
        raise place.invalid("a PNG in base64", str(error)) from error
    pixels: NDArray[np.bool_] = values.reshape(*values.shape[:2], -1)[..., 0] > 0
    return pixels
