"""The results table as every text format prints it, before any markup."""

from __future__ import annotations

from dataclasses import dataclass

from irbench.metrics.metric import MetricDefinition


@dataclass(frozen=True)
class Cell:
    """A value as printed.

    Attributes
    ----------
    text : str
    rank : int or None
        1, 2 or 3 for the best, second-best and third-best value of its column.
    mark : str
        Printed behind it.
    """

    text: str
    rank: int | None = None
    mark: str = ""


@dataclass(frozen=True)
class TableRow:
    """One method.

    Attributes
    ----------
    title : str
    notes : tuple of int
        Numbers of its notes, from 1.
    cells : tuple of tuple of Cell
        By group of columns.
    present : tuple of bool
        By group of columns: whether there is a row of results at all.
    """

    title: str
    notes: tuple[int, ...]
    cells: tuple[tuple[Cell, ...], ...]
    present: tuple[bool, ...]


@dataclass(frozen=True)
class ColumnGroup:
    """Columns under one heading: a dataset's, or (without a title) the method's own."""

    title: str
    metrics: tuple[MetricDefinition, ...]


@dataclass(frozen=True)
class RowGroup:
    """Methods under one heading of Table I."""

    title: str
    rows: tuple[TableRow, ...]


@dataclass(frozen=True)
class ResultTable:
    """A results table.

    Attributes
    ----------
    caption : str
        Without the legend of the ranks, which is the format's own.
    columns : tuple of ColumnGroup
        The first one may be the methods' own, without a title.
    row_groups : tuple of RowGroup
    row_notes : tuple of str
        Note 1, 2, …
    footnotes : tuple of str
        What the numbers mean.
    """

    caption: str
    columns: tuple[ColumnGroup, ...]
    row_groups: tuple[RowGroup, ...]
    row_notes: tuple[str, ...]
    footnotes: tuple[str, ...]
