"""Split lists: which images belong to training, validation and test.

The lists of a scheme ship in a package, one id a line, as
``NAME/SCHEME/{train,val,test}.txt`` in a folder with a ``splits.json`` that holds
the hash of each. A changed list is an error, for it would change every number
without a trace. A scheme without a ``val`` list has its validation part held out
of training by :func:`hold_out`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

from irbench.errors import IrbenchError, UnknownNameError

SPLITS = ("train", "val", "test")

HOLD_OUT_PERCENT = 20
"""Share of the training ids that becomes validation where a scheme lists none."""


class SplitListError(IrbenchError):
    """A shipped split list that is missing, changed or malformed."""


def hash_ids(ids: Iterable[str]) -> str:
    r"""Hash of a split list, line endings of its file left aside.

    Parameters
    ----------
    ids : iterable of str
        In the order of the list, which counts.

    Returns
    -------
    str
        SHA-256 in hex of the ids, each followed by ``"\n"``: that of the file
        itself where its lines end so.

    Examples
    --------
    >>> hash_ids(["Misc_1", "Misc_2"])[:16]
    '5796f312ac923bc4'
    """
    return hashlib.sha256("".join(f"{name}\n" for name in ids).encode()).hexdigest()


def parse_ids(text: str, source: str = "the split list") -> list[str]:
    """The ids of a split list.

    Parameters
    ----------
    text : str
        One id a line; empty lines and white space around an id are ignored.
    source : str
        What to call the list in an error.

    Returns
    -------
    list of str
        In the order of the list.

    Raises
    ------
    SplitListError
        If an id occurs twice.
    """
    ids = [line.strip() for line in text.splitlines() if line.strip()]
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise SplitListError(f"{source} names {name!r} twice; each id must occur once.")
        seen.add(name)
    return ids


def hold_out(train: Sequence[str], percent: int = HOLD_OUT_PERCENT) -> tuple[list[str], list[str]]:
    """Hold a validation part out of a training list, the same on every machine.

    Parameters
    ----------
    train : sequence of str
        Distinct ids.
    percent : int
        How many of them, 0 to 100; the nearest whole number, halves up.

    Returns
    -------
    rest, held_out : list of str
        The held-out ids are those with the smallest SHA-256 of their UTF-8
        bytes, so they depend neither on the order of the list nor on a generator
        of random numbers. Both keep the order of ``train``.

    Examples
    --------
    >>> hold_out(["a", "b", "c", "d", "e"])
    (['a', 'b', 'c', 'e'], ['d'])
    """
    n_held_out = (len(train) * percent + 50) // 100
    ranked = sorted(train, key=lambda name: hashlib.sha256(name.encode()).digest())
    chosen = set(ranked[:n_held_out])
    return [name for name in train if name not in chosen], [n for n in train if n in chosen]


@dataclass(frozen=True)
class SplitLists:
    """The split lists of one dataset that ship in a package.

    Parameters
    ----------
    folder : Traversable
        The folder with ``splits.json``, such as ``importlib.resources.files(package)``.
    name : str
        The dataset's name: its key in ``splits.json`` and its subfolder.
    """

    folder: Traversable
    name: str

    @property
    def schemes(self) -> tuple[str, ...]:
        """The schemes that are listed."""
        return tuple(self._entries())

    def ids(self, scheme: str, split: str) -> list[str]:
        """The ids of a split.

        Parameters
        ----------
        scheme : str
        split : {"train", "val", "test"}

        Returns
        -------
        list of str
            In the order of the list.

        Raises
        ------
        UnknownNameError
        SplitListError
            If the list is missing, or its hash is not the one in ``splits.json``.
        """
        if split not in SPLITS:
            raise UnknownNameError("split", split, SPLITS)
        listed = self._entry(scheme)
        if "train" in listed and "val" not in listed and split != "test":
            train, val = hold_out(self._read(scheme, "train"))
            return train if split == "train" else val
        if split not in listed:
            raise UnknownNameError(f"split of {self.name} under {scheme}", split, listed)
        return self._read(scheme, split)

    def damaged(self) -> list[str]:
        """What is wrong with the lists on this machine, a sentence each."""
        found = []
        for scheme in self.schemes:
            for split in self._entry(scheme):
                try:
                    self._read(scheme, split)
                except SplitListError as error:
                    found.append(str(error))
        return found

    def _entries(self) -> dict[str, dict[str, Any]]:
        try:
            table = json.loads(self.folder.joinpath("splits.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SplitListError(f"cannot read splits.json: {error}; reinstall irbench.") from error
        entries: dict[str, dict[str, Any]] = table.get(self.name, {})
        return entries

    def _entry(self, scheme: str) -> dict[str, Any]:
        entries = self._entries()
        if scheme not in entries:
            raise UnknownNameError(f"split scheme of {self.name}", scheme, entries)
        lists: dict[str, Any] = entries[scheme]["lists"]
        return lists

    def _read(self, scheme: str, split: str) -> list[str]:
        source = f"the split list {self.name}/{scheme}/{split}.txt"
        path = self.folder.joinpath(self.name, scheme, f"{split}.txt")
        try:
            ids = parse_ids(path.read_text(encoding="utf-8"), source)
        except (OSError, UnicodeDecodeError) as error:
            raise SplitListError(f"cannot read {source}: {error}; reinstall irbench.") from error
        expected, got = self._entry(scheme)[split]["sha256"], hash_ids(ids)
        if got != expected:
            raise SplitListError(
                f"{source} is not the one that was published: expected sha256 {expected[:16]}…, "
                f"got {got[:16]}…; reinstall irbench."
            )
        return ids
