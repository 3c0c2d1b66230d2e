"""Footnotes of the paper's ablations: which networks the rows are, and which rows have none."""

from __future__ import annotations

from collections.abc import Sequence

from irbench.published import published_tables

from ._side_by_side import DataGroup
from ._table_lines import TABLE_1, Line, missing_lines


def ablation_notes(lines: Sequence[Line], groups: Sequence[DataGroup], number: int) -> list[str]:
    """Which networks the rows are, and which rows have none; nothing for Table I."""
    if number == TABLE_1:
        return []
    rows: dict[str, list[str]] = {}
    for line in lines:
        if line.method:
            rows.setdefault(line.title, []).append(line.method)
    named = "; ".join(f"{title} {', '.join(methods)}" for title, methods in rows.items())
    notes = [f"Networks, by the names that irbench runs them by: {named}."]
    missing = missing_lines(groups, number)
    if missing:
        numeral = published_tables()[number].numeral
        notes.append(f"Rows of Table {numeral} that were not run: {', '.join(missing)}.")
    return notes
