"""Tables as CSV that a spreadsheet reads as values, never as formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from irbench.external_text import printable

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
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: csv_cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def csv_cell(value: Any) -> Any:
    """A value as a cell: a text that begins as a formula would gets an apostrophe before it."""
    if not isinstance(value, str):
        return value
    shown = printable(value)
    # Behind a tab or a line feed, which spreadsheets skip, a sign is the first thing too.
    return f"'{shown}" if shown.lstrip().startswith(FORMULA_SIGNS) else shown
