"""Tables without lines in the terminal: texts on the left, numbers on the right."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, OverflowMethod
from rich.table import Column, Table

WIDTH = 100
"""Columns of a terminal where there is none, such as in a file or a pipe."""


def results_console() -> Console:
    """A console as wide as the terminal, and :data:`WIDTH` where there is none."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    return console


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
