"""Any text as GitHub Markdown, and tables of it."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence

_SPECIAL = re.compile(r"([\\`*_\[\]<>~$])")
_REFERENCED = re.compile(r"\||(?<!\w)[@#]|&(?=#?\w+;)")
"""Written as references: a bar ends a cell even behind a backslash for some readers, and ``@name``
and ``#12`` at the beginning of a word are mentions of people and issues on GitHub."""


def markdown_text(text: str) -> str:
    r"""Escape a text for GitHub Markdown.

    Parameters
    ----------
    text : str
        Any. White space, line breaks included, becomes single spaces.

    Returns
    -------
    str
        One line that renders as the text, in a table too.

    Examples
    --------
    >>> markdown_text("50%_a&b")
    '50%\\_a&b'
    """
    escaped = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return _REFERENCED.sub(_reference, escaped)


def _reference(found: re.Match[str]) -> str:
    return html.escape(found.group()) if found.group() == "&" else f"&#{ord(found.group())};"


def pipe_table(heads: Sequence[str], rows: Sequence[Sequence[str]], n_texts: int = 1) -> str:
    """A table, padded so that it reads well as plain text too.

    Parameters
    ----------
    heads : sequence of str
        Escaped, as are the cells.
    rows : sequence of sequence of str
        As many cells each.
    n_texts : int
        So many of the first columns are of texts, on the left; the others of numbers.

    Returns
    -------
    str
        Without a final line break.
    """
    table = [heads, *rows]
    widths = [max(3, *(display_width(row[i]) for row in table)) for i in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        padded = []
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            space = " " * (width - display_width(cell))
            padded.append(cell + space if place < n_texts else space + cell)
        return f"| {' | '.join(padded)} |"

    rule = ["-" * width for width in widths[:n_texts]]
    rule += ["-" * (width - 1) + ":" for width in widths[n_texts:]]
    return "\n".join([line(heads), f"| {' | '.join(rule)} |", *(line(row) for row in rows)])


def display_width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )
