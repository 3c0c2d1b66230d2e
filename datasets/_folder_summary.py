"""What was made of a folder, in lines for ``irbench data verify``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from irbench.conventions import Conventions
from irbench.data.findings import plural
from irbench.data.splits import SPLITS
from irbench.images.dead_pixels import DeadPixels

from ._folder_files import list_files
from ._folder_pairing import Index
from ._folder_splits import FoundLists, split_in_name

_TITLES = {
    "masks": "masks",
    "voc": "PASCAL VOC",
    "yolo": "YOLO",
    "labelme": "labelme",
    "coco": "COCO",
    "cvat": "CVAT for images",
}

_LIST_ENDINGS = (".txt", ".csv", ".tsv", ".json", ".lst", ".list", ".yaml", ".yml", ".mat", ".npy")
"""Endings of files that may be split lists."""

_OTHER_LABELS = (".xml", ".json", ".txt", ".csv")
"""Endings of files that may be labels, too."""


def describe_layout(root: Path, index: Index) -> str:
    """Which labels are read, how many, and where they and the images lie."""
    images = f"{plural(len(index.images), 'image')} in {_places(root, index.images.values())}"
    if index.sources:
        names = ", ".join(_relative(root, path) for path in index.sources)
        labels = f"labels of {plural(len(index.coco), 'image')} in {names}"
    else:
        places = _places(root, index.labels.values())
        labels = f"{plural(len(index.labels), 'label file')} in {places}"
    return f"layout: {_TITLES[index.layout]}; {images}; {labels}"


def describe_splits(
    root: Path, index: Index, found: FoundLists, lists: Mapping[str, list[str]]
) -> list[str]:
    """The splits with their numbers, and what says so; sets of lists that compete."""
    if len(found.schemes) > 1 and not lists:
        shown = "; ".join(scheme.describe() for scheme in found.schemes.values())
        return [f"splits: several sets of lists: {shown}; commands that test ask for --scheme NAME"]
    ordered = [split for split in SPLITS if split in lists]
    counts = ", ".join(f"{split} {len(lists[split])}" for split in ordered)
    if found.schemes:
        used = next(
            (one for one in found.schemes.values() if one.ids is lists or one.ids == lists), None
        )
        paths = [] if used is None else [used.paths[split] for split in ordered]
        source = "of " + ", ".join(_relative(root, path) for path in paths)
    elif index.splits:
        source = "of the folders or files that are called so"
    else:
        source = "as no list, folder or file states any: every image is tested"
    lines = [f"splits: {counts}, {source}"]
    others = [scheme.describe() for scheme in found.schemes.values() if scheme.ids != lists]
    return lines + ([f"split lists not chosen: {'; '.join(others)}"] if others else [])


def describe_unused(root: Path, index: Index, found: FoundLists) -> list[str]:
    """Lists and label files that are there and not used, with the reasons that are known."""
    lines = [
        f"not used: {_relative(root, path)}: {reason}"
        for path, reason in (*index.unused.items(), *found.unused.items())
    ]
    used = {*index.images.values(), *index.labels.values(), *index.sources, *index.unused}
    used |= {path for scheme in found.schemes.values() for path in scheme.paths.values()}
    used |= found.unused.keys()
    others = [file.path for file in list_files(root) if file.path not in used]
    for ending in _OTHER_LABELS:
        paths = [path for path in others if path.suffix.lower() == ending]
        if paths:
            n = plural(len(paths), f"{ending} file")
            lines.append(f"not used: {n} such as {_relative(root, paths[0])}")
    return lines


def unread_lists(root: Path, index: Index, found: FoundLists) -> str:
    """A note of files that look like split lists, where nothing states splits; else empty."""
    if found.schemes or index.splits:
        return ""
    used = {*index.images.values(), *index.labels.values(), *index.sources}
    names = [
        _relative(root, file.path)
        for file in list_files(root)
        if file.suffix in _LIST_ENDINGS
        and file.path not in used
        and (split_in_name(file.path.stem) or file.path.stem.casefold() in ("split", "splits"))
    ]
    if not names:
        return ""
    shown = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
    return (
        f"every image is tested, though {shown} may be split lists: they are not read; write "
        "names, one a line, to train.txt, val.txt and test.txt"
    )


def describe_conventions(conventions: Conventions) -> str:
    """What was stated, by the names of ``irbench.toml``."""
    stated = conventions.as_dict()
    if isinstance(conventions.dead_pixels, DeadPixels):
        # Of hundreds of places the number will do.
        stated["dead_pixels"] = conventions.dead_pixels.describe()
    shown = ", ".join(f"{name} = {value}" for name, value in stated.items())
    return f"conventions stated: {shown or 'none'}"


def _places(root: Path, paths: Iterable[Path]) -> str:
    counts = Counter(path.parent for path in paths)
    names = [_relative(root, folder) for folder, _ in counts.most_common(3)]
    more = len(counts) - len(names)
    return ", ".join(names) + (f" and {plural(more, 'other folder')}" if more > 0 else "")


def _relative(root: Path, path: Path) -> str:
    return f"{path.relative_to(root)}/" if path.is_dir() else str(path.relative_to(root))
