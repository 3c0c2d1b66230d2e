"""Which of somebody's files belongs to which image."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from irbench.data.file_names import escaped_name
from irbench.errors import DetectionsError, MissingDataError
from irbench.images import IMAGE_SUFFIXES

SUFFIXES = (
    *("_pred", "_preds", "_prediction", "_mask", "_pixels0", "_prob", "_probability", "_out"),
    *("_output", "_result", "_label", "_seg", "-pred", "-mask", "-prob"),
)
"""What names of predictions may add at the end of that of the image, in lower case."""

PREFIXES = ("pred_", "prediction_", "mask_", "prob_", "out_", "output_", "result_", "pred-")
"""What they may add at the beginning."""

ENDINGS: Mapping[str, tuple[str, ...]] = {
    "maps": (*IMAGE_SUFFIXES, ".npy"),
    "yolo": (".txt",),
    "coco": (".json",),
}
"""Endings of the files that can be predictions."""


@dataclass(frozen=True)
class Match:
    """Names and the samples that they mean.

    Attributes
    ----------
    names : dict of str to str
        Name by sample id.
    extra : tuple of str
        Names that mean no sample.
    note : str
        How the names differ from the ids; empty if they do not.
    """

    names: dict[str, str]
    extra: tuple[str, ...]
    note: str


def list_predictions(folder: Path) -> dict[str, list[Path]]:
    """The files below a folder that can be predictions, by form (a key of ``ENDINGS``)."""
    if not folder.is_dir():
        raise MissingDataError(f"there is no folder {folder}.")
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(".") or path.name == "classes.txt" or not path.is_file():
            continue
        for form, endings in ENDINGS.items():
            if path.suffix.lower() in endings:
                found.setdefault(form, []).append(path)
    return found


class ForeignNamesError(DetectionsError):
    """Predictions of images that the split does not have.

    Parameters
    ----------
    names : sequence of str
        What the images are called.
    text : str
    """

    def __init__(self, names: Sequence[str], text: str) -> None:
        super().__init__(text)
        self.names = tuple(names)


def split_of_names(names: Sequence[str], ids: Mapping[str, Collection[str]]) -> tuple[str, int]:
    """The split that most names are of, by the rules of :func:`match_names`, and how many.

    Parameters
    ----------
    names : sequence of str
        Distinct, without endings.
    ids : mapping of str to collection of str
        The images of each split.

    Returns
    -------
    split : str
        Empty where none has an image of any name.
    count : int
    """
    counts = {"": 0}
    for split, known in ids.items():
        try:
            counts[split] = len(match_names(names, known, split, allow_extra=True).names)
        except DetectionsError:
            continue
    best = max(counts, key=counts.__getitem__)
    return best, counts[best]


def match_files(
    paths: Sequence[Path], folder: Path, ids: Collection[str], allow_extra: bool
) -> tuple[dict[str, Path], list[str]]:
    """Find the file of each sample by its name.

    Parameters
    ----------
    paths : sequence of Path
    folder : Path
        What names are relative to.
    ids : collection of str
        The samples there are.
    allow_extra : bool
        Whether files of no sample are left out; otherwise they are an error.

    Returns
    -------
    files : dict of str to Path
        By sample id.
    notes : list of str
        What a person should know of it.

    Raises
    ------
    DetectionsError
        If a sample has two files.
    ForeignNamesError
        If a file has no sample, or none has.
    """
    by_name: dict[str, Path] = {}
    for path in paths:
        name = os.path.splitext(path.relative_to(folder).as_posix())[0]  # noqa: PTH122
        name = escaped_name(name)
        if name in by_name:
            raise DetectionsError(
                f"expected one prediction called {name!r}, got {by_name[name]} and {path}."
            )
        by_name[name] = path
    match = match_names(list(by_name), ids, str(folder), allow_extra)
    notes = [match.note] if match.note else []
    if match.extra:
        notes.append(f"{len(match.extra)} files of no image of the split are left out")
    return {sample_id: by_name[name] for sample_id, name in match.names.items()}, notes


def match_names(names: Sequence[str], ids: Collection[str], where: str, allow_extra: bool) -> Match:
    """Find the sample that each name means, by one rule for all of them.

    The rules are: the name is the id; its last part is; its last part is, less one
    of ``SUFFIXES`` or ``PREFIXES``. The rule under which most names mean a sample is
    taken, the first of equal ones.

    Parameters
    ----------
    names : sequence of str
        Distinct, without endings.
    ids : collection of str
    where : str
        What to call the place in an error.
    allow_extra : bool

    Raises
    ------
    DetectionsError, ForeignNamesError
    """
    known = set(ids)
    last = [name.rsplit("/", 1)[-1] for name in names]
    rules: list[tuple[str, list[str]]] = [("", list(names)), ("folders are ignored", last)]
    for suffix in SUFFIXES:
        cut = [name[: -len(suffix)] if name.lower().endswith(suffix) else "" for name in last]
        rules.append((f"names end in {suffix!r}", cut))
    for prefix in PREFIXES:
        cut = [name[len(prefix) :] if name.lower().startswith(prefix) else "" for name in last]
        rules.append((f"names begin with {prefix!r}", cut))
    # max() keeps the first of equal ones.
    note, meant = max(rules, key=lambda rule: sum(name in known for name in rule[1]))
    found: dict[str, str] = {}
    extra = []
    for name, sample_id in zip(names, meant, strict=True):
        if sample_id not in known:
            extra.append(name)
        elif sample_id in found:
            raise DetectionsError(
                f"{where}: expected one prediction for {sample_id!r}, got {found[sample_id]!r} "
                f"and {name!r}."
            )
        else:
            found[sample_id] = name
    if names and not found:
        raise ForeignNamesError(
            names,
            f"{where}: none of the {len(names)} names is that of an image: expected such as "
            f"{_few(sorted(known))}, got such as {_few(sorted(names))}.",
        )
    if extra and not allow_extra:
        raise ForeignNamesError(
            extra,
            f"{where}: {len(extra)} of {len(names)} names are of no image of this split: "
            f"{_few(extra)}. Remove them, choose another split, or allow extra files.",
        )
    return Match(found, tuple(extra), note)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
