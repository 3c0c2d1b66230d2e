"""Which lines a table has: methods that were run, and rows that only the paper has."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from irbench.detector import group_rank
from irbench.engine.storage.results import Row, RunResults
from irbench.errors import UsageError
from irbench.published import PublishedRow, published_tables
from irbench.published.measured_values import published_dataset
from irbench.report import ReportOptions

from ._choice import with_methods
from ._side_by_side import DataGroup, methods_in_order

AS_PUBLISHED = "as published"
TABLE_1 = 1


@dataclass(frozen=True)
class Line:
    """A line of a table, before it has values.

    Attributes
    ----------
    title, group : str
        What it is called, and the heading that it stands under; none in an ablation.
    method : str
        Whose rows of the runs it shows; empty for a row of the paper.
    settings : tuple of str
        What an ablation varies.
    note : str
        What has to be said of it alone.
    published : PublishedRow or None
        The paper's row, whose values it has where it has no method.
    """

    title: str
    group: str
    method: str = ""
    settings: tuple[str, ...] = ()
    note: str = ""
    published: PublishedRow | None = None

    @property
    def reference(self) -> str:
        """Where the method is published; empty where that is not known."""
        from irbench.plugins.registry import catalogue

        known = catalogue("methods").classes
        names = [self.method] if self.method else self.published.methods if self.published else ()
        found = next((known[name].info.reference for name in names if name in known), "")
        return found or (self.published.reference if self.published and not self.method else "")

    def values(self, group: DataGroup, number: int) -> Row | None:
        """Its values on a dataset, as a row has them; None where there are none."""
        if self.method or self.published is None:
            return group.rows.get(self.method)
        dataset = published_dataset(published_tables()[number], group.facts)
        if dataset is None:
            return None
        names = ("params", "flops", *self.published.printed[dataset])
        return {name: self.published.value(name, dataset) for name in names}


def restricted(runs: Sequence[RunResults], number: int) -> list[RunResults]:
    """Runs with the methods of a table of ablations only; for Table I as they are.

    Raises
    ------
    UsageError
        If none of the runs has any, naming them.
    """
    if number == TABLE_1:
        return list(runs)
    wanted = [name for row in published_tables()[number].rows.values() for name in row.methods]
    kept = with_methods(runs, wanted)
    if not kept:
        first = dict.fromkeys(row.methods[0] for row in published_tables()[number].rows.values())
        raise UsageError(
            f"--table {number} needs results of the networks of the paper's Table "
            f"{published_tables()[number].numeral}; {', '.join(str(run.path) for run in runs)} "
            f"has none. Run them by `irbench run --methods {','.join(first)} "
            f"--dataset {_named(runs[0])}`."
        )
    return kept


def _named(run: RunResults) -> str:
    """What ``--dataset`` calls the dataset of a run."""
    name = str(run.dataset["name"])
    return shlex.quote(str(run.run.get("data_root") or name)) if name == "folder" else name


def headings(number: int) -> tuple[str, ...]:
    """The heads of the columns before the numbers.

    Returns
    -------
    tuple of str
        ``("Method",)`` for Table I; for an ablation ``"Ablation"`` and what it varies.
    """
    if number == TABLE_1:
        return ("Method",)
    return ("Ablation", *_settings(number))


def table_lines(groups: Sequence[DataGroup], options: ReportOptions) -> list[Line]:
    """The lines of a table, from the top.

    Parameters
    ----------
    groups : sequence of DataGroup
    options : ReportOptions
        With ``as_published``, rows that the paper alone has are among them, if it has
        any of the datasets.

    Returns
    -------
    list of Line
        In the order of ``methods``, where those are given, with rows of the paper behind. Else
        Table I: by heading, then by year and name, those of the paper behind. Ablations: as
        the paper's table.
    """
    lines = _comparison(groups) if options.table == TABLE_1 else _ablation(groups, options.table)
    if options.methods:
        positions = {name: position for position, name in enumerate(options.methods)}
        lines.sort(key=lambda line: positions.get(line.method, len(positions)))
    if not options.as_published or not _is_known(groups, options.table):
        return [line for line in lines if line.method]
    return lines


def ablation_notes(lines: Sequence[Line], groups: Sequence[DataGroup], number: int) -> list[str]:
    """Which networks the rows of an ablation are, and which rows have none; none for Table I."""
    if number == TABLE_1:
        return []
    rows: dict[str, list[str]] = {}
    for line in lines:
        if line.method:
            rows.setdefault(line.title, []).append(line.method)
    named = "; ".join(f"{title} {', '.join(methods)}" for title, methods in rows.items())
    notes = [f"Networks, by the names that irbench runs them by: {named}."]
    missing = [
        f"{line.published.name} ({line.published.methods[0]})"
        for line in _ablation(groups, number)
        if not line.method and line.published is not None
    ]
    if missing:
        numeral = published_tables()[number].numeral
        notes.append(f"Rows of Table {numeral} that were not run: {', '.join(missing)}.")
    return notes


def _comparison(groups: Sequence[DataGroup]) -> list[Line]:
    methods = methods_in_order(groups)
    names = {row["method"] for row in methods}
    published = [
        _paper_line(row, TABLE_1)
        for row in published_tables()[TABLE_1].rows.values()
        if not names & set(row.methods)
    ]
    lines = [Line(row["title"], row["group"], row["method"]) for row in methods]
    return sorted([*lines, *published], key=lambda line: group_rank(line.group))


def _ablation(groups: Sequence[DataGroup], number: int) -> list[Line]:
    found = {row["method"]: row for row in methods_in_order(groups)}
    lines = []
    for row in published_tables()[number].rows.values():
        here = [name for name in row.methods if name in found]
        if not here:
            lines.append(_paper_line(row, number))
        for name in here:
            # Several networks may belong to one row of the paper.
            note = f"the network {name}" if name != row.methods[0] else ""
            settings = tuple(row.settings[key] for key in _settings(number))
            lines.append(Line(row.name, "", name, settings, note, row))
    return lines


def _paper_line(row: PublishedRow, number: int) -> Line:
    note = (
        "as published in the paper, under its own split and protocol; not measured here, and not "
        "ranked"
    )
    if row.not_built:
        note += f"; it cannot be built faithfully, since {row.not_built}"
    settings = tuple(row.settings[key] for key in _settings(number))
    return Line(f"{row.name} ({AS_PUBLISHED})", row.group, "", settings, note, row)


def _settings(number: int) -> tuple[str, ...]:
    return tuple(next(iter(published_tables()[number].rows.values())).settings)


def _is_known(groups: Sequence[DataGroup], number: int) -> bool:
    table = published_tables()[number]
    return any(published_dataset(table, group.facts) is not None for group in groups)
