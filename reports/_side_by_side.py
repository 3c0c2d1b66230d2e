"""Runs side by side: which may stand in one table, and in what order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from irbench.engine.storage.results import Row, RunResults, row_order
from irbench.errors import UsageError

from ._seeds import MergedRow, merged_row

PAPER_DATASETS = ("irstd1k", "nuaa", "nudt")
"""The datasets of Table I, in its order."""


@dataclass(frozen=True, eq=False)
class DataGroup:
    """The rows of one dataset: of one run, or of several on the very same images.

    Attributes
    ----------
    title : str
        The dataset's, with what distinguishes it from others of the same title.
    runs : tuple of RunResults
    rows : dict of str to dict
        By method.
    order : tuple of str
        The methods from the top; empty for the order of Table I.
    merged : dict of str to MergedRow
        By method, the rows that are means over several runs, such as of seeds.
    """

    title: str
    runs: tuple[RunResults, ...]
    rows: Mapping[str, Row]
    order: tuple[str, ...] = ()
    merged: Mapping[str, MergedRow] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Any]:
        """Name, scheme, split and counts of the dataset."""
        return self.runs[0].dataset

    @property
    def limit(self) -> int | None:
        """So many images of the split only."""
        limit: int | None = self.runs[0].run["key"].get("limit")
        return limit

    def split_text(self, noun: str = "") -> str:
        """The tested split with its scheme, a limit and what was done to the images, in words."""
        scheme = self.facts.get("scheme")
        text = f"{noun}{self.facts['split']}{f' of {scheme}' if scheme else ''}"
        if self.limit is not None:
            text = f"only the first {self.limit} images of {text}"
        return f"{text}{self.runs[0].conditions}"

    @property
    def protocol(self) -> dict[str, Any]:
        """The protocol's fields; the same for all groups of a table."""
        return self.runs[0].protocol


def side_by_side(
    runs: Sequence[RunResults], order: Sequence[str] = (), *, seeds: bool = False
) -> tuple[DataGroup, ...]:
    """Arrange runs as groups of columns.

    Runs on the same images become one group, with the rows of all of them. The
    datasets of Table I come first, in its order, then others as given.

    Parameters
    ----------
    runs : sequence of RunResults
    order : sequence of str
        The methods from the top; by default as in Table I.
    seeds : bool
        Merge the rows that several runs have of a method on the same images.

    Raises
    ------
    UsageError
        For runs under different protocols, for operating points of different kinds,
        and for a method that two runs have on the same images, unless ``seeds``.
    """
    if not runs:
        raise UsageError("a report needs at least one run directory.")
    for first, second in combinations(runs, 2):
        _check_protocols(first, second)
    _check_operating_points(runs)
    groups: dict[str, list[RunResults]] = {}
    for run in runs:
        groups.setdefault(run.tested_images, []).append(run)
    members = sorted(groups.values(), key=_dataset_rank)
    titles = _titles([group[0] for group in members])
    found = []
    for title, group in zip(titles, members, strict=True):
        merged = _merged_rows(group) if seeds else {}
        rows = {name: one.row for name, one in merged.items()} if seeds else _all_rows(group)
        spread = {name: one for name, one in merged.items() if one.n_runs > 1}
        found.append(DataGroup(title, tuple(group), rows, tuple(order), spread))
    return tuple(found)


def methods_in_order(groups: Sequence[DataGroup]) -> list[Row]:
    """One row of each method, in the order asked for: by default of Table I, year and name."""
    first: dict[str, Row] = {}
    for group in groups:
        for method, row in group.rows.items():
            first.setdefault(method, row)
    order = groups[0].order if groups else ()
    if order:
        return sorted(first.values(), key=lambda row: order.index(row["method"]))
    return sorted(first.values(), key=row_order)


def rows_of(groups: Sequence[DataGroup]) -> list[Row]:
    """All rows of all groups."""
    return [row for group in groups for row in group.rows.values()]


def _check_protocols(first: RunResults, second: RunResults) -> None:
    names = [*first.protocol, *(name for name in second.protocol if name not in first.protocol)]
    differing = [
        f"{name} is {first.protocol.get(name)!r} in {first.path} "
        f"and {second.protocol.get(name)!r} in {second.path}"
        for name in names
        if first.protocol.get(name) != second.protocol.get(name)
    ]
    if differing:
        raise UsageError(
            f"runs under different protocols cannot share a table: {'; '.join(differing)}. "
            "Report them one by one."
        )


def _check_operating_points(runs: Sequence[RunResults]) -> None:
    """An oracle row shares a table with oracle rows only."""
    where: dict[bool, str] = {}
    for run in runs:
        for row in run.rows:
            rule = row.get("operating_point")
            if rule is not None:
                where.setdefault(rule == "oracle", f"{row['title']} in {run.path}")
    if len(where) == 2:
        raise UsageError(
            "rows whose threshold was chosen on the tested images (oracle) cannot share a table "
            f"with others: {where[True]} is one, {where[False]} is none."
        )


def _dataset_rank(group: Sequence[RunResults]) -> int:
    name = group[0].dataset["name"]
    return PAPER_DATASETS.index(name) if name in PAPER_DATASETS else len(PAPER_DATASETS)


def _merged_rows(runs: Sequence[RunResults]) -> dict[str, MergedRow]:
    found: dict[str, list[tuple[Row, str]]] = {}
    for run in runs:
        for row in run.rows:
            found.setdefault(row["method"], []).append((row, str(run.path)))
    return {
        method: merged_row(*zip(*pairs, strict=True)) if len(pairs) > 1 else MergedRow(pairs[0][0])
        for method, pairs in found.items()
    }


def _all_rows(runs: Sequence[RunResults]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    home: dict[str, RunResults] = {}
    for run in runs:
        for row in run.rows:
            method = row["method"]
            if method in rows:
                raise UsageError(
                    f"{row['title']} on the same images is in both {home[method].path} and "
                    f"{run.path}; give one of them, or --seeds for the mean over both."
                )
            rows[method], home[method] = row, run
    return rows


_FACTS: tuple[Callable[[RunResults], str], ...] = (
    lambda run: f"{run.dataset['split']}",
    lambda run: f"{run.dataset.get('scheme') or 'no scheme'}",
    lambda run: f"first {run.run['key']['limit']}" if run.run["key"].get("limit") else "all images",
    lambda run: run.conditions.removeprefix(", ") or "as they are",
    lambda run: str(run.path),
)


def _titles(runs: Sequence[RunResults]) -> list[str]:
    """The datasets' titles, each with what distinguishes it from those of the same title."""
    titles = []
    for run in runs:
        title = run.dataset["title"]
        alike = [other for other in runs if other.dataset["title"] == title]
        marks: list[str] = []
        for fact in _FACTS:
            if len(alike) > 1 and len({fact(other) for other in alike}) > 1:
                marks.append(fact(run))
                alike = [other for other in alike if fact(other) == fact(run)]
        titles.append(f"{title} ({', '.join(marks)})" if marks else title)
    return titles
