"""The results table as every text format prints it, before any markup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from irbench.metrics.metric import MetricDefinition

Outcome = Literal["", "better", "worse", "same"]
"""What a test against the reference row came out as; empty where there is none."""

GLYPHS: Mapping[Outcome, str] = {"": "", "better": "+", "worse": "−", "same": "≈"}
"""What a table prints of it behind a value."""


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
        Its 95 % interval as ``lower–upper``, or the standard deviation of a mean as ``±s``; empty
        where there is none or none is wanted.
    outcome : {"", "better", "worse", "same"}
        Whether it differs from the reference row's beyond chance; empty without a test.
    """

    text: str
    rank: int | None = None
    mark: str = ""
    interval: str = ""
    outcome: Outcome = ""


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
    title : str
        What is compared on what.
    units : str
        The units of its columns, and what their arrows mean.
    headings : tuple of str
        Heads of the columns with text: the title's, then those of the settings.
    columns : tuple of ColumnGroup
        One may be the methods' own, without a title: the first in Table I, else the last.
    row_groups : tuple of RowGroup
    row_notes : tuple of str
        Note 1, 2, …
    legend : tuple of str
        What the marks mean that cells have; printed however little is said otherwise.
    footnotes : tuple of str
        What the numbers mean.
    sources : tuple of str
        References that the caption cites.
    """

    title: str
    units: str
    headings: tuple[str, ...]
    columns: tuple[ColumnGroup, ...]
    row_groups: tuple[RowGroup, ...]
    row_notes: tuple[str, ...]
    legend: tuple[str, ...]
    footnotes: tuple[str, ...]
    sources: tuple[str, ...] = ()

    @property
    def caption(self) -> str:
        """Title and units; the legend of the ranks is the format's own."""
        return f"{self.title} {self.units}".rstrip()

    @property
    def rows(self) -> list[TableRow]:
        """Those of all groups, from the top."""
        return [row for group in self.row_groups for row in group.rows]

    @property
    def parts(self) -> list[tuple[str, list[int]]]:
        """Titles, and the groups of columns under each: a dataset's with the methods' own."""
        own = [position for position, group in enumerate(self.columns) if not group.title]
        datasets = [position for position, group in enumerate(self.columns) if group.title]
        return [
            (self.columns[position].title or "Methods", sorted({*own, position}))
            for position in datasets or own
        ]
