"""COCO JSON: a data set (images, annotations, categories) or a list of detections.

A ``bbox`` is ``[x, y, width, height]`` in pixels from the top left corner of the
first pixel, so ``x0 = x`` and ``x1 = x + width``. Written annotation ids start
from 1, since COCO's evaluator silently takes a match with id 0 for none; on
reading id 0 is as good as any.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from irbench.data.annotations._coco_fields import Collected, ImageId, Record, read_json, records
from irbench.data.annotations.box_order import coco_contradiction
from irbench.data.annotations.labels import BoxLabels, Shape
from irbench.data.annotations.place import Place
from irbench.errors import AnnotationError

DRAWN_MASKS = (
    "all labels of their COCO file are crowds, as CVAT and Datumaro export drawn masks, and count "
    "as targets"
)
"""A note of the images of a file without a single target that is no crowd."""

REPEATED_IDS = (
    "labels whose id another label of their COCO file has: each is read as it stands, where "
    "pycocotools takes the last one for all of them"
)
"""A note of the images of such labels."""


@dataclass(frozen=True, kw_only=True)
class CocoImage:
    """One entry of ``images``.

    Attributes
    ----------
    id : int or str
    file_name : str
        Relative to the folder of the images.
    shape : (int, int)
        Height and width in pixels; ``(0, 0)`` where the file has none of an image without labels.
    """

    id: ImageId
    file_name: str
    shape: Shape


@dataclass(frozen=True)
class CocoDataset:
    """What a COCO data set says of its images.

    Attributes
    ----------
    images : tuple of CocoImage
        In the order of the file.
    labels : mapping of image id to BoxLabels
        For every image; those without annotations have no box.
    """

    images: tuple[CocoImage, ...]
    labels: Mapping[ImageId, BoxLabels]
    damaged: Mapping[ImageId, AnnotationError] = field(default_factory=dict)
    """The first error of each image that has one, where they were asked for."""
    categories: Mapping[ImageId, str] = field(default_factory=dict)
    """Names of the categories by their ids."""
    subsets: Mapping[ImageId, str] = field(default_factory=dict)
    """What the file calls the split of an image, where it does."""


def read_coco(path: Path | str) -> CocoDataset:
    """Read a COCO data set.

    Returns
    -------
    CocoDataset
        ``scores`` are set where every annotation of the file has one.

    Raises
    ------
    AnnotationError
        Naming the file and the field: truncated JSON, missing fields, ids that
        occur twice, an annotation of an unknown image or category, a box that is
        not four finite numbers, empty, or outside of its image.
    """
    return parse_coco(read_json(path), path)


def parse_coco(
    content: Any, path: Path | str, *, overhang: bool = False, tolerant: bool = False
) -> CocoDataset:
    """Read a COCO data set from the parsed JSON of ``path``; see :func:`read_coco`.

    Parameters
    ----------
    content : object
    path : path-like
        For errors.
    overhang : bool
        Whether boxes may reach far out of their image, as detections do. Otherwise
        up to half a pixel is rounding and clipped, more is an error.
    tolerant : bool
        Whether a damaged record of one image is kept in ``damaged`` and not raised. What
        belongs to no image that is listed is raised all the same. The shape of an image
        whose own record is damaged is ``(0, 0)``.
    """
    if not isinstance(content, dict):
        expected = "an object with 'images' and 'annotations'"
        raise Place(path).invalid(expected, type(content).__name__)
    whole = Record(content, Place(path))
    damaged: dict[ImageId, AnnotationError] | None = {} if tolerant else None
    names = _categories(content, path)
    annotations = records(whole.field("annotations"), Place(path, "annotations"))
    images = _images(whole, annotations, damaged)
    scored = any("score" in annotation.item for annotation in annotations)
    shapes = {image.id: image.shape for image in images}
    _check_order(annotations, shapes, path)
    drawn_masks = not overhang and _are_drawn_masks(annotations)
    found: dict[ImageId, Collected] = {image.id: Collected() for image in images}
    seen: set[ImageId] = set()
    for annotation in annotations:
        image_id = annotation.identifier("image_id", among=shapes)
        # Some tools number no annotations, and nothing here asks for the numbers.
        if "id" in annotation.item:
            number = annotation.identifier("id")
            if number in seen:
                found[image_id].notes.add(REPEATED_IDS)
            seen.add(number)
        try:
            category = annotation.identifier("category_id", among=names or None)
            crowd = annotation.item.get("iscrowd", 0)
            if crowd not in (0, 1):
                raise annotation.at("iscrowd").invalid("0, a single target, or 1, a crowd", crowd)
            if crowd and overhang:
                raise annotation.at("iscrowd").invalid("0, as detections are no crowds", crowd)
            box = annotation.box(shapes[image_id] if min(shapes[image_id]) else None, overhang)
            score = annotation.score() if scored else None
        except AnnotationError as error:
            if damaged is None:
                raise
            damaged.setdefault(image_id, error)
            continue
        class_name = names.get(category) or str(category)
        found[image_id].add(box, class_name, score, crowd=bool(crowd) and not drawn_masks)
        if drawn_masks:
            found[image_id].notes.add(DRAWN_MASKS)
    for name in damaged or ():
        found[name] = Collected()
    labels = {name: boxes.labels(scored) for name, boxes in found.items()}
    return CocoDataset(images, labels, damaged or {}, names)


def _are_drawn_masks(annotations: Sequence[Record]) -> bool:
    """Whether every annotation is a crowd with a mask.

    COCO keeps run lengths for crowds, so that tools which keep drawn masks as run lengths call
    each of them a crowd. A data set of crowds alone would have no target.
    """
    return bool(annotations) and all(
        one.item.get("iscrowd") == 1 and isinstance(one.item.get("segmentation"), dict)
        for one in annotations
    )


def _check_order(
    annotations: Sequence[Record], shapes: Mapping[ImageId, Shape], path: Path | str
) -> None:
    """Refuse boxes that are all corners, or all fractions."""
    rows = []
    for annotation in annotations:
        bbox, image_id = annotation.item.get("bbox"), annotation.item.get("image_id")
        shape = shapes.get(image_id, (0, 0)) if isinstance(image_id, int | str) else (0, 0)
        if isinstance(bbox, list) and len(bbox) == 4 and all(map(_is_number, bbox)) and min(shape):
            area = annotation.item.get("area")
            rows.append([*bbox, area if _is_number(area) else float("nan"), *shape])
    if rows:
        table = np.array(rows, dtype=np.float64)
        if contradiction := coco_contradiction(table[:, :4], table[:, 4], table[:, 5:]):
            raise AnnotationError(
                f"{path}: expected boxes [x, y, width, height] in pixels: {contradiction}."
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def parse_coco_results(
    content: Any, shapes: Mapping[ImageId, Shape | None], path: Path | str
) -> dict[ImageId, BoxLabels]:
    """Read detections: a list of ``image_id``, ``category_id``, ``bbox`` and ``score``.

    Parameters
    ----------
    content : object
        The parsed JSON of ``path``.
    shapes : mapping of image id to (int, int) or None
        Height and width of every image there is; None where they are not known.
    path : path-like
        For errors.

    Returns
    -------
    dict of image id to BoxLabels
        For every image of ``shapes``; of all categories alike.

    Raises
    ------
    AnnotationError
        Naming the file and the field, as :func:`read_coco` does.
    """
    found: dict[ImageId, Collected] = {image_id: Collected() for image_id in shapes}
    results = records(content, Place(path))
    _check_order(results, {name: shape or (0, 0) for name, shape in shapes.items()}, path)
    for result in results:
        image_id = result.identifier("image_id", among=shapes)
        try:
            box, score = result.box(shapes[image_id], overhang=True), result.score()
        except AnnotationError as error:
            # The index says where it stands in the file, not of which image it is.
            raise AnnotationError(f"image {image_id!r}: {error}") from None
        found[image_id].add(box, str(result.item.get("category_id", "")), score)
    return {image_id: boxes.labels(scored=True) for image_id, boxes in found.items()}


def numbers_of(ids: Collection[str]) -> dict[str, int] | None:
    """The image ids of samples that are called by numbers.

    Trainers that drop the list of images write the number in the file's
    name, so ``000541`` is 541 for everybody.

    Returns
    -------
    dict of str to int, or None
        None where an id is no number, or two are the same one.

    Examples
    --------
    >>> numbers_of(["000541", "000007"]), numbers_of(["Misc_1", "Misc_2"])
    ({'000541': 541, '000007': 7}, None)
    """
    numbers = {name: int(name) for name in ids if name.isascii() and name.isdigit()}
    if len(numbers) < len(ids) or len(set(numbers.values())) < len(numbers):
        return None
    return numbers


def _images(
    whole: Record, annotations: Sequence[Record], damaged: dict[ImageId, AnnotationError] | None
) -> tuple[CocoImage, ...]:
    images = []
    ids_of_labels = (one.item.get("image_id") for one in annotations)
    labelled = {one for one in ids_of_labels if isinstance(one, int | str)}
    ids: set[ImageId] = set()
    files: set[ImageId] = set()
    for record in records(whole.field("images"), whole.at("images")):
        image_id = record.identifier("id", but_not=ids)
        file_name = record.field("file_name")
        if not isinstance(file_name, str) or not file_name:
            raise record.at("file_name").invalid("a file name", file_name)
        record.identifier("file_name", but_not=files)
        shape: Shape = (0, 0)
        stated = [record.item.get(side) for side in ("height", "width")]
        # Label Studio knows the size of an image from its labels, and writes null without any.
        if stated != [None, None] or image_id in labelled:
            try:
                shape = (record.side("height"), record.side("width"))
            except AnnotationError as error:
                if damaged is None:
                    raise
                damaged[image_id] = error
        images.append(CocoImage(id=image_id, file_name=file_name, shape=shape))
    return tuple(images)


def _categories(content: dict[str, Any], path: Path | str) -> dict[ImageId, str]:
    seen: set[ImageId] = set()
    found = records(content.get("categories", []), Place(path, "categories"))
    return {item.identifier("id", but_not=seen): str(item.item.get("name", "")) for item in found}
