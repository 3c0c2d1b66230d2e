"""Predictions in COCO JSON: a list of results, or a data set."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from irbench.data.annotations import BoxLabels, CocoImage, numbers_of, read_coco
from irbench.data.annotations._coco_fields import read_json
from irbench.data.annotations.coco import parse_coco, parse_coco_results
from irbench.data.prediction_files import ForeignNamesError, match_names
from irbench.errors import DetectionsError

Shape = tuple[int, int]
ImageId = int | str


def read_coco_predictions(
    path: Path,
    shapes: Mapping[str, Shape],
    left_out: Collection[str],
    images: Path | None,
    allow_extra: bool,
    numbered: Mapping[ImageId, str],
) -> tuple[dict[str, BoxLabels], list[str]]:
    """Read the results or the data set of a COCO JSON file.

    Parameters
    ----------
    path : Path
    shapes : mapping of str to (int, int)
        Height and width of every readable sample.
    left_out : collection of str
        Samples that cannot be used: what the file says of them is ignored.
    images : Path or None
        The COCO data set whose image ids a list of results uses.
    allow_extra : bool
    numbered : mapping of image id to str
        The samples by the ids that the labels of the dataset give to images.

    Returns
    -------
    labels : dict of str to BoxLabels
        Of a list, for every readable sample; of a data set, for those it lists.
    notes : list of str

    Raises
    ------
    AnnotationError, DetectionsError
    """
    content, ids = read_json(path, allow_nan=True), [*shapes, *left_out]
    if isinstance(content, dict):
        dataset = parse_coco(content, path, overhang=True)
        names, notes = _name_images(dataset.images, shapes, ids, path, allow_extra)
        if all(labels.scores is None for labels in dataset.labels.values()):
            notes.append("there are no scores: every score is 1")
        return _by_sample(dataset.labels, names, shapes), notes
    if images is not None:
        names, notes = _name_images(read_coco(images).images, shapes, ids, images, True)
    else:
        names, notes = _names_of_results(content, ids, numbered, path)
    extra = _image_ids(content) - names.keys()
    if extra and not allow_extra:
        raise ForeignNamesError(
            sorted(map(str, extra)),
            f"{path}: {len(extra)} image ids are of no image of this split, such as "
            f"{', '.join(map(repr, sorted(extra, key=str)[:5]))}; expected ids such as "
            f"{', '.join(map(repr, list(names)[:3]))}. Give the COCO data set that numbers the "
            "images, choose another split, or allow extra images.",
        )
    if extra:
        notes.append(f"{len(extra)} images that are not in the split are left out")
    # Boxes of images that do not count are checked but for their place in the image.
    sizes = {image_id: shapes.get(name) for image_id, name in names.items()}
    labels = parse_coco_results(content, {**sizes, **dict.fromkeys(extra)}, path)
    return _by_sample(labels, names, shapes), notes


def _names_of_results(
    content: Any, ids: Collection[str], numbered: Mapping[ImageId, str], path: Path
) -> tuple[dict[ImageId, str], list[str]]:
    """The sample of each image id of a list of results, and how numbers were understood.

    A number is that of the file beside it where there is one; else the id of an image in the
    dataset's own COCO file, or the number that is the name of a file. Where both have all of the
    ids and mean other images, neither is taken.
    """
    by_name: dict[ImageId, str] = {n: name for name, n in (numbers_of(ids) or {}).items()}
    own: dict[ImageId, str] = {name: name for name in ids}
    beside = _named_files(content, ids, {**own, **by_name}, path)
    used = _image_ids(content) - beside.keys() - own.keys()
    in_names, in_labels = used <= by_name.keys(), bool(numbered) and used <= numbered.keys()
    if used and in_names and in_labels:
        differing = sorted(n for n in used if by_name[n] != numbered[n])
        if differing:
            first = differing[0]
            raise DetectionsError(
                f"{path}: the image id {first!r} is {by_name[first]!r} by the number in its name, "
                f"{numbered[first]!r} by the labels of the dataset; say which by --images, the "
                "COCO file that numbers the images, or write file_name beside each id."
            )
    notes = []
    if used and in_labels:
        names = {**by_name, **numbered}
        notes.append("image ids are those of the dataset's COCO labels")
    else:
        names = by_name
        if used & by_name.keys():
            example = min(used & by_name.keys(), key=str)
            notes.append(
                "image ids are taken as the numbers in the images' names: "
                f"{example} is {by_name[example]!r}"
            )
    return {**names, **own, **beside}, notes


def _named_files(
    content: Any, ids: Collection[str], known: Mapping[ImageId, str], path: Path
) -> dict[ImageId, str]:
    """The sample of each image id that is not ``known``, from the ``file_name`` beside it.

    Ultralytics writes the number where the name of a file is one, and the name where it is
    none, each with the file's name.
    """
    names = {name.rsplit("/", 1)[-1]: name for name in ids}
    ambiguous, known_ids = len(names) < len(ids), set(ids)
    found: dict[ImageId, str] = {}
    for item in content if isinstance(content, list) else ():
        if not isinstance(item, dict):
            continue
        image_id, file_name = item.get("image_id"), item.get("file_name")
        if not isinstance(file_name, str) or not isinstance(image_id, int | str):
            continue
        whole = PurePosixPath(file_name.replace("\\", "/")).with_suffix("")
        exact = str(whole) if str(whole) in known_ids else None
        name = exact or (None if ambiguous else names.get(whole.name))
        before = found.get(image_id, known.get(image_id))
        if name is not None and before is not None and before != name:
            raise DetectionsError(
                f"{path}: expected one image with the id {image_id!r}, got {before!r} and "
                f"{file_name!r}; give the COCO data set that numbers the images."
            )
        if name is not None:
            found[image_id] = name
    return found


def _by_sample(
    labels: Mapping[ImageId, BoxLabels], names: Mapping[ImageId, str], shapes: Mapping[str, Shape]
) -> dict[str, BoxLabels]:
    found: dict[str, BoxLabels] = {}
    for image_id, boxes in labels.items():
        name = names.get(image_id)
        if name is None or name not in shapes:
            continue
        # Called by its name here, by its number there.
        found[name] = boxes if name not in found else found[name].joined(boxes)
    return found


def _image_ids(content: Any) -> set[ImageId]:
    """The image ids of a list of results; what is malformed is left to the parser."""
    items = content if isinstance(content, list) else []
    ids = (item.get("image_id") for item in items if isinstance(item, dict))
    return {i for i in ids if isinstance(i, int | str) and not isinstance(i, bool)}


def _name_images(
    images: Collection[CocoImage],
    shapes: Mapping[str, Shape],
    ids: Collection[str],
    path: Path,
    allow_extra: bool,
) -> tuple[dict[ImageId, str], list[str]]:
    stems: dict[str, CocoImage] = {}
    for image in images:
        stem = str(PurePosixPath(image.file_name.replace("\\", "/")).with_suffix(""))
        if stem in stems:
            both = f"{stems[stem].file_name!r} and {image.file_name!r}"
            raise DetectionsError(f"{path}: expected one image called {stem!r}, got {both}.")
        stems[stem] = image
    match = match_names(list(stems), ids, str(path), allow_extra)
    names: dict[ImageId, str] = {}
    for sample_id, stem in match.names.items():
        image = stems[stem]
        if sample_id in shapes and image.shape not in ((0, 0), shapes[sample_id]):
            raise DetectionsError(
                f"{path}: expected {image.file_name} to have the image's shape "
                f"{shapes[sample_id]}, got {image.shape}; boxes are never scaled here."
            )
        names[image.id] = sample_id
    return names, [match.note] if match.note else []
