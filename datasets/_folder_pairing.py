"""Which label belongs to which image, in each of the layouts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from irbench.data.annotations import (
    BoxLabels,
    CocoDataset,
    CocoImage,
    is_cvat,
    is_labelme,
    read_cvat,
)
from irbench.data.annotations._coco_fields import read_json
from irbench.data.annotations.coco import parse_coco
from irbench.data.annotations.place import Place
from irbench.errors import AnnotationError

from ._folder_classes import read_class_names
from ._folder_files import File, Names, by_key, described_key
from ._folder_splits import split_in_name

MASK_SUFFIXES = ("", "_mask", "-mask", "_masks", "_pixels0", "_label", "_labels", "_gt")
"""What the name of a mask may add to that of its image."""

_ENDINGS = {"voc": ".xml", "yolo": ".txt", "labelme": ".json"}

# Beside the labels, and no labels: the names of the classes, and remarks.
_NO_LABELS = ("classes", "obj", "notes", "readme")


@dataclass(frozen=True)
class Index:
    """What a folder holds.

    Attributes
    ----------
    layout : str
        "masks", "voc", "yolo", "labelme", "coco" or "cvat".
    images : dict of str to Path
        Image files by sample id.
    labels : dict of str to Path
        Mask or label files by sample id; files that list many images are not in it.
    coco : dict of str to (CocoImage, BoxLabels)
        What COCO JSON or CVAT XML says of a sample.
    splits : dict of str to list of str
        Sample ids of the splits that names of folders, or files that list images, state.
    suffix : str
        What names of masks add to those of images.
    damaged : dict of str to AnnotationError
        What is wrong with what such a file says of a sample.
    unused : dict of Path to str
        Label files that are not used, with the reason.
    class_names : dict of str to str
        Names of the classes that the labels call by numbers.
    sources : tuple of Path
        Files that list many images, as far as they are used.
    """

    layout: str
    images: dict[str, Path]
    labels: dict[str, Path]
    coco: dict[str, tuple[CocoImage, BoxLabels]] = field(default_factory=dict)
    splits: dict[str, list[str]] = field(default_factory=dict)
    suffix: str = ""
    damaged: dict[str, AnnotationError] = field(default_factory=dict)
    unused: dict[Path, str] = field(default_factory=dict)
    class_names: dict[str, str] = field(default_factory=dict)
    sources: tuple[Path, ...] = ()

    @property
    def ids(self) -> list[str]:
        """All samples, sorted: images without labels and labels without images too."""
        return sorted({*self.images, *self.labels, *self.coco})


def pair_masks(files: Sequence[File], pictures: Sequence[File]) -> Index | None:
    """Pair images with mask images in a folder of masks, else beside them; None if none pairs."""
    candidates = [file for file in files if file.is_image and file.role == "label"]
    beside = not candidates
    if beside:
        candidates = list(pictures)
    keys = {file.key for file in pictures}
    pairs = Counter[str]()
    for file in candidates:
        for suffix in MASK_SUFFIXES[1 if beside else 0 :]:
            if _without(file.key, suffix) in keys:
                pairs[suffix] += 1
    if not pairs:
        return None
    suffix = max(pairs, key=lambda name: pairs[name])
    masks = [replace(f, key=k) for f in candidates if (k := _without(f.key, suffix)) is not None]
    paths = {mask.path for mask in masks} if beside else set()
    images = [file for file in pictures if file.path not in paths]
    return Index(
        "masks",
        by_key(images, "image"),
        by_key(masks, "mask"),
        splits=_splits([*images, *masks]),
        suffix=suffix,
    )


def pair_files(files: Sequence[File], pictures: Sequence[File], layout: str) -> Index | None:
    """Pair images with a VOC, YOLO or labelme file each; None if none pairs."""
    images = by_key(pictures, "image")
    candidates = [file for file in files if file.suffix == _ENDINGS[layout]]
    labels = [file for file in candidates if file.role == "label"]
    if any(file.key in images for file in labels):
        # A folder of their own: what has no image there is worth knowing.
        labels = [file for file in labels if file.key.casefold() not in _NO_LABELS]
    else:
        labels = [file for file in candidates if file.key in images and file.role != "label"]
    if layout == "labelme":
        labels = [file for file in labels if is_labelme(_content(file))]
    if not labels:
        return None
    splits = _splits([*pictures, *labels])
    class_names = read_class_names(files) if layout == "yolo" else {}
    return Index(
        layout,
        images,
        by_key(labels, f"{layout.upper()} file"),
        splits=splits,
        class_names=class_names,
    )


def pair_listed(files: Sequence[File], pictures: Sequence[File], layout: str) -> Index | None:
    """Pair images with the entries of all COCO or CVAT files; None if none pairs."""
    images = by_key(pictures, "image")
    names = Names(images, {file.key: file.split for file in pictures if file.split is not None})
    contents, unused = _read_lists(files, layout)
    entries: dict[str, tuple[CocoImage, BoxLabels]] = {}
    damaged: dict[str, AnnotationError] = {}
    splits: dict[str, list[str]] = {}
    categories: list[dict[str, str]] = []
    for file, dataset in contents:
        categories.append({str(number): name for number, name in dataset.categories.items()})
        of_file = split_in_name(file.path.stem) or file.split
        exact = {names.exact(image.file_name) for image in dataset.images}
        for image in dataset.images:
            split = split_in_name(dataset.subsets.get(image.id, "")) or of_file
            key = names.find(image.file_name, Place(file.path, "images"), split)
            if key is None or (key in exact and names.exact(image.file_name) is None):
                key = described_key(image.file_name)
            if key in entries:
                raise AnnotationError(
                    f"{file.path}: expected an image that is listed once, got {image.file_name!r} "
                    "again; name the folder of the labels that count, or remove the others."
                )
            entries[key] = (image, dataset.labels[image.id])
            if image.id in dataset.damaged:
                damaged[key] = dataset.damaged[image.id]
            if split is not None:
                splits.setdefault(split, []).append(key)
    if not any(key in images for key in entries):
        return None
    stated = splits or _splits(pictures)
    # Where two files number their categories otherwise, a number has no name.
    class_names = categories[0] if all(one == categories[0] for one in categories) else {}
    return Index(
        layout,
        images,
        {},
        entries,
        stated,
        damaged=damaged,
        unused=unused,
        class_names=class_names,
        sources=tuple(file.path for file, _ in contents),
    )


def _read_lists(
    files: Sequence[File], layout: str
) -> tuple[list[tuple[File, CocoDataset]], dict[Path, str]]:
    if layout == "cvat":
        found = [file for file in files if file.suffix == ".xml" and is_cvat(file.path)]
        return [(file, read_cvat(file.path)) for file in found], {}
    contents, unused = _chosen(read_coco_files(files))
    parsed = [(file, parse_coco(one, file.path, tolerant=True)) for file, one in contents]
    return parsed, unused


def _content(file: File) -> Any:
    """Parsed JSON of a label file; what is none counts as labelme's, and has its error later."""
    try:
        return read_json(file.path)
    except AnnotationError:
        return {"shapes": []}


def read_coco_files(files: Sequence[File]) -> list[tuple[File, dict[str, Any]]]:
    """The JSON files that are COCO data sets, each with its content."""
    found = []
    for file in files:
        if file.suffix == ".json":
            content = read_json(file.path)
            if isinstance(content, dict) and {"images", "annotations"} <= content.keys():
                found.append((file, content))
    return found


def listed_names(content: dict[str, Any]) -> set[str]:
    """The file names that a COCO data set lists, as far as they are any."""
    images = content["images"] if isinstance(content["images"], list) else []
    names = (image.get("file_name") for image in images if isinstance(image, dict))
    return {name for name in names if isinstance(name, str)}


def _chosen(
    files: list[tuple[File, dict[str, Any]]],
) -> tuple[list[tuple[File, dict[str, Any]]], dict[Path, str]]:
    """Of several COCO files of the same images that which has the boxes, and the others.

    Those called ``instances…`` come first, then those with annotations: ``image_info_…`` has
    none, and ``stuff_…`` and ``captions_…`` are about something else.
    """

    def rank(file: File, content: dict[str, Any]) -> tuple[bool, bool]:
        return file.path.stem.startswith("instances"), bool(content["annotations"])

    def split(file: File) -> str | None:
        return split_in_name(file.path.stem) or file.split

    chosen: list[tuple[File, dict[str, Any]]] = []
    unused: dict[Path, str] = {}
    for file, content in sorted(files, key=lambda one: rank(*one), reverse=True):
        listed = listed_names(content)
        better = [
            other.path.name
            for other, theirs in chosen
            if listed & listed_names(theirs)
            and rank(file, content) < rank(other, theirs)
            and split(other) == split(file)
        ]
        if better:
            unused[file.path] = f"it lists images of {better[0]}"
        else:
            chosen.append((file, content))
    return [one for one in files if one[0].path not in unused], unused


def _splits(files: Sequence[File]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for file in files:
        if file.split is not None:
            found.setdefault(file.split, {})[file.key] = None
    return {split: sorted(keys) for split, keys in found.items()}


def _without(key: str, suffix: str) -> str | None:
    """``key`` less ``suffix``; None if it does not end so."""
    if not key.casefold().endswith(suffix) or len(key) == len(suffix):
        return None
    return key[: len(key) - len(suffix)]
