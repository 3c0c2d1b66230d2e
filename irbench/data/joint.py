"""Several datasets as one, for training on all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from irbench.dataset import Dataset, DatasetInfo, Sample
from irbench.errors import UsageError

SEPARATOR = "+"
"""Between the names of the parts in the name of the whole."""

ID_SEPARATOR = "/"
"""Between the name of a part and the id of its sample in an id of the whole."""


class JointDataset(Dataset):
    """The samples of several datasets, one dataset after the other.

    A sample's id is ``PART/ID``, so that equal ids of two parts stay apart. It has the splits
    that all parts have, each under the scheme that it was opened with.

    Parameters
    ----------
    parts : sequence of Dataset
        At least two, of one split.

    Raises
    ------
    UsageError
        For fewer than two parts, for parts of different splits, or for two parts of one name.

    Examples
    --------
    >>> import irbench
    >>> parts = [irbench.load_dataset(name, split="val") for name in ("synth", "synth256")]
    >>> JointDataset(parts).info.name
    'synth+synth256'
    """

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="joint", title="Several datasets", reference="their own"
    )

    def __init__(self, parts: Sequence[Dataset]) -> None:
        self.parts = {_name(part): part for part in parts}
        if len(parts) < 2 or len(self.parts) < len(parts):
            raise UsageError(
                "a joint dataset needs at least two datasets of different names, got "
                f"{', '.join(_name(part) for part in parts) or 'none'}."
            )
        splits = {part.split for part in parts}
        if len(splits) > 1:
            raise UsageError(f"the parts must be of one split, got {', '.join(sorted(splits))}.")
        infos = [part.info for part in parts]
        licences = dict.fromkeys(info.licence for info in infos if info.licence)
        # Of this object, not of the class: two joint datasets have two names.
        self.__dict__["info"] = DatasetInfo(
            name=SEPARATOR.join(self.parts),
            title=" + ".join(info.title for info in infos),
            reference="; ".join(info.reference for info in infos),
            licence="; ".join(licences),
        )
        self.scheme = SEPARATOR.join(dict.fromkeys(part.scheme for part in parts))
        self.split = parts[0].split
        self.root = None
        self._check_split(self.split)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that every part has."""
        first, *others = self.parts.values()
        return tuple(split for split in first.splits if all(split in one.splits for one in others))

    def split_ids(self, split: str) -> list[str]:
        """The ids ``PART/ID`` of a split."""
        return [
            f"{name}{ID_SEPARATOR}{sample_id}"
            for name, part in self.parts.items()
            for sample_id in part.split_ids(split)
        ]

    def load(self, sample_id: str) -> Sample:
        """Read one sample by its id ``PART/ID``."""
        name, separator, own_id = sample_id.partition(ID_SEPARATOR)
        if not separator or name not in self.parts:
            raise UsageError(
                f"an id of {self.info.name} must be PART{ID_SEPARATOR}ID with one of "
                f"{', '.join(self.parts)}, got {sample_id!r}."
            )
        return replace(self.parts[name].load(own_id), id=sample_id)

    def with_split(self, split: str) -> JointDataset:
        """The same data, another split."""
        return JointDataset([part.with_split(split) for part in self.parts.values()])


def joined(parts: Sequence[Dataset]) -> Dataset:
    """Several datasets as one; a single one as it is."""
    return parts[0] if len(parts) == 1 else JointDataset(parts)


def dataset_names(text: str) -> list[str]:
    """The datasets that a text names: one, or several with commas between.

    A directory may have a comma in its own name.

    Examples
    --------
    >>> dataset_names("nudt, nuaa")
    ['nudt', 'nuaa']
    """
    if Path(text).exists():
        return [text]
    return [name.strip() for name in text.split(",") if name.strip()]


def joint_id(joint: str, part: str, sample_id: str) -> str | None:
    """The id that a sample of one dataset has in a joint one; None where that has no such part.

    Examples
    --------
    >>> joint_id("nudt+nuaa", "nuaa", "Misc_1")
    'nuaa/Misc_1'
    """
    names = joint.split(SEPARATOR)
    return f"{part}{ID_SEPARATOR}{sample_id}" if len(names) > 1 and part in names else None


def _name(part: Dataset) -> str:
    """The name of a published dataset, or that of a user's own folder."""
    if part.info.name == "folder" and part.root is not None:
        return Path(part.root).resolve().name.replace(" ", "-")
    return part.info.name
