"""An analysis as files: JSON, one CSV for each table, figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from irbench.analysis.plots import Styles, draw_figures
from irbench.analysis.records import Record
from irbench.analysis.study import Analysis
from irbench.atomic import write_bytes
from irbench.errors import UsageError
from irbench.markup.csv_text import csv_text as table_as_csv
from irbench.pictures.canvas import figure_bytes


def json_text(analysis: Analysis, facts: Mapping[str, Any]) -> str:
    """Everything as JSON: the facts, the notes, and every table.

    Parameters
    ----------
    analysis : Analysis
    facts : mapping
        What it is of.

    Returns
    -------
    str
        An infinite threshold is the text ``"inf"``, as in ``results.json``.
    """
    tables = {
        name: [{key: _plain(value) for key, value in record.items()} for record in records]
        for name, records in analysis.tables.items()
    }
    content = {**facts, "notes": list(analysis.notes), **tables}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()


def csv_text(analysis: Analysis) -> str:
    """All tables as one CSV: the first column names the table, a field that it lacks is empty."""
    return _csv(
        [
            {"table": name, **record}
            for name, records in analysis.tables.items()
            for record in records
        ]
    )


def write_analysis(
    folder: Path, analysis: Analysis, facts: Mapping[str, Any], titles: Mapping[str, str]
) -> list[Path]:
    """Write ``analysis.json``, a CSV for each table, and the figures.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    analysis : Analysis
    facts : mapping
        What it is of.
    titles : mapping of str to str
        Title of every method of the run, in the run's order.

    Raises
    ------
    UsageError
        If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = [folder / "analysis.json"]
        write_bytes(written[0], json_text(analysis, facts).encode())
        for name, records in analysis.tables.items():
            written.append(folder / f"{name}.csv")
            write_bytes(written[-1], _csv(records).encode())
        for stem, draw in draw_figures(analysis, Styles(titles)).items():
            written.append(folder / f"{stem}.png")
            write_bytes(written[-1], figure_bytes(draw()))
    except OSError as error:
        raise UsageError(f"--out {folder} cannot be written: {error.strerror}.") from error
    return written


def _csv(records: Sequence[Record]) -> str:
    names = list(dict.fromkeys(name for record in records for name in record))
    return table_as_csv(names, records)


def _plain(value: Any) -> Any:
    return "inf" if value == float("inf") else value
