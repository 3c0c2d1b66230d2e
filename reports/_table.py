"""Lays out Table I: which rows, columns and cells, with what marks and notes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from irbench.engine.results import Row, RunResults
from irbench.errors import UsageError
from irbench.metrics.metric import UNDEFINED_TEXT, MetricDefinition
from irbench.report import ReportOptions

from ._columns import PER_METHOD, chosen_columns, is_false_alarm
from ._footnotes import footnotes
from ._model import Cell, ColumnGroup, ResultTable, RowGroup, TableRow
from ._ranking import ranks
from ._row_notes import NumberedNotes, row_notes
from ._side_by_side import DataGroup, methods_in_order, side_by_side

BOX_MARK = "*"
"""Marks false-alarm areas of methods that answer boxes; a footnote says so."""


def table_groups(runs: Sequence[RunResults], options: ReportOptions) -> tuple[DataGroup, ...]:
    """The runs side by side, for a table that can be laid out.

    Raises
    ------
    UsageError
        If the runs cannot be compared, or for another table than 1.
    """
    if options.table != 1:
        raise UsageError(
            f"--table must be 1, got {options.table}: only Table I, the comparison of methods, can "
            "be laid out so far."
        )
    return side_by_side(runs)


def result_table(groups: Sequence[DataGroup], options: ReportOptions) -> ResultTable:
    """Lay out Table I.

    Parameters
    ----------
    groups : sequence of DataGroup
    options : ReportOptions

    Raises
    ------
    UnknownNameError
        For a column that does not exist.
    """
    metrics = chosen_columns(options.columns)
    own = tuple(metric for metric in metrics if metric.name in PER_METHOD)
    per_dataset = tuple(metric for metric in metrics if metric.name not in PER_METHOD)
    methods = methods_in_order(groups)
    blocks: list[tuple[ColumnGroup, list[Row | None]]] = []
    if own:
        values = [_own_values(method["method"], groups, own) for method in methods]
        blocks.append((ColumnGroup("", own), list(values)))
    for group in groups if per_dataset else ():
        found = [group.rows.get(method["method"]) for method in methods]
        blocks.append((ColumnGroup(group.title, per_dataset), found))
    cells = [_cells(found, columns.metrics) for columns, found in blocks]
    notes = NumberedNotes()
    rows = [
        TableRow(
            title=method["title"],
            notes=notes.numbers(row_notes(method["method"], groups, own)),
            cells=tuple(block[index] for block in cells),
            present=tuple(found[index] is not None for _, found in blocks),
        )
        for index, method in enumerate(methods)
    ]
    headed = groupby(zip(methods, rows, strict=True), key=lambda pair: pair[0]["group"])
    return ResultTable(
        caption=_caption(groups, metrics),
        columns=tuple(columns for columns, _ in blocks),
        row_groups=tuple(RowGroup(title, tuple(r for _, r in pairs)) for title, pairs in headed),
        row_notes=notes.texts,
        footnotes=tuple(footnotes(groups, metrics)),
    )


def _cells(
    rows: Sequence[Row | None], metrics: Sequence[MetricDefinition]
) -> list[tuple[Cell, ...]]:
    """The cells of a group of columns, row by row, ranked within each column."""
    by_column = []
    for metric in metrics:
        values = [None if row is None else _number(row.get(metric.name)) for row in rows]
        places = ranks(values, metric)
        by_column.append(
            [
                Cell(_text(row, metric), place, _mark(row, metric))
                for row, place in zip(rows, places, strict=True)
            ]
        )
    return [tuple(column[index] for column in by_column) for index in range(len(rows))]


def _number(value: object) -> float | None:
    # A threshold that keeps nothing is the text "inf".
    return float(value) if isinstance(value, int | float) else None


def _text(row: Row | None, metric: MetricDefinition) -> str:
    value = None if row is None else row.get(metric.name)
    if value == "inf":
        return "∞"
    return UNDEFINED_TEXT if value is None else metric.format(value)


def _mark(row: Row | None, metric: MetricDefinition) -> str:
    boxes = row is not None and row.get("kind") == "box" and row.get(metric.name) is not None
    return BOX_MARK if boxes and is_false_alarm(metric) else ""


def _own_values(
    method: str, groups: Sequence[DataGroup], metrics: Sequence[MetricDefinition]
) -> Row:
    """What stands once for a method: the first value that any of the groups has."""
    rows = [group.rows[method] for group in groups if method in group.rows]
    return {
        metric.name: next(
            (row[metric.name] for row in rows if row.get(metric.name) is not None), None
        )
        for metric in metrics
    }


def _caption(groups: Sequence[DataGroup], metrics: Sequence[MetricDefinition]) -> str:
    units = [
        f"{_listed([metric.title for metric in alike])} in {unit}"
        for unit, alike in _by_unit(metrics).items()
        if unit
    ]
    parts = [f"Comparison of methods on {_listed([group.title for group in groups])}."]
    if groups[0].protocol["operating_point"] == "oracle":
        parts.append(
            "ORACLE: every score threshold was chosen on the tested images themselves; the numbers "
            "are upper bounds and no results."
        )
    if units:
        parts.append(f"{'; '.join(units)}.")
    arrows = {metric.arrow for metric in metrics} - {""}
    meaning = {"↑": "↑: the higher, the better", "↓": "↓: the lower, the better"}
    if arrows:
        parts.append(f"{'; '.join(meaning[arrow] for arrow in sorted(arrows))}.")
    return " ".join(parts)


def _by_unit(metrics: Sequence[MetricDefinition]) -> dict[str, list[MetricDefinition]]:
    units: dict[str, list[MetricDefinition]] = {}
    for metric in metrics:
        units.setdefault(metric.unit, []).append(metric)
    return units


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
