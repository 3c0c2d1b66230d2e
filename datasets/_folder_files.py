"""What the files of a folder are called, and what their paths say of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from irbench.data.annotations.place import Place
from irbench.data.file_names import escaped_name
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

_WORDS = "|".join(SPLIT_NAMES)
# train2017, as COCO has it; obj_train_data, as darknet has it; test_images.
_SPLIT_FOLDER = re.compile(
    rf"(?:obj_)?({_WORDS})(?:[_-]?(?:\d{{4}}|data|set|images|imgs|img|labels|masks))", re.I
)

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
            folders.append(escaped_name(name))
            match = _SPLIT_FOLDER.fullmatch(name)
            split = SPLIT_NAMES[match[1].lower()] if match else split
    return File(path, "/".join([*folders, escaped_name(relative.stem)]), role, split)


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


class Names:
    """The samples there are, found by what a list or a label file calls them.

    Parameters
    ----------
    keys : iterable of str
    splits : mapping of str to str, optional
        The split of a key, as the names of its folders say.
    """

    def __init__(self, keys: Iterable[str], splits: Mapping[str, str] | None = None) -> None:
        self._keys = set(keys)
        self._splits = splits or {}
        self._by_last: dict[str, list[str]] = {}
        for key in sorted(self._keys):
            self._by_last.setdefault(key.rsplit("/", 1)[-1], []).append(key)

    @property
    def stems(self) -> set[str]:
        """The last parts of all keys."""
        return set(self._by_last)

    def mean(self, text: str) -> bool:
        """Whether a name may mean any sample, be it clear which or not."""
        return self.exact(text) is not None or described_key(text).split("/")[-1] in self._by_last

    def exact(self, text: str) -> str | None:
        """The key that a name is, folders of a role or a split left aside; None if it is none."""
        if text in self._keys:
            return text
        key = described_key(text)
        return key if key in self._keys else None

    def find(self, text: str, place: Place, split: str | None = None) -> str | None:
        """The key that a name means, or None.

        That is, in this order: the name itself; the only key of the same last part, whatever
        folders were before it on the machine that wrote it; of several, the only one that shares
        the most folders with it; the only one of them that lies in a folder of the split.

        Parameters
        ----------
        text : str
            An id, or a path with or without an ending.
        place : Place
            Where it stands, for the error.
        split : str, optional
            What the list or label file is about.

        Raises
        ------
        AnnotationError
            If several are left, with all of them.
        """
        if (key := self.exact(text)) is not None:
            return key
        parts = described_key(text).split("/")
        found = self._by_last.get(parts[-1], [])
        if len(found) > 1:
            shared = {key: _n_shared(key.split("/"), parts) for key in found}
            found = [key for key in found if shared[key] == max(shared.values())]
        if len(found) > 1 and split is not None:
            found = [key for key in found if self._splits.get(key) == split] or found
        if len(found) > 1:
            shown = " or ".join(map(repr, found[:4])) + (" or more" if len(found) > 4 else "")
            raise place.invalid(f"a name that means one image, not {shown}", text)
        return found[0] if found else None


def described_key(text: str) -> str:
    """The key of a file that a list or a label file names by a path."""
    path = PurePosixPath(text.replace("\\", "/"))
    if path.suffix.lower() in IMAGE_SUFFIXES:
        path = path.with_suffix("")
    # describe() takes an ending off.
    parts = describe(Path(), PurePosixPath(f"{path}.x")).key.split("/")
    return "/".join(part for part in parts if part and part not in (".", ".."))


def apart_by_split(files: Sequence[File]) -> list[File]:
    """Files of one name in the folders of several splits, each with its split in its key."""
    splits: dict[str, set[str | None]] = {}
    for file in files:
        if file.is_image and file.role != "label":
            splits.setdefault(file.key, set()).add(file.split)
    shared = [found for found in splits.values() if len(found) > 1]
    if not shared or any(None in found for found in shared):
        return list(files)
    return [
        replace(file, key=f"{file.split}/{file.key}") if file.split is not None else file
        for file in files
    ]


def _n_shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts two paths share at their ends."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db")
