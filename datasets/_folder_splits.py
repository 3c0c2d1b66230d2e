"""Split lists of a folder: where they lie, what they are called, and what they name."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from irbench.data.annotations.place import Place, read_text
from irbench.errors import AnnotationError

from ._folder_files import IMAGE_FOLDERS, LABEL_FOLDERS, SPLIT_NAMES, Names

ROOT_SCHEME = "root"
"""What the lists in the folder itself are called."""

_MAX_DEPTH = 5
"""So many folders down split lists are looked for."""

# `train.txt`, else `train_NAME.txt`, else `NAME_train.txt`: the habits of this field.
_WORDS = "|".join((*SPLIT_NAMES, "trainval"))
_LIST = r"(?:list|set|ids?|idx|index|split)?"
_PATTERNS = (rf"({_WORDS}){_LIST}", rf"({_WORDS})[_-](.*)", rf"(.*)[_-]({_WORDS})")


@dataclass(frozen=True)
class SplitScheme:
    """The lists of one folder that belong together.

    Attributes
    ----------
    name : str
        Of the folder, relative to the dataset, or of what its lists are called beside the split.
    paths : dict of str to Path
        The list of each split.
    ids : dict of str to list of str
        What they name.
    """

    name: str
    paths: dict[str, Path]
    ids: dict[str, list[str]]

    def describe(self) -> str:
        """The scheme with the numbers of its samples."""
        counts = ", ".join(f"{len(ids)} {split}" for split, ids in self.ids.items())
        return f"{self.name} ({counts})"


@dataclass(frozen=True)
class FoundLists:
    """What split lists a folder holds.

    Attributes
    ----------
    schemes : dict of str to SplitScheme
        Those that may be used.
    unused : dict of Path to str
        Other lists, with the reason.
    """

    schemes: dict[str, SplitScheme] = field(default_factory=dict)
    unused: dict[Path, str] = field(default_factory=dict)


def split_in_name(stem: str) -> str | None:
    """The split in a name such as ``instances_train2017``; None where there is none, or two."""
    words = re.findall(r"[a-z]+", stem.lower())
    found = {SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES}
    return found.pop() if len(found) == 1 else None


def find_split_lists(
    root: Path,
    ids: Collection[str],
    splits: Mapping[str, str] | None = None,
    *,
    has_masks: bool = False,
) -> FoundLists:
    """The split lists of a folder, wherever the field keeps them.

    In each folder the plainest names win: ``train.txt`` before ``train_NAME.txt`` before
    ``NAME_train.txt``; in the root, where other text files lie about, only lists that name an
    image count. A list ``trainval`` is the training list where there is no other.

    Parameters
    ----------
    root : Path
    ids : collection of str
        Sample ids: the label file of an image called ``test`` is no split list.
    splits : mapping of str to str, optional
        The split of a sample, as its folders say.
    has_masks : bool
        Whether the labels are masks: of the tasks of PASCAL VOC segmentation is meant then, else
        detection.

    Raises
    ------
    AnnotationError
        If a list names a sample twice, or two lists of a scheme share one.
    """
    names = Names(ids, splits)
    found = FoundLists()
    for folder in _folders(root, _MAX_DEPTH):
        files = [
            path
            for path in sorted(folder.iterdir())
            if path.suffix.lower() == ".txt" and path.is_file() and path.stem not in names.stems
        ]
        relative = folder.relative_to(root).as_posix()
        for paths_by_scheme in _groups(files, ROOT_SCHEME if relative == "." else relative):
            for name, paths in paths_by_scheme.items():
                if name in found.schemes or any(
                    scheme.paths.keys()
                    and folder == next(iter(scheme.paths.values())).parent
                    and _plainer(scheme, paths)
                    for scheme in found.schemes.values()
                ):
                    found.unused.update(dict.fromkeys(paths.values(), "plainer names are there"))
                    continue
                _enter(found, name, paths, names, is_root=relative == ".")
    _choose_task(found, "Segmentation" if has_masks else "Main")
    return found


_TASKS = {f"ImageSets/{task}" for task in ("Main", "Segmentation", "Layout", "Action")}
"""Where PASCAL VOC, and what writes as it does, has a set of lists for each of its tasks."""


def _choose_task(found: FoundLists, task: str) -> None:
    wanted = f"ImageSets/{task}"
    for name in [one for one in found.schemes if one.endswith(wanted)]:
        others = {f"{name.removesuffix(wanted)}{one}" for one in _TASKS - {wanted}}
        for other in others & found.schemes.keys():
            paths = found.schemes.pop(other).paths.values()
            found.unused.update(dict.fromkeys(paths, f"{name} is there"))


def _enter(
    found: FoundLists, name: str, paths: dict[str, Path], names: Names, is_root: bool
) -> None:
    both = paths.pop("trainval", None)
    if both is not None and "train" not in paths:
        paths = {"train": both, **paths}
    elif both is not None:
        found.unused[both] = "train is there"
    if (not is_root and name not in _USUAL) or not all(map(_is_plain, paths.values())):
        foreign = {path for path in paths.values() if not _names_a_sample(path, names)}
        found.unused.update(dict.fromkeys(foreign, "it names no image"))
        paths = {split: path for split, path in paths.items() if path not in foreign}
    if paths:
        found.schemes[name] = SplitScheme(name, paths, read_split_lists(paths, names))


_USUAL = ("splits", "ImageSets/Main", "img_idx")
"""Folders that hold nothing but split lists: what cannot be read there is an error."""


def _plainer(scheme: SplitScheme, paths: Mapping[str, Path]) -> bool:
    """Whether a scheme has lists of plain names, so that others of its folder are not meant."""
    return all(map(_is_plain, scheme.paths.values())) and not any(map(_is_plain, paths.values()))


def _is_plain(path: Path) -> bool:
    return re.fullmatch(_PATTERNS[0], path.stem, re.I) is not None


def _groups(files: list[Path], folder: str) -> list[dict[str, dict[str, Path]]]:
    """The lists of a folder by scheme and split, for each pattern of names."""
    groups = []
    left = list(files)
    for index, pattern in enumerate(_PATTERNS):
        schemes: dict[str, dict[str, Path]] = {}
        for path in list(left):
            match = re.fullmatch(pattern, path.stem, re.I)
            if match is None:
                continue
            left.remove(path)
            word, rest = (
                (match[2], match[1]) if index == 2 else (match[1], (*match.groups(), "")[1])
            )
            split = SPLIT_NAMES.get(word.lower(), "trainval")
            lists = schemes.setdefault(rest, {})
            if split in lists:
                raise AnnotationError(
                    f"expected one list of the {split} split in {path.parent}, got "
                    f"{lists[split].name} and {path.name}; remove one of them."
                )
            lists[split] = path
        if len(schemes) == 1:
            groups.append({folder: next(iter(schemes.values()))})
        elif schemes:
            groups.append({f"{folder}/{rest}": lists for rest, lists in schemes.items()})
    return groups


def _folders(root: Path, depth: int) -> list[Path]:
    """A folder and those below it that may hold lists, the outer ones first."""
    found = [root]
    if depth == 0:
        return found
    data = (*IMAGE_FOLDERS, *LABEL_FOLDERS)
    for child in sorted(root.iterdir()):
        if child.is_dir() and not child.name.startswith(".") and child.name.casefold() not in data:
            found += _folders(child, depth - 1)
    return found


def _names_a_sample(path: Path, names: Names) -> bool:
    try:
        lines = read_text(path).split("\n")
    except AnnotationError:
        return False
    return any(names.mean(line.strip()) for line in lines if line.strip())


def read_split_lists(paths: Mapping[str, Path], names: Names) -> dict[str, list[str]]:
    """The ids of every split.

    Parameters
    ----------
    paths : mapping of str to Path
    names : Names
        The samples there are. A name that is none of them stays in its split as it
        is, so that its absence is counted and not overlooked.

    Raises
    ------
    AnnotationError
        If a list names a sample twice, no line names a sample, or two splits share one.
    """
    splits: dict[str, list[str]] = {}
    for split, path in paths.items():
        owner = dict.fromkeys(key for keys in splits.values() for key in keys)
        named: dict[str, None] = {}
        lines = [line.strip() for line in read_text(path).splitlines()]
        exact = {key for line in lines if line and (key := names.exact(line)) is not None}
        n_known = 0
        for index, text in enumerate(lines, start=1):
            if not text:
                continue
            if text.startswith("#") and not names.mean(text):
                continue
            place = Place(path, f"line {index}")
            found = names.exact(text) or names.find(text, place, split)
            # What another line means exactly is not meant by a longer name, too.
            if found is not None and found in exact and names.exact(text) is None:
                found = None
            key = found or text
            n_known += found is not None
            if key in named:
                raise place.invalid("a sample that is listed once", text)
            if key in owner:
                raise place.invalid("a sample of one split only", text)
            named[key] = None
        if not n_known:
            raise Place(path).invalid("names of samples, one a line", list(named)[:3])
        splits[split] = list(named)
    return splits
