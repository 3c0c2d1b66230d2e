"""A results table for the terminal: as wide as that is, in several blocks of columns if need be."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from irbench.metrics.metric import MetricDefinition

from ._model import GLYPHS, Cell, ResultTable, TableRow

_RANKS = {1: "¹", 2: "²", 3: "³"}
_STYLES = {1: "bold", 2: "underline", 3: "italic"}
_GAP = 1
_WIDEST_TITLE = 34
"""Longer titles are folded."""

_LEGEND = "¹ ² ³ the best, second-best and third-best value of a column; equal values tie."


def terminal_text(table: ResultTable, width: int, *, styled: bool) -> str:
    """A results table as text.

    Parameters
    ----------
    table : ResultTable
    width : int
        Of the terminal, in characters.
    styled : bool
        Whether bold face and the like are written too, for a terminal that shows them.

    Returns
    -------
    str
        One table for each dataset, each in as many blocks of columns as the width needs, then
        what marks and numbers mean.
    """
    console = Console(
        file=io.StringIO(), width=width, force_terminal=styled, no_color=True, highlight=False
    )
    console.print(Text(table.caption))
    for title, positions in table.parts:
        rows = [
            (group.title, row)
            for group in table.row_groups
            for row in group.rows
            if all(row.present[position] for position in positions)
        ]
        columns = [
            _Numbers(metric, [row.cells[position][index] for _, row in rows])
            for position in positions
            for index, metric in enumerate(table.columns[position].metrics)
        ]
        console.print()
        console.print(Text(title, style="bold"))
        for number, block in enumerate(_blocks(table.headings, rows, columns, width)):
            if number:
                console.print()
            console.print(_block(table.headings, rows, block))
    console.print()
    if any(cell.rank for row in table.rows for cells in row.cells for cell in cells):
        console.print(Text(_LEGEND, style="dim"))
    notes = [f"[{number}] {note}." for number, note in enumerate(table.row_notes, start=1)]
    for note in (*table.legend, *notes, *table.footnotes):
        console.print(Text(note, style="dim"))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines())


class _Numbers:
    """A column of values, padded so that their digits stand one below the other.

    Parameters
    ----------
    metric : MetricDefinition
    cells : sequence of Cell
        By row.
    """

    def __init__(self, metric: MetricDefinition, cells: Sequence[Cell]) -> None:
        unit = f"\n{metric.unit}" if metric.unit else ""
        self.heading = (f"{metric.title} {metric.arrow}".rstrip() + unit).split("\n")
        self.cells = cells
        self._n_suffix = max(len(_suffix(cell)) for cell in cells)
        texts = [cell_len(cell.text) + self._n_suffix for cell in cells]
        others = [*self.heading, *(cell.interval for cell in cells)]
        self.width = max(*texts, *map(cell_len, others))

    @property
    def head(self) -> Text:
        """Title, direction and unit."""
        return Text("\n".join(line.rjust(self.width) for line in self.heading))

    def text(self, position: int) -> Text:
        """The value of a row with its marks, and its interval below."""
        cell = self.cells[position]
        text = Text(" " * (self.width - self._n_suffix - cell_len(cell.text)))
        text.append(cell.text, style=_STYLES.get(cell.rank or 0, ""))
        text.append(_suffix(cell))
        if cell.interval:
            text.append(f"\n{cell.interval.rjust(self.width)}", style="dim")
        return text


def _blocks(
    headings: Sequence[str],
    rows: Sequence[tuple[str, TableRow]],
    columns: Sequence[_Numbers],
    width: int,
) -> Iterator[Sequence[_Numbers]]:
    """As many columns at a time as fit beside the titles, one at the least."""
    first = [headings[0], *(text for group, row in rows for text in (group, _title(row)))]
    others = zip(headings[1:], *(row.settings for _, row in rows), strict=True)
    widths = [max(map(cell_len, column)) for column in (first, *others)]
    free = width - sum(min(one, _WIDEST_TITLE) + _GAP for one in widths)
    start, taken = 0, 0
    for position, column in enumerate(columns):
        if position > start and taken + column.width > free:
            yield columns[start:position]
            start, taken = position, 0
        taken += column.width + _GAP
    yield columns[start:]


def _block(
    headings: Sequence[str], rows: Sequence[tuple[str, TableRow]], columns: Sequence[_Numbers]
) -> Table:
    heads = [Column(head, overflow="fold", max_width=_WIDEST_TITLE) for head in headings]
    heads += [Column(column.head, no_wrap=True) for column in columns]
    table = Table(*heads, box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    shown = None
    for position, (group, row) in enumerate(rows):
        if group and group != shown:
            shown = group
            table.add_row(Text(group, style="dim italic"))
        numbers = [column.text(position) for column in columns]
        table.add_row(Text(_title(row)), *map(Text, row.settings), *numbers)
    return table


def _title(row: TableRow) -> str:
    return row.title + (f" [{','.join(map(str, row.notes))}]" if row.notes else "")


def _suffix(cell: Cell) -> str:
    return _RANKS.get(cell.rank or 0, "") + cell.mark + GLYPHS[cell.outcome]
