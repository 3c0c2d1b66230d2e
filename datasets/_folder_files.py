"""What the files of a folder are called, and what their paths say of them."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from irbench.errors import AnnotationError, MissingDataError
from irbench.images import IMAGE_SUFFIXES

Role = Literal["image", "label"]

IMAGE_FOLDERS = ("images", "image", "imgs", "img", "jpegimages", "irstd1k_img")
"""Names, in lower case, of folders that hold images."""

LABEL_FOLDERS = (
    *("masks", "mask", "labels", "label", "annotations", "annotation", "gt", "groundtruth"),
    *("ground_truth", "segmentationclass", "irstd1k_label"),
)
"""Names, in lower case, of folders that hold ground truth."""

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
"""What folders and lists of a split are called, in lower case."""

_ROLES: dict[str, Role] = {
    **dict.fromkeys(IMAGE_FOLDERS, "image"),
    **dict.fromkeys(LABEL_FOLDERS, "label"),
}


@dataclass(frozen=True)
class File:
    """One file of a dataset.

    Attributes
    ----------
    path : Path
    key : str
        Relative path without ending, and without folders that name a role or a
        split: an image and its labels share it. It is the id of the sample.
    role : {"image", "label"} or None
        As the names of its folders say.
    split : str or None
        Likewise.
    """

    path: Path
    key: str
    role: Role | None = None
    split: str | None = None

    @property
    def suffix(self) -> str:
        """The ending in lower case."""
        return self.path.suffix.lower()

    @property
    def is_image(self) -> bool:
        """Whether it ends like an image."""
        return self.suffix in IMAGE_SUFFIXES


def describe(path: Path, relative: PurePosixPath) -> File:
    """What the path of a file, relative to the dataset, says of it."""
    role: Role | None = None
    folders, split = [], None
    for name in relative.parts[:-1]:
        lower = name.casefold()
        if lower in _ROLES:
            role = _ROLES[lower]
        elif lower in SPLIT_NAMES:
            split = SPLIT_NAMES[lower]
        else:
            folders.append(name)
    return File(path, "/".join([*folders, relative.stem]), role, split)


def list_files(root: Path) -> list[File]:
    """All files below a folder, sorted by path; hidden ones and what macOS adds are left out.

    Links to folders are followed, each folder once.
    """
    if not root.is_dir():
        raise MissingDataError(f"there is no folder {root}.")
    found = []
    visited = set()
    for folder, subfolders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in visited:
            subfolders.clear()
            continue
        visited.add(real)
        subfolders[:] = sorted(name for name in subfolders if not _is_hidden(name))
        for name in names:
            if not _is_hidden(name):
                path = Path(folder, name)
                found.append(describe(path, PurePosixPath(path.relative_to(root).as_posix())))
    return sorted(found, key=lambda file: file.path.as_posix())


def by_key(files: Iterable[File], what: str) -> dict[str, Path]:
    """Files by their key.

    Raises
    ------
    AnnotationError
        If two have the same one, so that it is not clear which is meant.
    """
    found: dict[str, Path] = {}
    for file in files:
        if file.key in found:
            raise AnnotationError(
                f"expected one {what} called {file.key!r}, got two: {found[file.key]} and "
                f"{file.path}; rename or remove one of them."
            )
        found[file.key] = file.path
    return found


def key_in(text: str, keys: Container[str]) -> str | None:
    """The key that a name in a list or a label file means, or None.

    Parameters
    ----------
    text : str
        An id, or a path with or without an ending; relative to the dataset or to
        its images, or absolute on whatever machine wrote it.
    keys : container of str
    """
    if text in keys:
        return text
    path = PurePosixPath(text.replace("\\", "/"))
    if path.suffix.lower() in IMAGE_SUFFIXES:
        path = path.with_suffix("")
    # describe() takes an ending off.
    file = describe(Path(), PurePosixPath(f"{path}.x"))
    parts = [part for part in file.key.split("/") if part]
    # Only where the path goes beyond the dataset may its beginning be dropped.
    foreign = file.role is not None or path.is_absolute() or path.parts[:1] == ("..",)
    foreign |= ":" in text[:2]
    for start in range(len(parts) if foreign else 1):
        key = "/".join(parts[start:])
        if key in keys:
            return key
    return None


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db")
