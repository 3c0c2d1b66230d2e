"""Tables of texts and numbers: without lines in the terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console, OverflowMethod
from rich.markup import escape
from rich.table import Column, Table

from irbench.markup.markdown_text import markdown_text, pipe_table

WIDTH = 100
"""Columns of a terminal where there is none, such as in a file or a pipe."""


def results_console() -> Console:
    """A console as wide as the terminal, and :data:`WIDTH` where there is none."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    return console


def print_line(console: Console, text: str, style: str = "") -> None:
    """Print a text as it is: brackets in it are no markup."""
    console.print(text, style=style or None, markup=False)


def text_column(head: str, max_width: int | None = None, min_width: int | None = None) -> Column:
    """A column of texts, which wrap."""
    return Column(head, overflow="fold", max_width=max_width, min_width=min_width)


def number_column(head: str, *, wraps: bool = False, min_width: int | None = None) -> Column:
    """A column of numbers; where one does not wrap and is cut all the same, an ellipsis shows it.

    Parameters
    ----------
    head : str
    wraps : bool
        Whether its cells, such as intervals, may be broken at spaces.
    min_width : int, optional
    """
    overflow: OverflowMethod = "fold" if wraps else "ellipsis"
    return Column(head, justify="right", no_wrap=not wraps, overflow=overflow, min_width=min_width)


def plain_table(columns: Iterable[Column], console: Console | None = None, gap: int = 2) -> Table:
    """A table without lines.

    Parameters
    ----------
    columns : iterable of rich.table.Column
    console : rich.console.Console, optional
        One that is narrower than :data:`WIDTH` gets a gap of 1.
    gap : int
        Spaces between columns.
    """
    if console is not None and console.width < WIDTH:
        gap = 1
    padding = (0, gap, 0, 0)
    return Table(*columns, box=None, pad_edge=False, header_style="bold", padding=padding)


@dataclass(frozen=True)
class TextTable:
    """A table that each format writes its own way; nothing is escaped.

    Attributes
    ----------
    title : str
    heads : tuple of str
        Of the columns, in which a line break is allowed; empty where there are notes only.
    rows : tuple of tuple of str
    notes : tuple of str
    n_texts : int
        So many of the first columns hold text, the others numbers.
    """

    title: str
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    n_texts: int = 1

    def print_title(self, console: Console) -> None:
        """Print the title, apart from what stands above."""
        console.print()
        console.print(self.title, style="bold", markup=False)

    def print_rows(self, console: Console, gap: int = 2) -> None:
        """Print rows and notes; numbers are never cut: in a narrow terminal intervals wrap."""
        if self.heads:
            heads = list(map(escape, self.heads))
            texts = map(text_column, heads[: self.n_texts])
            numbers = (number_column(one, wraps="interval" in one) for one in heads[self.n_texts :])
            table = plain_table([*texts, *numbers], console, gap)
            for row in self.rows:
                table.add_row(*map(escape, row))
            console.print(table)
        for note in self.notes:
            console.print(note, style="dim", markup=False)

    def pipe_table(self) -> str:
        """The rows as GitHub Markdown, without title and notes."""
        rows = [list(map(markdown_text, row)) for row in self.rows]
        return pipe_table(list(map(markdown_text, self.heads)), rows, self.n_texts)
