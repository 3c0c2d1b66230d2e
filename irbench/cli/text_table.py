"""A table of texts with a title and notes: for a terminal, and as Markdown."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape

from irbench.cli.plain_table import number_column, plain_table, text_column
from irbench.markup.markdown_text import markdown_text, pipe_table


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
