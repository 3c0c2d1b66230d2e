"""Split lists of a folder: where they lie, what they are called, and what they name."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from irbench.data.annotations.place import Place, read_text
from irbench.errors import AnnotationError

from ._folder_files import SPLIT_NAMES, key_in

SPLIT_FOLDERS = ("", "splits", "ImageSets/Main", "img_idx")
"""Where split lists are looked for, relative to the dataset."""

# `train.txt`, else `train_NAME.txt`, else `NAME_train.txt`: the habits of this field.
_WORDS = "|".join(SPLIT_NAMES)
_PATTERNS = (rf"({_WORDS})", rf"({_WORDS})[_-].*", rf".*[_-]({_WORDS})")


def split_in_name(stem: str) -> str | None:
    """The split that a name such as ``instances_train2017`` tells; None if it tells none or two."""
    words = re.findall(r"[a-z]+", stem.lower())
    found = {SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES}
    return found.pop() if len(found) == 1 else None


def find_split_lists(root: Path, ids: Collection[str]) -> dict[str, Path]:
    """The split lists of a folder.

    Parameters
    ----------
    root : Path
    ids : collection of str
        Sample ids: the label file of an image called ``test`` is no split list.

    Returns
    -------
    dict of str to Path
        By split; of the first of ``SPLIT_FOLDERS`` that holds any.

    Raises
    ------
    AnnotationError
        If two lists of one folder claim the same split.
    """
    for name in SPLIT_FOLDERS:
        folder = root / name
        files = sorted(folder.glob("*.txt")) if folder.is_dir() else []
        # In the root other text files lie about, such as test_results.txt.
        for pattern in _PATTERNS if name else _PATTERNS[:1]:
            found: dict[str, Path] = {}
            for path in files:
                match = re.fullmatch(pattern, path.stem, re.I)
                if match is None or path.stem in ids:
                    continue
                split = SPLIT_NAMES[match[1].lower()]
                if split in found:
                    raise AnnotationError(
                        f"expected one list of the {split} split in {folder}, got "
                        f"{found[split].name} and {path.name}; remove one of them."
                    )
                found[split] = path
            if found:
                return found
    return {}


def read_split_lists(paths: dict[str, Path], ids: Collection[str]) -> dict[str, list[str]]:
    """The ids of every split.

    Parameters
    ----------
    paths : dict of str to Path
    ids : collection of str
        The samples there are. A name that is none of them stays in its split as it
        is, so that its absence is counted and not overlooked.

    Returns
    -------
    dict of str to list of str

    Raises
    ------
    AnnotationError
        If a list names a sample twice, no line names a sample, or two splits share one.
    """
    known = set(ids)
    splits: dict[str, list[str]] = {}
    for split, path in paths.items():
        owner = dict.fromkeys(key for keys in splits.values() for key in keys)
        named: dict[str, None] = {}
        for index, line in enumerate(read_text(path).splitlines(), start=1):
            if not (text := line.strip()):
                continue
            key, place = key_in(text, known) or text, Place(path, f"line {index}")
            if key in named:
                raise place.invalid("a sample that is listed once", text)
            if key in owner:
                raise place.invalid("a sample of one split only", text)
            named[key] = None
        if not known & named.keys():
            raise Place(path).invalid("names of samples, one a line", list(named)[:3])
        splits[split] = list(named)
    return splits
