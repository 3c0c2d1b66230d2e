"""Checks of the splits of a dataset: unchanged lists, no overlap, no copies, full coverage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from irbench.data.findings import Finding, note, plural, problem
from irbench.data.splits import SplitLists
from irbench.dataset import Dataset
from irbench.errors import IrbenchError


def copied_images(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """The images of one split that are images of another one, under another name.

    Parameters
    ----------
    one, other : mapping of str to str
        Id to hash of the decoded pixels, such as :func:`irbench.networks.card.image_digests` has.

    Returns
    -------
    dict of str to str
        Ids of ``one``, with the id in ``other`` of the same pixels.

    Examples
    --------
    >>> copied_images({"a": "01", "b": "02"}, {"c": "02", "d": "03"})
    {'b': 'c'}
    """
    by_hash = {digest: name for name, digest in other.items()}
    found = {name: by_hash[digest] for name, digest in one.items() if digest in by_hash}
    return {name: copy for name, copy in found.items() if name != copy}


def check_splits(
    dataset: Dataset, lists: SplitLists | None, hashes: Mapping[str, str] | None = None
) -> Iterator[Finding]:
    """Check every split scheme of a dataset.

    Parameters
    ----------
    dataset : Dataset
    lists : SplitLists or None
        The shipped lists, whose hashes are checked.
    hashes : mapping of str to str, optional
        Of the decoded pixels of each readable image, by id; without, no copies are looked for.

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
        yield from _check_scheme(dataset, scheme, hashes or {})


def _check_scheme(dataset: Dataset, scheme: str, hashes: Mapping[str, str]) -> Iterator[Finding]:
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
        first, second = ({i: hashes[i] for i in part if i in hashes} for part in (ids, other_ids))
        if copies := copied_images(second, first):
            n = plural(len(copies), "image")
            what = f"{prefix}{n} of {other} in {one} too, under another name"
            named = tuple(f"{name} ({copy})" for name, copy in sorted(copies.items()))
            yield problem("splits", what, named)
    for split, ids in parts.items():
        absent = tuple(name for name in ids if name not in everything)
        if absent:
            n = plural(len(absent), "image")
            yield problem("splits", f"{prefix}{n} of {split} not on disk", absent)
    unused = tuple(sorted(everything.difference(*parts.values())))
    if unused:
        n = plural(len(unused), "image")
        yield note("splits", f"{prefix}{n} in no split", unused)
