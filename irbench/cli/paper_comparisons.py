"""What ``irbench paper`` says of the networks and the runs here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from irbench.cli.paper_sections import PaperSection, signed_text
from irbench.cli.table import footnotes
from irbench.engine.storage.results import RunResults
from irbench.metrics.definition import METRICS
from irbench.metrics.metric import UNDEFINED_TEXT
from irbench.published import QUALITY, published_tables
from irbench.published.measured_values import PARTS, MeasuredRow, published_dataset
from irbench.published.network_counts import Count, CountedRow, NetworkCounts

_COUNTS: tuple[Count, ...] = ("parameters", "flops", "flops_printed")


def counts_section(counts: NetworkCounts) -> PaperSection:
    """The columns of cost against what is counted here.

    Parameters
    ----------
    counts : NetworkCounts

    Returns
    -------
    PaperSection
        With notes only, where nothing could be counted.
    """
    title = "Parameters and FLOPs, counted again"
    if counts.reason:
        return PaperSection(title, notes=(f"Nothing was counted: {counts.reason}",))
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
    return PaperSection(
        title=title,
        heads=(*heads, "2/MAC", "%", "YOLO", "%") if counts.rows else (),
        n_texts=3,
        rows=tuple(map(_count_line, counts.rows)),
        notes=tuple(notes),
    )


def measured_sections(
    found: Iterable[MeasuredRow], runs: Sequence[RunResults], tables: Sequence[int]
) -> list[PaperSection]:
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
    list of PaperSection
        The last says under which protocol it was measured, run by run.
    """
    labels = _labels(runs)
    sections = []
    for (number, dataset), group in groupby(found, key=lambda one: (one.table, one.dataset)):
        table, lines = published_tables()[number], list(group)
        several = len({one.run.path for one in lines}) > 1
        heads = (f"{METRICS[name].title}\n{part[:4]}." for name in QUALITY for part in PARTS)
        sections.append(
            PaperSection(
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
    return [*sections, PaperSection("What was measured, and how", notes=tuple(notes))]


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
        f"{label}: {facts['title']}, {split}, {facts['n_images']} images with "
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
