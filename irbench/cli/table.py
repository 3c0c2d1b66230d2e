"""The table that a run ends with, in the terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from irbench.cli.next_steps import next_commands
from irbench.cli.plain_table import number_column, plain_table, results_console, text_column
from irbench.cli.verbosity import Verbosity, verbosity
from irbench.engine.storage.results import RunResults
from irbench.metrics.built_in import BUILT_IN
from irbench.metrics.definition import METRICS
from irbench.metrics.merit import merit
from irbench.process.processor_wait import upper_bounds

BEST = "*"
_LEAST_TO_RANK = 2
_LEAST_WIDTH = 6
"""Of a column of numbers."""

NARROWEST_NAMES = 20
"""Names of methods are wrapped down to so many columns of the terminal for a table to fit."""

COLUMNS = ("precision", "recall", "f1", "map50", "pd", "fa", "iou")
ALARMS = ("alarms_per_frame", "alarms_free")
"""Shown where any row has them; the second, which not all data has frames for, if there is room."""

ROOMY = 110
"""So many columns of a terminal take one more of a table."""


def print_results(results: RunResults, wanted: Collection[str] | None = None) -> None:
    """Print the rows of a run, what they mean, and what to do next.

    Parameters
    ----------
    results : RunResults
    wanted : collection of str, optional
        The methods to show; by default all of the run.
    """
    console = results_console()
    rows = [row for row in results.rows if wanted is None or row["method"] in wanted]
    dataset = results.dataset
    console.print()
    console.print(
        f"{dataset['title']}, split {dataset['split']}"
        + (f" of {dataset['scheme']}" if dataset["scheme"] else "")
        + f"{results.conditions}: {dataset['n_images']} images, {dataset['n_targets']} targets",
        style="bold",
        markup=False,
    )
    # Whoever has a metric of their own wants to see it.
    own = [name for name in METRICS if name not in BUILT_IN and any(name in row for row in rows)]
    alarms = [name for name in ALARMS if any(row.get(name) is not None for row in rows)]
    if console.width < ROOMY:
        alarms = [name for name in alarms if name == ALARMS[0]]
    best = {name: _best(rows, name) for name in (*COLUMNS, *alarms, "ms_median", *own)}
    for index, block in enumerate(_blocks(rows, best, console.width)):
        if index:
            console.print()
        console.print(_table(rows, block))
    if any(text is not None for text in best.values()):
        console.print(f"{BEST} best of its column", style="dim", markup=False)
    for line in (*footnotes(results, rows), *timed(results, rows)):
        console.print(line, style="dim", markup=False)
    if verbosity() == Verbosity.QUIET:
        return
    files = "results.json, results.csv, detections/, timings/, run.json, log.jsonl"
    # A terminal breaks a long line where it likes; a line break of ours would be copied.
    console.print(f"\nFiles in {results.path}: {files}", markup=False, soft_wrap=True)
    console.print("Next:", markup=False)
    for command in next_commands(results):
        console.print(f"  {command}", markup=False, soft_wrap=True)


def _blocks(
    rows: Sequence[dict[str, Any]], best: Mapping[str, str | None], width: int
) -> list[dict[str, str | None]]:
    """The columns in blocks that fit beside the names of the methods, one table each.

    A table that is too wide would lose names and numbers without a word.
    """
    # Names of groups may wrap, at their spaces.
    texts = [text for row in rows for text in (row["title"], *row["group"].split())]
    longest = max(map(len, texts), default=0)
    room = width - min(longest, NARROWEST_NAMES) - 1
    blocks: list[dict[str, str | None]] = []
    left = 0
    for name, value in best.items():
        cells = [METRICS[name].format(row.get(name)) + BEST for row in rows]
        needed = 1 + max(map(len, (*_heading(name).splitlines(), *cells, " " * _LEAST_WIDTH)))
        if not blocks or needed > left:
            blocks.append({})
            left = room
        blocks[-1][name] = value
        left -= needed
    return blocks


def _heading(name: str) -> str:
    metric = METRICS[name]
    unit = f"\n{metric.unit} " if metric.unit else ""
    # "Alarms/free frame" in three lines is as narrow as its numbers.
    title = metric.title.replace("/", "/\n").replace(" frame", "\nframe")
    return f"{title} {metric.arrow}{unit}"


def _table(rows: Sequence[dict[str, Any]], best: Mapping[str, str | None]) -> Table:
    numbers = [number_column(_heading(name), min_width=_LEAST_WIDTH) for name in best]
    table = plain_table([text_column("Method", 34), *numbers], gap=1)
    group = None
    for row in rows:
        if row["group"] != group:
            group = row["group"]
            table.add_row(f"[dim italic]{escape(group)}[/]")
        cells = [_cell(row, name, best[name]) for name in best]
        mark = "" if row["state"] == "done" else f" [yellow]({row['state']})[/]"
        table.add_row(f"{escape(row['title'])}{mark}", *cells)
    return table


def _best(rows: Sequence[dict[str, Any]], name: str) -> str | None:
    """The best value of a column as printed; None where there are not two to choose from."""
    metric = METRICS[name]
    values = [value for row in rows if (value := merit(row, metric)) is not None]
    if len(values) < _LEAST_TO_RANK:
        return None
    best: float | None = None
    for value in values:
        best = value if metric.is_better(value, best) else best
    return None if best is None else metric.format(best)


def _cell(row: dict[str, Any], name: str, best: str | None) -> str:
    """A value, the best one in bold and with a mark that stays where there is no bold."""
    text = METRICS[name].format(row.get(name))
    is_best = text == best and merit(row, METRICS[name]) is not None
    return f"[bold]{text}{BEST}[/]" if is_best else f"{text} "


def timed(results: RunResults, rows: Sequence[dict[str, Any]]) -> list[str]:
    """On how many images times were measured, and whether alone."""
    counts = sorted(filter(None, (results.n_timed(row["method"]) for row in rows)))
    if not counts:
        return []
    least, most = counts[0], counts[-1]
    listed = str(most) if least == most else f"{least} to {most}"
    lines = [f"Time: the median of {listed} image{'s' * (most > 1)}, end to end."]
    if bounds := upper_bounds(rows):
        lines.append(bounds)
    return lines


def footnotes(results: RunResults, rows: Sequence[dict[str, Any]]) -> list[str]:
    """What the numbers of a table mean, in a few lines."""
    protocol = results.protocol
    by_origin: dict[str, list[str]] = {}
    for row in rows:
        if row.get("calibration"):
            by_origin.setdefault(row["calibration"], []).append(row["title"])
    is_on_validation = not by_origin or "validation" in by_origin
    rule = {
        "val-f1": "threshold of best F1 on the validation split"
        if is_on_validation
        else "threshold not from the validation split",
        "fixed": f"fixed threshold {protocol['fixed_threshold']}",
        "mean-kstd": f"scores of at least {protocol['n_std']:g} standard deviations",
        "oracle": "ORACLE: threshold chosen on the tested images, an upper bound",
    }[protocol["operating_point"]]
    summary = (
        f"Protocol {protocol['name']}: P, R, F1 at IoU {protocol['iou_threshold']:g}, {rule}; "
        f"Pd, Fa at {protocol['distance_px']:g} px; AP by {protocol['ap_estimator']}; "
        f"score maps by {protocol['score_map_conversion']}."
    )
    lines = [summary]
    if side := protocol.get("squash"):
        lines.append(f"Images and masks scaled to {side}x{side} px, and measured there.")
    if protocol["operating_point"] == "val-f1":
        lines += _other_origins(by_origin)
    lines += [f"{row['title']}: {row['note']}." for row in rows if row.get("note")]
    return lines


def _other_origins(by_origin: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Where extents and thresholds come from that the validation split did not give."""
    for origin, titles in sorted(by_origin.items()):
        methods = ", ".join(titles)
        if origin == "shipped":
            yield f"Extent and threshold as shipped with the method: {methods}."
        elif origin == "none":
            yield f"No threshold is known, all detections are kept: {methods}."
        elif origin != "validation":
            yield f"Extent and threshold of {origin}: {methods}."
