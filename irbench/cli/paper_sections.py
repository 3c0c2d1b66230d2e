"""What ``irbench paper`` says, as sections that every format writes its own way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from irbench.metrics.definition import METRICS
from irbench.metrics.metric import UNDEFINED_TEXT
from irbench.published import COST, QUALITY, published_tables
from irbench.published.consistency import (
    Disagreement,
    F1Inconsistency,
    different_entries,
    f1_inconsistencies,
)

WRONG = "†"
"""Marks a printed F1 that does not follow from P and R."""


@dataclass(frozen=True)
class PaperSection:
    """A table with a title and notes; nothing is escaped.

    Attributes
    ----------
    title : str
    heads : tuple of str
        Of the columns; empty where there are notes only.
    n_texts : int
        So many of the first columns hold text, the others numbers.
    rows : tuple of tuple of str
    notes : tuple of str
    """

    title: str
    heads: tuple[str, ...] = ()
    n_texts: int = 1
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()


def table_sections(number: int, tolerance: float) -> list[PaperSection]:
    """A published table, one section for each of its datasets.

    Parameters
    ----------
    number : int
        1 to 6.
    tolerance : float
        In percentage points; greater errors of F1 are marked.

    Returns
    -------
    list of PaperSection
    """
    table = published_tables()[number]
    wrong = {(one.row, one.dataset) for one in f1_inconsistencies(tolerance) if one.table == number}
    rows = list(table.rows.values())
    settings = tuple(rows[0].settings)
    first = "Row" if number > 1 else "Method"
    metrics = (*COST, *QUALITY)
    sections = []
    for dataset, heading in table.datasets.items():
        lines = []
        for row in rows:
            texts = [row.text(metric, dataset).replace("-", UNDEFINED_TEXT) for metric in metrics]
            if (row.name, dataset) in wrong:
                # In front, where it leaves the digits of the column one below the other.
                texts[metrics.index("f1")] = WRONG + row.text("f1", dataset)
            lines.append((row.name, *(row.settings[name] for name in settings), *texts))
        marked = any(name == dataset for _, name in wrong)
        sections.append(
            PaperSection(
                title=f"Table {table.numeral}, {heading}: {table.title}",
                heads=(first, *settings, *(METRICS[metric].title for metric in metrics)),
                n_texts=1 + len(settings),
                rows=tuple(lines),
                notes=(f"{WRONG} is not 2PR/(P+R); see below.",) if marked else (),
            )
        )
    return sections


def consistency_section(
    found: Sequence[F1Inconsistency], tables: Sequence[int], tolerance: float
) -> PaperSection:
    """The printed F1 that do not follow from P and R.

    Parameters
    ----------
    found : sequence of F1Inconsistency
        In these tables.
    tables : sequence of int
        Numbers of the tables that are shown.
    tolerance : float
        What they were found by.

    Returns
    -------
    PaperSection
    """
    entries = different_entries(found)
    lines = []
    for entry in entries:
        for one in entry:
            table = published_tables()[one.table]
            numbers = (one.precision, one.recall, one.printed, one.recomputed)
            lines.append(
                (
                    table.numeral,
                    one.row,
                    table.datasets[one.dataset],
                    *(f"{number:.2f}" for number in numbers),
                    signed_text(one.difference),
                )
            )
    notes = [
        f"{len(found)} printed, {len(entries)} without repetitions, that differ by more than "
        f"{tolerance:g} points, and by more than rounding explains."
        if found
        else f"Every printed F1 is within {tolerance:g} points of 2PR/(P+R), or of rounding."
    ]
    if names := [_place(one.table, one.row) for one in found if one.is_impossible]:
        notes.append(f"Outside of P and R, where no mean of them can be: {', '.join(names)}.")
    smaller = [one for one in f1_inconsistencies(0.0) if one.table in tables and one not in found]
    if smaller:
        notes.append(
            f"{len(smaller)} more in these tables by less than that, yet by more than rounding to "
            "two decimals explains; --tolerance 0 lists them."
        )
    return PaperSection(
        title="F1 that does not follow from P and R",
        heads=("Table", "Row", "Dataset", "P", "R", "F1", "2PR/(P+R)", "Difference")
        if found
        else (),
        n_texts=3,
        rows=tuple(lines),
        notes=tuple(notes),
    )


def disagreement_section(found: Sequence[Disagreement]) -> PaperSection:
    """The values that tables print differently for the same network."""
    lines = []
    for one in found:
        for text, places in one.printed:
            where = ", ".join(_place(table, row) for table, row in places)
            lines.append((one.method, METRICS[one.metric].title, where, text))
    return PaperSection(
        title="One network, printed differently",
        heads=("Network", "Column", "Where", "Printed"),
        n_texts=3,
        rows=tuple(lines),
    )


def signed_text(value: float | None, decimals: int = 2) -> str:
    """A difference with its sign; None as an em dash."""
    if value is None:
        return UNDEFINED_TEXT
    text = f"{value:+.{decimals}f}"
    return f"{0:.{decimals}f}" if float(text) == 0 else text.replace("-", "−")


def _place(table: int, row: str) -> str:
    return f"{published_tables()[table].numeral} {row}"
