"""Which layout a folder has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from irbench.errors import MissingDataError, UnknownNameError

from ._folder_files import IMAGE_FOLDERS, LABEL_FOLDERS, File, apart_by_split, list_files
from ._folder_foreign import foreign_formats, unread_pictures
from ._folder_pairing import (
    MASK_SUFFIXES,
    Index,
    listed_names,
    pair_files,
    pair_listed,
    pair_masks,
    read_coco_files,
)

LAYOUTS = ("masks", "voc", "yolo", "labelme", "coco", "cvat")
"""In the order in which they are looked for."""


def index_folder(
    root: Path, layout: str | None = None, images: str | None = None, labels: str | None = None
) -> Index:
    """Find out what a folder holds.

    Parameters
    ----------
    root : Path
    layout : str, optional
        One of :data:`LAYOUTS`.
        By default the first of these that pairs with an image.
    images, labels : str, optional
        Folders of images and of masks or labels, relative to ``root``. By
        default they are found from their names.

    Raises
    ------
    MissingDataError
        If there are no images or no ground truth, with what was looked for.
    UnknownNameError
        For an unknown layout.
    AnnotationError
        If two images, or two labels, have the same name.
    """
    if layout is not None and layout not in LAYOUTS:
        raise UnknownNameError("layout", layout, LAYOUTS)
    files = apart_by_split(_scan(root, images, labels))
    layouts = LAYOUTS if layout is None else (layout,)
    for candidates, pictures in _views(files):
        for name in layouts:
            if (found := _pair(name, candidates, pictures)) is not None:
                return found
    raise MissingDataError(_nothing_found(root, files, layout, images, labels))


def _pair(layout: str, files: Sequence[File], pictures: Sequence[File]) -> Index | None:
    if layout == "masks":
        return pair_masks(files, pictures)
    if layout in ("coco", "cvat"):
        return pair_listed(files, pictures, layout)
    return pair_files(files, pictures, layout)


def _views(files: Sequence[File]) -> list[tuple[Sequence[File], Sequence[File]]]:
    """The files, and which of them may be the images: folders by their names come first.

    Where no such pair fits, the folders of images and labels have names of their own, and only
    the last part of a name is left to pair by: as long as it names one image.
    """
    pictures = [file for file in files if file.is_image and file.role == "image"]
    others = [file for file in files if file.is_image and file.role is None]
    views: list[tuple[Sequence[File], Sequence[File]]] = [
        (files, found) for found in (pictures, others) if found
    ]
    flat = [replace(file, key=file.key.rsplit("/", 1)[-1]) for file in files]
    for role in ("image", None):
        found = [file for file in flat if file.is_image and file.role == role]
        counts = Counter(file.key for file in found)
        if found and max(counts.values()) == 1:
            views.append((flat, found))
    return views


def _nothing_found(
    root: Path,
    files: Sequence[File],
    layout: str | None,
    images: str | None,
    labels: str | None,
) -> str:
    pictures = [file for file in files if file.is_image and file.role != "label"]
    unread = unread_pictures(file.path for file in files)
    if not pictures:
        return (
            f"{root} holds no image files that can be used. Looked for images in "
            f"{images or ', '.join(IMAGE_FOLDERS[:5])} or any other folder that is not one of "
            f"labels ({', '.join(LABEL_FOLDERS[:7])}).{unread}"
        )
    seen = [f"{len(pictures)} images such as {_shown(root, pictures)}"]
    masks = [file for file in files if file.is_image and file.role == "label"]
    if masks:
        seen.append(f"{len(masks)} masks such as {_shown(root, masks)}")
    for ending in (".xml", ".txt", ".json"):
        found = [file for file in files if file.suffix == ending]
        seen += [f"{len(found)} {ending} files such as {_shown(root, found)}"] if found else []
    if foreign := foreign_formats(file.path for file in files):
        return f"{root}: {foreign} Found {'; '.join(seen)}."
    for file, content in read_coco_files(files):
        listed = sorted(listed_names(content))
        seen.append(f"{file.path.name} lists {len(listed)} images such as {listed[:2]}")
    return (
        f"{root} holds no {layout or 'ground truth'} labels that can be used: none pairs with an "
        f"image. Found {'; '.join(seen)}. Looked for ground truth in "
        f"{labels or ', '.join(LABEL_FOLDERS[:7])} or beside the images: masks of the same name "
        f"(or with {', '.join(MASK_SUFFIXES[1:])}), PASCAL VOC .xml, YOLO .txt, labelme .json, or "
        "a COCO .json or CVAT .xml that lists the images. An evaluation needs ground truth; "
        f"`irbench detect` does not.{unread}"
    )


def _shown(root: Path, files: Sequence[File]) -> str:
    return ", ".join(file.path.relative_to(root).as_posix() for file in files[:2])


def _scan(root: Path, images: str | None, labels: str | None) -> list[File]:
    if images is None and labels is None:
        return list_files(root)
    given = {root / folder for folder in (images, labels) if folder is not None}
    files = []
    if images is not None:
        files += [replace(file, role="image") for file in list_files(root / images)]
    if labels is not None and labels != images:
        files += [replace(file, role="label") for file in list_files(root / labels)]
    if images is None or labels is None:
        others = (f for f in list_files(root) if not any(g in f.path.parents for g in given))
        missing = "image" if images is None else "label"
        files += [file for file in others if file.role in (None, missing)]
    return files
