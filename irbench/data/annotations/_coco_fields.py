"""The fields of COCO JSON, each checked, and the file itself."""

from __future__ import annotations

import json
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from irbench.data.annotations.labels import BoxLabels, Shape, check_box, check_side
from irbench.data.annotations.place import Place, check_number, check_score
from irbench.errors import AnnotationError
from irbench.json_fields import parse_json

ImageId = int | str

_BOM = b"\xef\xbb\xbf"
"""A byte order mark, which Windows tools write and JSON does not know."""


def read_json(path: Path | str, *, allow_nan: bool = False) -> Any:
    """Parse a JSON file strictly: NaN and infinity are no JSON.

    Parameters
    ----------
    path : path-like
    allow_nan : bool
        Whether they are read all the same, as Python writes them: so that whoever checks the
        numbers can say whose they are.

    Raises
    ------
    AnnotationError
        Naming the place, if it is cut off or no JSON.
    """
    try:
        data = Path(path).read_bytes().removeprefix(_BOM)
    except OSError as error:
        raise AnnotationError(f"cannot read the labels {path}: {error.strerror}.") from error
    try:
        return parse_json(data, allow_nan=allow_nan)
    except json.JSONDecodeError as error:
        place = Place(path, f"line {error.lineno}, column {error.colno}")
        raise place.invalid("complete JSON", error.msg) from error
    except ValueError as error:
        raise Place(path).invalid("JSON as COCO has it", str(error)) from error


class Collected:
    """The boxes of one image while a file is read."""

    def __init__(self) -> None:
        self.boxes: list[list[float]] = []
        self.classes: list[str] = []
        self.scores: list[float] = []
        self.crowd: list[bool] = []
        self.notes: set[str] = set()

    def add(self, box: list[float], name: str, score: float | None, *, crowd: bool = False) -> None:
        """Add one box."""
        self.boxes.append(box)
        self.classes.append(name)
        self.crowd.append(crowd)
        if score is not None:
            self.scores.append(score)

    def labels(self, scored: bool) -> BoxLabels:
        """All of them as arrays."""
        scores = self.scores if scored else None
        notes = sorted(self.notes)
        return BoxLabels.gather(self.boxes, self.classes, scores, self.crowd, notes)


@dataclass(frozen=True)
class Record:
    """One JSON object, and where it stands in the file."""

    item: dict[str, Any]
    place: Place

    def at(self, name: str) -> Place:
        """The place of one of its fields."""
        where = self.place.where
        return Place(self.place.path, f"{where}.{name}" if where else name)

    def field(self, name: str) -> Any:
        """A field that must be there."""
        if name not in self.item:
            raise self.place.invalid(f"the field '{name}'", list(self.item))
        return self.item[name]

    def identifier(
        self,
        name: str,
        *,
        among: Container[ImageId] | None = None,
        but_not: set[ImageId] | None = None,
    ) -> ImageId:
        """A whole number or a name: one that is known, or one that is new."""
        value = self.field(name)
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise self.at(name).invalid("a whole number or a name", value)
        if among is not None and value not in among:
            raise self.at(name).invalid("one that the file or the data set lists", value)
        if but_not is not None:
            if value in but_not:
                raise self.at(name).invalid("one that occurs once", value)
            but_not.add(value)
        return value

    def side(self, name: str) -> int:
        """A side of an image in pixels."""
        return check_side(self.field(name), self.at(name))

    def score(self) -> float:
        """The confidence."""
        return check_score(self.field("score"), self.at("score"))

    def box(self, shape: Shape | None, overhang: bool) -> list[float]:
        """``bbox`` as ``(x0, y0, x1, y1)``, checked against its image."""
        if "bbox" not in self.item and "segmentation" in self.item:
            got = "a segmentation alone; write its box too, as pycocotools.mask.toBbox gives it"
            raise self.place.invalid("the field 'bbox'", got)
        bbox, place = self.field("bbox"), self.at("bbox")
        if not isinstance(bbox, list) or len(bbox) != 4:
            raise place.invalid("[x, y, width, height]", bbox)
        x, y, w, h = (check_number(value, place) for value in bbox)
        return check_box((x, y, x + w, y + h), shape, place, overhang)


def records(content: Any, place: Place) -> list[Record]:
    """The objects of a list."""
    if not isinstance(content, list):
        raise place.invalid("a list", type(content).__name__)
    found = []
    for index, item in enumerate(content):
        entry = Place(place.path, f"{place.where}[{index}]")
        if not isinstance(item, dict):
            raise entry.invalid("an object", item)
        found.append(Record(item, entry))
    return found
