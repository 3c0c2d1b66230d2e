"""The cells of a table: what is printed of a value, how it ranks, and what marks it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from irbench.engine.storage.results import Row
from irbench.metrics.metric import UNDEFINED_TEXT, MetricDefinition

from ._columns import is_false_alarm, ranked_value, ranks
from ._model import Cell, Outcome
from ._table_lines import Line

BOX_MARK = "*"
"""Marks false-alarm areas of methods that return boxes; a footnote says so."""


def ranked_cells(
    lines: Sequence[Line],
    rows: Sequence[Row | None],
    metrics: Sequence[MetricDefinition],
    timed: Mapping[str, int],
    intervals: Mapping[tuple[str, str], str] = MappingProxyType({}),
    outcomes: Mapping[tuple[str, str], Outcome] = MappingProxyType({}),
) -> list[tuple[Cell, ...]]:
    """The cells of a group of columns, row by row, ranked within each column.

    Parameters
    ----------
    lines : sequence of Line
    rows : sequence of (dict or None)
        The values of each line.
    metrics : sequence of MetricDefinition
    timed : mapping of str to int
        By method, on how many images it was timed.
    intervals : mapping of (str, str) to str
        What stands beside the values, by method and metric.
    outcomes : mapping of (str, str) to str
        Of the tests against the reference row, likewise.
    """
    by_column = []
    for metric in metrics:
        # What is only published was measured otherwise: no rank compares it.
        values = [
            ranked_value(row, metric, timed.get(line.method)) if line.method else None
            for line, row in zip(lines, rows, strict=True)
        ]
        by_column.append(
            [
                Cell(
                    _text(row, metric),
                    rank,
                    _mark(row, metric),
                    intervals.get((line.method, metric.name), ""),
                    outcomes.get((line.method, metric.name), ""),
                )
                for line, row, rank in zip(lines, rows, ranks(values, metric), strict=True)
            ]
        )
    return [tuple(column[index] for column in by_column) for index in range(len(rows))]


def with_values(
    cells: Sequence[tuple[Cell, ...]], metrics: Sequence[MetricDefinition], asked: Sequence[str]
) -> list[int]:
    """Positions of the columns with a value in any row, and of those asked for by name."""
    return [
        index
        for index, metric in enumerate(metrics)
        if metric.name in asked or any(row[index].text != UNDEFINED_TEXT for row in cells)
    ]


def _text(row: Row | None, metric: MetricDefinition) -> str:
    value = None if row is None else row.get(metric.name)
    if value == "inf":
        return "∞"
    return UNDEFINED_TEXT if value is None else metric.format(value)


def _mark(row: Row | None, metric: MetricDefinition) -> str:
    boxes = row is not None and row.get("kind") == "box" and row.get(metric.name) is not None
    return BOX_MARK if boxes and is_false_alarm(metric) else ""
