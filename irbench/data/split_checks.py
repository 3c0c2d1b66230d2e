"""Checks of the splits of a dataset: unchanged lists, no overlap, full coverage."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from irbench.data.findings import Finding, note, plural, problem
from irbench.data.splits import SplitLists
from irbench.dataset import Dataset
from irbench.errors import IrbenchError


def check_splits(dataset: Dataset, lists: SplitLists | None) -> Iterator[Finding]:
    """Check every split scheme of a dataset.

    Parameters
    ----------
    dataset : Dataset
    lists : SplitLists or None
        The shipped lists, whose hashes are checked.

    Yields
    ------
    Finding
    """
    if lists is not None:
        damaged = lists.damaged()
        yield from (problem("splits", message.removesuffix(".")) for message in damaged)
        if damaged:
            return
        yield note("splits", f"the lists of {' and '.join(lists.schemes)} are as shipped")
    for scheme in dataset.info.schemes or (dataset.scheme,):
        yield from _check_scheme(dataset, scheme)


def _check_scheme(dataset: Dataset, scheme: str) -> Iterator[Finding]:
    prefix = f"{scheme}: " if scheme else ""
    try:
        opened = dataset
        if scheme != dataset.scheme:
            opened = type(dataset)(root=dataset.root, split="all", scheme=scheme)
        parts = {split: opened.split_ids(split) for split in opened.splits if split != "all"}
        everything = set(opened.split_ids("all"))
    except IrbenchError as error:
        yield problem("splits", f"{prefix}cannot be read: {error}")
        return
    for (one, ids), (other, other_ids) in combinations(parts.items(), 2):
        shared = tuple(sorted(set(ids) & set(other_ids)))
        if shared:
            n = plural(len(shared), "image")
            yield problem("splits", f"{prefix}{n} in both {one} and {other}", shared)
    for split, ids in parts.items():
        absent = tuple(name for name in ids if name not in everything)
        if absent:
            n = plural(len(absent), "image")
            yield problem("splits", f"{prefix}{n} of {split} not on disk", absent)
    unused = tuple(sorted(everything.difference(*parts.values())))
    if unused:
        n = plural(len(unused), "image")
        yield note("splits", f"{prefix}{n} in no split", unused)
