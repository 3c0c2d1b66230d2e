"""What ``irbench paper`` says, as sections that every format writes its own way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from irbench.cli.plain_table import TextTable
from irbench.cli.table import footnotes
from irbench.engine.storage.results import RunResults
from irbench.metrics.definition import METRICS
from irbench.metrics.metric import UNDEFINED_TEXT
from irbench.published import COST, QUALITY, published_tables
from irbench.published.consistency import (
    Disagreement,
    F1Inconsistency,
    different_entries,
    f1_inconsistencies,
)
from irbench.published.measured_values import PARTS, MeasuredRow, published_dataset
from irbench.published.network_counts import Count, CountedRow, NetworkCounts

WRONG = "†"
"""Marks a printed F1 that does not follow from P and R."""


def table_sections(number: int, tolerance: float) -> list[TextTable]:
    """A published table, one section for each of its datasets.

    Parameters
    ----------
    number : int
        1 to 6.
    tolerance : float
        In percentage points; greater errors of F1 are marked.
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
            TextTable(
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
) -> TextTable:
    """The printed F1 that do not follow from P and R.

    Parameters
    ----------
    found : sequence of F1Inconsistency
        In these tables.
    tables : sequence of int
        Numbers of the tables that are shown.
    tolerance : float
        What they were found by.
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
    return TextTable(
        title="F1 that does not follow from P and R",
        heads=("Table", "Row", "Dataset", "P", "R", "F1", "2PR/(P+R)", "Difference")
        if found
        else (),
        n_texts=3,
        rows=tuple(lines),
        notes=tuple(notes),
    )


def disagreement_section(found: Sequence[Disagreement]) -> TextTable:
    """The values that tables print differently for the same network."""
    lines = []
    for one in found:
        for text, places in one.printed:
            where = ", ".join(_place(table, row) for table, row in places)
            lines.append((one.method, METRICS[one.metric].title, where, text))
    return TextTable(
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


_COUNTS: tuple[Count, ...] = ("parameters", "flops", "flops_printed")


def counts_section(counts: NetworkCounts) -> TextTable:
    """The columns of cost against what is counted here.

    Returns
    -------
    TextTable
        With notes only, where nothing could be counted.
    """
    title = "Parameters and FLOPs, counted again"
    if counts.reason:
        return TextTable(title, notes=(f"Nothing was counted: {counts.reason}",))
    notes = []
    if counts.rows:
        notes += [
            (
                "Differences: counted minus printed, in % of the printed, on an input of "
                f"{counts.input_size}×{counts.input_size}."
            ),
            "2/MAC: FLOPs as two for each multiply-accumulate of convolutions and matrix products.",
            (
                "YOLO: FLOPs as YOLO repositories print them, with normalisation, upsampling and "
                "pooling, counted on 32×32 and scaled by the area. The paper does not say which."
            ),
            (
                "Digits: whether the printed parameters are the counted ones rounded or "
                "truncated to two decimals, or neither (no)."
            ),
        ]
    if counts.absent:
        notes.append(f"No network here for: {', '.join(counts.absent)}.")
    heads = ("Table", "Row", "Network", "Params", "counted", "%", "Digits", "FLOPs")
    return TextTable(
        title=title,
        heads=(*heads, "2/MAC", "%", "YOLO", "%") if counts.rows else (),
        n_texts=3,
        rows=tuple(map(_count_line, counts.rows)),
        notes=tuple(notes),
    )


def measured_sections(
    found: Iterable[MeasuredRow], runs: Sequence[RunResults], tables: Sequence[int]
) -> list[TextTable]:
    """What runs measured beside what is published, by table and dataset.

    Parameters
    ----------
    found : iterable of MeasuredRow
    runs : sequence of RunResults
        All that were asked for.
    tables : sequence of int
        Numbers of the tables that were asked for.

    Returns
    -------
    list of TextTable
        The last says under which protocol it was measured, run by run.
    """
    labels = _labels(runs)
    sections = []
    for (number, dataset), group in groupby(found, key=lambda one: (one.table, one.dataset)):
        table, lines = published_tables()[number], list(group)
        several = len({one.run.path for one in lines}) > 1
        heads = (f"{METRICS[name].title}\n{part[:4]}." for name in QUALITY for part in PARTS)
        sections.append(
            TextTable(
                title=f"Table {table.numeral}, {table.datasets[dataset]}: published and measured",
                heads=("Row: method", *heads),
                rows=tuple(
                    _measured_line(one, labels[one.run.path] if several else "") for one in lines
                ),
            )
        )
    notes = [_run_note(run, labels[run.path], tables) for run in runs]
    if sections:
        notes.insert(
            0,
            "All in %; differences are measured minus published, in percentage points. What is "
            "published stands under headings that say Tr=60% or name the dataset only.",
        )
    return [*sections, TextTable("What was measured, and how", notes=tuple(notes))]


def _labels(runs: Sequence[RunResults]) -> dict[Path, str]:
    """What each run is called: its folder, with the way to it where several are called so."""
    shared = Counter(run.path.name for run in runs)
    return {
        run.path: run.path.name if shared[run.path.name] == 1 else str(run.path) for run in runs
    }


def _measured_line(one: MeasuredRow, label: str) -> tuple[str, ...]:
    first = one.values[0]
    name = first.title if first.row == first.title else f"{first.row}: {first.title}"
    if label:
        name += f" [{label}]"
    if one.state != "done":
        name += f" ({one.state})"
    return (name, *(value.text(part) for value in one.values for part in PARTS))


def _run_note(run: RunResults, label: str, tables: Sequence[int]) -> str:
    facts = run.dataset
    split = f"split {facts['split']}" + (f" of {facts['scheme']}" if facts.get("scheme") else "")
    limit = run.run["key"].get("limit")
    if limit is not None:
        split = f"only the first {limit} images of {split}"
    text = (
        f"{label}: {facts['title']}, {split}{run.conditions}, {facts['n_images']} images with "
        f"{facts['n_targets']} targets."
    )
    chosen = [published_tables()[number] for number in tables]
    here = [table for table in chosen if published_dataset(table, facts) is not None]
    if not here:
        return f"{text} The tables shown do not have this dataset."
    names = {method for table in here for row in table.rows.values() for method in row.methods}
    rows = [row for row in run.rows if row["method"] in names]
    others = [row["title"] for row in run.rows if row["method"] not in names]
    lines = [text, *footnotes(run, rows)]
    if others:
        lines.append(f"Not in the tables shown: {', '.join(others)}.")
    return " ".join(lines)


def _count_line(row: CountedRow) -> tuple[str, ...]:
    table = published_tables()[row.table]
    counted = {count: row.counted(count) for count in _COUNTS}
    percent = [signed_text(row.difference(count), 1) for count in _COUNTS]
    return (
        table.numeral,
        row.row.name,
        row.method,
        row.row.text("params"),
        METRICS["params"].format(counted["parameters"]) + "M",
        percent[0],
        row.agreement("parameters") or UNDEFINED_TEXT,
        row.row.text("flops"),
        *(METRICS["flops"].format(counted["flops"]), percent[1]),
        *(METRICS["flops"].format(counted["flops_printed"]), percent[2]),
    )
