"""CVAT XML, "CVAT for images 1.1": one file of many images, each with its shapes.

The boxes follow :mod:`irbench.data.annotations.shapes`. Tracks ("CVAT for video") name frames by
numbers and no images; they are refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from irbench.data.annotations import shapes as drawn
from irbench.data.annotations._coco_fields import Collected, ImageId
from irbench.data.annotations.coco import CocoDataset, CocoImage
from irbench.data.annotations.labels import BoxLabels, Shape, check_side
from irbench.data.annotations.place import Place, parse_number
from irbench.data.annotations.voc import parse_xml
from irbench.errors import AnnotationError

_NO_SHAPES = ("tag", "attribute")
"""Elements of an image that mark no place in it."""

_MAX_MASK_PIXELS = 2**28


def is_cvat(path: Path) -> bool:
    """Whether a file is XML of CVAT: its root is ``<annotations>``."""
    try:
        with path.open("rb") as file:
            return b"<annotations" in file.read(4096)
    except OSError:
        return False


def read_cvat(path: Path | str) -> CocoDataset:
    """Read the labels of all images of a CVAT task.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    CocoDataset
        The first error of each image that has one is in its ``damaged``; what CVAT calls the
        subset of an image in its ``subsets``.

    Raises
    ------
    AnnotationError
        Naming the file: no XML, entities or external references, another root, tracks of a
        video, no image, or an image that is listed twice.
    """
    root = parse_xml(path)
    place = Place(path)
    if root.tag != "annotations":
        raise place.invalid("<annotations>, as CVAT writes it", f"<{root.tag}>")
    if root.find("track") is not None:
        got = "<track>, of CVAT for video; export the task as CVAT for images"
        raise place.invalid("<image> elements", got)
    images: list[CocoImage] = []
    labels: dict[ImageId, BoxLabels] = {}
    damaged: dict[ImageId, AnnotationError] = {}
    subsets: dict[ImageId, str] = {}
    names: set[str] = set()
    for number, element in enumerate(root.findall("image")):
        where = place.at(f"image {element.get('name') or number}")
        name = element.get("name", "")
        if not name or name in names:
            raise where.invalid("a name that occurs once", name)
        names.add(name)
        shape: Shape = (0, 0)
        collected = Collected()
        try:
            shape = (_side(element, "height", where), _side(element, "width", where))
            for index, child in enumerate(element):
                if child.tag not in _NO_SHAPES:
                    _add(collected, child, shape, where.at(f"{child.tag} {index + 1}"))
        except AnnotationError as error:
            damaged[number], collected = error, Collected()
        images.append(CocoImage(id=number, file_name=name, shape=shape))
        labels[number] = collected.labels(scored=False)
        subsets[number] = element.get("subset", "")
    if not images:
        raise place.invalid("<image> elements", [child.tag for child in root][:5])
    return CocoDataset(tuple(images), labels, damaged, subsets=subsets)


def _add(collected: Collected, element: Element, shape: Shape, place: Place) -> None:
    label = (element.get("label") or "").strip()
    if not label:
        raise place.invalid("an attribute label", sorted(element.attrib))
    if element.tag not in _READERS:
        expected = "a box, polygon, ellipse, points or mask"
        raise place.invalid(expected, f"<{element.tag}>, which means no box")
    turned = parse_number(element.get("rotation", "0"), place.at("rotation"))
    if turned % 360:
        raise place.invalid("an upright shape; turned boxes are not supported", f"{turned:g}°")
    for box in _READERS[element.tag](element, shape, place):
        collected.add(box, label, None)
    if element.tag == "points":
        collected.notes.add(drawn.POINTS)


def _box(element: Element, shape: Shape, place: Place) -> list[drawn.Box]:
    x0, y0, x1, y1 = (_number(element, name, place) for name in ("xtl", "ytl", "xbr", "ybr"))
    return [drawn.rectangle([[x0, y0], [x1, y1]], shape, place)]


def _polygon(element: Element, shape: Shape, place: Place) -> list[drawn.Box]:
    return [drawn.polygon(_points(element, place), shape, place)]


def _every_point(element: Element, shape: Shape, place: Place) -> list[drawn.Box]:
    return [drawn.point([one], shape, place) for one in _points(element, place)]


def _ellipse(element: Element, shape: Shape, place: Place) -> list[drawn.Box]:
    cx, cy, rx, ry = (_number(element, name, place) for name in ("cx", "cy", "rx", "ry"))
    return [drawn.ellipse((cx, cy), (rx, ry), shape, place)]


def _mask(element: Element, shape: Shape, place: Place) -> list[drawn.Box]:
    left, top = (_number(element, name, place) for name in ("left", "top"))
    width, height = (_side(element, name, place) for name in ("width", "height"))
    if width * height > _MAX_MASK_PIXELS:
        raise place.invalid(f"a mask of up to {_MAX_MASK_PIXELS} pixels", [height, width])
    pixels = _runs(element.get("rle", ""), height * width, place.at("rle"))
    return [drawn.mask(pixels.reshape(height, width), left, top, shape, place)]


def _runs(text: str, size: int, place: Place) -> NDArray[np.bool_]:
    """Pixels from lengths of runs, of background and of the mask in turn."""
    lengths = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 12 for part in lengths):
        raise place.invalid("lengths of runs with commas", text)
    counts = [int(part) for part in lengths]
    if sum(counts) != size:
        raise place.invalid(f"runs of {size} pixels in all", sum(counts))
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts)


_READERS: dict[str, Callable[[Element, Shape, Place], list[drawn.Box]]] = {
    "box": _box,
    "polygon": _polygon,
    "points": _every_point,
    "ellipse": _ellipse,
    "mask": _mask,
}


def _number(element: Element, name: str, place: Place) -> float:
    return parse_number(element.get(name, "").strip(), place.at(name))


def _side(element: Element, name: str, place: Place) -> int:
    return check_side(_number(element, name, place), place.at(name))


def _points(element: Element, place: Place) -> list[list[float]]:
    points = []
    for part in element.get("points", "").split(";"):
        numbers = part.split(",")
        if len(numbers) != 2:
            raise place.at("points").invalid("points 'x,y;x,y'", element.get("points", ""))
        points.append([parse_number(number.strip(), place.at("points")) for number in numbers])
    return points
