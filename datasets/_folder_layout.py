"""Which layout a folder has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from irbench.errors import MissingDataError, UnknownNameError

from ._folder_files import IMAGE_FOLDERS, LABEL_FOLDERS, File, list_files
from ._folder_pairing import MASK_SUFFIXES, Index, pair_coco, pair_files, pair_masks

LAYOUTS = ("masks", "voc", "yolo", "coco")
"""In the order in which they are looked for."""


def index_folder(
    root: Path, layout: str | None = None, images: str | None = None, labels: str | None = None
) -> Index:
    """Find out what a folder holds.

    Parameters
    ----------
    root : Path
    layout : {"masks", "voc", "yolo", "coco"}, optional
        By default the first of these that pairs with an image.
    images, labels : str, optional
        Folders of images and of masks or labels, relative to ``root``. By
        default they are told from their names.

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
    files = _scan(root, images, labels)
    pictures = [file for file in files if file.is_image and file.role == "image"]
    if not pictures:
        pictures = [file for file in files if file.is_image and file.role is None]
    for candidate in LAYOUTS if layout is None else (layout,):
        if candidate == "masks":
            found = pair_masks(files, pictures)
        elif candidate == "coco":
            found = pair_coco(files, pictures)
        else:
            found = pair_files(files, pictures, candidate)
        if found is not None:
            return found
    raise MissingDataError(_nothing_found(root, layout if pictures else "image", images, labels))


def _nothing_found(root: Path, what: str | None, images: str | None, labels: str | None) -> str:
    wanted = "image files" if what == "image" else f"{what or 'ground truth'} labels"
    return (
        f"{root} holds no {wanted} that can be used. Looked for images in "
        f"{images or ', '.join(IMAGE_FOLDERS[:5])} or the folder itself; for ground truth in "
        f"{labels or ', '.join(LABEL_FOLDERS[:7])} or beside the images: masks of the same name "
        f"(or with {', '.join(MASK_SUFFIXES[1:])}), PASCAL VOC .xml, YOLO .txt, or a COCO .json "
        "that lists the images. An evaluation needs ground truth; `irbench detect` does not."
    )


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
