"""Tables as CSV that a spreadsheet reads as values, never as formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from irbench.messages.external_text import printable

FORMULA_SIGNS = ("=", "+", "-", "@")
"""What a spreadsheet takes a text for the beginning of a formula by."""


def csv_text(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    r"""A table as CSV, with a header also where there is no row.

    Parameters
    ----------
    names : sequence of str
        The columns; what else a row holds is left out, what it lacks is an empty field.
    rows : iterable of mapping
        Numbers are written as they are. A text that begins as a formula would gets an
        apostrophe before it, which spreadsheets do not show; what cannot be printed is shown
        by its number.

    Returns
    -------
    str
        Lines that end in a line feed.

    Examples
    --------
    >>> csv_text(["title", "change"], [{"title": "=1+1", "change": -0.5}])
    "title,change\n'=1+1,-0.5\n"
    """
    text = io.StringIO()
    writer = CsvWriter(text, names)
    for row in rows:
        writer.write(row)
    return text.getvalue()


class CsvWriter:
    """The same table row by row, where it is too long to be held: the one writer of CSV here.

    Parameters
    ----------
    stream : text file
        Opened with ``newline=""``.
    names : sequence of str
        The columns; the header is written at once.
    line_end : str
    """

    def __init__(self, stream: TextIO, names: Sequence[str], line_end: str = "\n") -> None:
        self._names, self._rows = tuple(names), csv.writer(stream, lineterminator=line_end)
        self._rows.writerow(map(csv_cell, self._names))

    def write(self, row: Mapping[str, Any]) -> None:
        """Write a row; see :func:`csv_text`."""
        self._rows.writerow(csv_cell(row.get(name, "")) for name in self._names)


def csv_cell(value: Any) -> Any:
    """A value as a cell: a text that begins as a formula would gets an apostrophe before it."""
    if not isinstance(value, str):
        return value
    shown = printable(value)
    # Behind a tab or a line feed, which spreadsheets skip, a sign is the first thing too.
    return f"'{shown}" if shown.lstrip().startswith(FORMULA_SIGNS) else shown
