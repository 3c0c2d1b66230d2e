"""Lays out a table: which rows, columns and cells, with what marks and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from irbench.engine.storage.results import Row, RunResults
from irbench.errors import UsageError
from irbench.metrics.metric import MetricDefinition
from irbench.published import published_reference
from irbench.report import ReportOptions

from ._captions import table_title, table_units
from ._cells import ranked_cells, with_values
from ._choice import check_reference, chosen_runs
from ._columns import PER_METHOD, TIMES, chosen_columns
from ._cost_notes import timed_images
from ._footnotes import box_legend, footnotes
from ._intervals import interval_texts
from ._model import Cell, ColumnGroup, ResultTable, RowGroup, TableRow
from ._row_notes import NumberedNotes, row_notes
from ._seeds import deviation_legend, deviation_texts
from ._side_by_side import DataGroup, rows_of, side_by_side
from ._significance import Significance, significance
from ._table_lines import TABLE_1, Line, ablation_notes, headings, restricted, table_lines


def table_groups(runs: Sequence[RunResults], options: ReportOptions) -> tuple[DataGroup, ...]:
    """The runs side by side, with the methods of the table, and of those the ones asked for.

    Raises
    ------
    UsageError
        If the runs cannot be compared, have nothing of the table, or would have to stand
        beside published values with thresholds that were chosen on the tested images; or if
        the reference has no results.
    UnknownNameError
        For a method or a reference that the runs have not.
    """
    if options.seeds and (options.intervals or options.reference):
        raise UsageError(
            "--seeds prints the spread over runs, --intervals and --reference that over the images "
            "of one run; give the one or the other."
        )
    if options.reference:
        check_reference(runs, options)
    chosen = chosen_runs(restricted(runs, options.table), options)
    groups = side_by_side(chosen, options.methods, seeds=options.seeds)
    oracle = any(row.get("operating_point") == "oracle" for row in rows_of(groups))
    if oracle and (options.paper or options.as_published):
        raise UsageError(
            "rows whose threshold was chosen on the tested images (oracle) cannot share a table "
            "with published values; leave out --paper and --as-published."
        )
    return groups


def result_table(groups: Sequence[DataGroup], options: ReportOptions) -> ResultTable:
    """Lay out a table.

    Raises
    ------
    UnknownNameError
        For a column that does not exist.
    UsageError
        If nothing can be tested against the reference.
    """
    metrics = chosen_columns(options.columns)
    own = tuple(metric for metric in metrics if metric.name in PER_METHOD)
    per_dataset = tuple(metric for metric in metrics if metric.name not in PER_METHOD)
    lines = table_lines(groups, options)
    tests = significance(groups, per_dataset, options.reference) if options.reference else None
    blocks, remarks = _blocks(lines, groups, per_dataset, options, tests)
    if own:
        rows = [_own_values(line, groups, own, options.table) for line in lines]
        cells = ranked_cells(lines, rows, own, {})
        # In front, as in Table I, or behind, as in the ablations.
        position = 0 if options.table == TABLE_1 else len(blocks)
        blocks.insert(position, _Block(ColumnGroup("", own), cells, [True] * len(lines)))
    if not options.show_empty:
        blocks = _with_values(blocks, options.columns)
    shown = [metric for block in blocks for metric in block.columns.metrics]
    metrics = tuple(metric for metric in metrics if metric in shown)
    notes = NumberedNotes()
    rows_of_table = [
        TableRow(
            title=line.title,
            notes=notes.numbers(_notes(line, groups, own, options)),
            cells=tuple(block.cells[index] for block in blocks),
            present=tuple(block.present[index] for block in blocks),
            settings=line.settings,
            reference=line.reference,
        )
        for index, line in enumerate(lines)
    ]
    marks = "" if tests is None else tests.legend
    spread = deviation_legend([one for group in groups for one in group.merged.values()])
    from_paper = options.table != TABLE_1 or any(not line.method for line in lines)
    return ResultTable(
        title=table_title(groups, options.table),
        units=table_units(metrics),
        headings=headings(options.table),
        columns=tuple(block.columns for block in blocks),
        row_groups=_row_groups(lines, rows_of_table),
        row_notes=notes.texts,
        legend=tuple(filter(None, (marks, spread, box_legend(groups, metrics)))),
        footnotes=(
            *remarks,
            *ablation_notes(lines, groups, options.table),
            *footnotes(groups, metrics, options.notes),
        )
        if options.notes != "none"
        else (),
        sources=(published_reference(),) if from_paper else (),
    )


@dataclass(frozen=True)
class _Block:
    """A group of columns with its cells by line, and which lines have a row of results."""

    columns: ColumnGroup
    cells: list[tuple[Cell, ...]]
    present: list[bool]


def _blocks(
    lines: Sequence[Line],
    groups: Sequence[DataGroup],
    metrics: Sequence[MetricDefinition],
    options: ReportOptions,
    tests: Significance | None,
) -> tuple[list[_Block], list[str]]:
    """The columns of each dataset, and remarks on what stands beside their values."""
    if options.intervals:
        intervals, remarks = interval_texts(groups, metrics)
    else:
        intervals, remarks = [deviation_texts(one.merged, metrics) for one in groups], []
    if tests is not None:
        remarks += [one for one in tests.problems if one not in remarks]
    blocks = []
    for position, group in enumerate(groups if metrics else ()):
        rows = [line.values(group, options.table) for line in lines]
        timed = {} if options.notes == "none" else _timed(group, metrics)
        outcomes = {} if tests is None else tests.outcomes[position]
        cells = ranked_cells(lines, rows, metrics, timed, intervals[position], outcomes)
        reference = str(group.facts.get("reference") or "")
        columns = ColumnGroup(group.title, tuple(metrics), reference)
        blocks.append(_Block(columns, cells, [row is not None for row in rows]))
    return blocks, remarks


def _with_values(blocks: Sequence[_Block], asked: Sequence[str]) -> list[_Block]:
    """The blocks without columns of dashes; all of them where nothing has a value."""
    kept = []
    for block in blocks:
        metrics = block.columns.metrics
        shown = with_values(block.cells, metrics, asked)
        if shown:
            columns = replace(block.columns, metrics=tuple(metrics[index] for index in shown))
            cells = [tuple(row[index] for index in shown) for row in block.cells]
            kept.append(_Block(columns, cells, block.present))
    return kept or list(blocks)


def _timed(group: DataGroup, metrics: Sequence[MetricDefinition]) -> dict[str, int]:
    return timed_images(group) if any(metric.name in TIMES for metric in metrics) else {}


def _row_groups(lines: Sequence[Line], rows: Sequence[TableRow]) -> tuple[RowGroup, ...]:
    """Rows under their headings; under none where an order of one's own would repeat them."""
    headed = groupby(zip(lines, rows, strict=True), key=lambda pair: pair[0].group)
    groups = tuple(RowGroup(title, tuple(row for _, row in pairs)) for title, pairs in headed)
    if len({group.title for group in groups}) < len(groups):
        return (RowGroup("", tuple(rows)),)
    return groups


def _notes(
    line: Line,
    groups: Sequence[DataGroup],
    own: Sequence[MetricDefinition],
    options: ReportOptions,
) -> list[str]:
    said = row_notes(line.method, groups, own, options.notes) if line.method else []
    # What is only published must not pass for measured.
    return [note for note in (line.note, *said) if note]


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
