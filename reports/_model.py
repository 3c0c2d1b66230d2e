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
    interval : str
        Its 95 % interval as ``lower–upper``; empty where there is none or none is wanted.
    """

    text: str
    rank: int | None = None
    mark: str = ""
    interval: str = ""


@dataclass(frozen=True)
class TableRow:
    """One method.

    Attributes
    ----------
    title : str
    settings : tuple of str
        Texts of the columns behind the title.
    reference : str
        Where it is published; may be empty.
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
    settings: tuple[str, ...] = ()
    reference: str = ""


@dataclass(frozen=True)
class ColumnGroup:
    """Columns under one heading: a dataset's, or (without a title) the method's own.

    ``reference`` says where the dataset is published; it may be empty.
    """

    title: str
    metrics: tuple[MetricDefinition, ...]
    reference: str = ""


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
    headings : tuple of str
        Heads of the columns with text: the title's, then those of the settings.
    columns : tuple of ColumnGroup
        One may be the methods' own, without a title: the first in Table I, else the last.
    row_groups : tuple of RowGroup
    row_notes : tuple of str
        Note 1, 2, …
    footnotes : tuple of str
        What the numbers mean.
    sources : tuple of str
        References that the caption cites.
    """

    caption: str
    headings: tuple[str, ...]
    columns: tuple[ColumnGroup, ...]
    row_groups: tuple[RowGroup, ...]
    row_notes: tuple[str, ...]
    footnotes: tuple[str, ...]
    sources: tuple[str, ...] = ()
