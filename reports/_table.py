"""Lays out a table: which rows, columns and cells, with what marks and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from irbench.engine.storage.results import Row, RunResults
from irbench.errors import UsageError
from irbench.metrics.metric import UNDEFINED_TEXT, MetricDefinition
from irbench.published import published_reference, published_tables
from irbench.report import ReportOptions

from ._captions import table_caption
from ._columns import PER_METHOD, chosen_columns, is_false_alarm
from ._footnotes import footnotes
from ._intervals import interval_texts
from ._model import Cell, ColumnGroup, ResultTable, RowGroup, TableRow
from ._ranking import ranks
from ._row_notes import NumberedNotes, row_notes
from ._side_by_side import DataGroup, rows_of, side_by_side
from ._table_lines import TABLE_1, Line, headings, missing_lines, restricted, table_lines

BOX_MARK = "*"
"""Marks false-alarm areas of methods that return boxes; a footnote says so."""


def table_groups(runs: Sequence[RunResults], options: ReportOptions) -> tuple[DataGroup, ...]:
    """The runs side by side, with the methods of the table that is asked for.

    Raises
    ------
    UsageError
        If the runs cannot be compared, have nothing of the table, or would have to stand
        beside published values with thresholds that were chosen on the tested images.
    """
    groups = side_by_side(restricted(runs, options.table))
    oracle = any(row.get("operating_point") == "oracle" for row in rows_of(groups))
    if oracle and (options.paper or options.as_published):
        raise UsageError(
            "rows whose threshold was chosen on the tested images (oracle) cannot share a table "
            "with published values; leave out --paper and --as-published."
        )
    return groups


def result_table(groups: Sequence[DataGroup], options: ReportOptions) -> ResultTable:
    """Lay out a table.

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
    lines = table_lines(groups, options)
    spreads = interval_texts(groups, per_dataset) if options.intervals else None
    blocks: list[tuple[ColumnGroup, list[tuple[Cell, ...]], list[bool]]] = []
    for index, group in enumerate(groups if per_dataset else ()):
        found = [line.values(group, options.table) for line in lines]
        cells = _cells(lines, found, per_dataset)
        if spreads is not None:
            cells = _with_intervals(lines, cells, per_dataset, spreads.texts[index])
        reference = str(group.facts.get("reference") or "")
        blocks.append((ColumnGroup(group.title, per_dataset, reference), cells, _present(found)))
    if own:
        found = [_own_values(line, groups, own, options.table) for line in lines]
        block = (ColumnGroup("", own), _cells(lines, found, own), [True] * len(lines))
        # In front, as in Table I, or behind, as in the ablations.
        blocks.insert(0 if options.table == TABLE_1 else len(blocks), block)
    notes = NumberedNotes()
    rows = [
        TableRow(
            title=line.title,
            notes=notes.numbers(_notes(line, groups, own)),
            cells=tuple(cells[index] for _, cells, _ in blocks),
            present=tuple(present[index] for _, _, present in blocks),
            settings=line.settings,
            reference=line.reference,
        )
        for index, line in enumerate(lines)
    ]
    headed = groupby(zip(lines, rows, strict=True), key=lambda pair: pair[0].group)
    from_paper = options.table != TABLE_1 or any(not line.method for line in lines)
    return ResultTable(
        caption=table_caption(groups, metrics, options.table),
        headings=headings(options.table),
        columns=tuple(columns for columns, _, _ in blocks),
        row_groups=tuple(RowGroup(title, tuple(r for _, r in pairs)) for title, pairs in headed),
        row_notes=notes.texts,
        footnotes=(
            *(() if spreads is None else spreads.notes),
            *_ablation_notes(lines, groups, options.table),
            *footnotes(groups, metrics),
        ),
        sources=(published_reference(),) if from_paper else (),
    )


def _notes(line: Line, groups: Sequence[DataGroup], own: Sequence[MetricDefinition]) -> list[str]:
    said = row_notes(line.method, groups, own) if line.method else []
    return [note for note in (line.note, *said) if note]


def _ablation_notes(lines: Sequence[Line], groups: Sequence[DataGroup], number: int) -> list[str]:
    """Which networks the rows are, and which rows have none."""
    if number == TABLE_1:
        return []
    rows: dict[str, list[str]] = {}
    for line in lines:
        if line.method:
            rows.setdefault(line.title, []).append(line.method)
    named = "; ".join(f"{title} {', '.join(methods)}" for title, methods in rows.items())
    notes = [f"Networks, by the names that irbench runs them by: {named}."]
    missing = missing_lines(groups, number)
    if missing:
        numeral = published_tables()[number].numeral
        notes.append(f"Rows of Table {numeral} that were not run: {', '.join(missing)}.")
    return notes


def _present(rows: Sequence[Row | None]) -> list[bool]:
    return [row is not None for row in rows]


def _cells(
    lines: Sequence[Line], rows: Sequence[Row | None], metrics: Sequence[MetricDefinition]
) -> list[tuple[Cell, ...]]:
    """The cells of a group of columns, row by row, ranked within each column."""
    by_column = []
    for metric in metrics:
        # What is only published was measured otherwise: no rank compares it.
        values = [
            None if row is None or not line.method else _number(row.get(metric.name))
            for line, row in zip(lines, rows, strict=True)
        ]
        places = ranks(values, metric)
        by_column.append(
            [
                Cell(_text(row, metric), place, _mark(row, metric))
                for row, place in zip(rows, places, strict=True)
            ]
        )
    return [tuple(column[index] for column in by_column) for index in range(len(rows))]


def _with_intervals(
    lines: Sequence[Line],
    cells: Sequence[tuple[Cell, ...]],
    metrics: Sequence[MetricDefinition],
    texts: Mapping[tuple[str, str], str],
) -> list[tuple[Cell, ...]]:
    return [
        tuple(
            replace(cell, interval=texts.get((line.method, metric.name), ""))
            for cell, metric in zip(row, metrics, strict=True)
        )
        for line, row in zip(lines, cells, strict=True)
    ]


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
    line: Line, groups: Sequence[DataGroup], metrics: Sequence[MetricDefinition], number: int
) -> Row:
    """What stands once for a method: the first value that any of the groups has."""
    rows = [row for group in groups if (row := line.values(group, number)) is not None]
    return {
        metric.name: next(
            (row[metric.name] for row in rows if row.get(metric.name) is not None), None
        )
        for metric in metrics
    }
