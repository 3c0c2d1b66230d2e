"""The table that a run ends with, in the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from irbench.cli.verbosity import Verbosity, verbosity
from irbench.engine.results import RunResults
from irbench.metrics.definition import METRICS

WIDTH = 100
COLUMNS = ("precision", "recall", "f1", "map50", "pd", "fa", "iou", "ms_median")


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
        + f": {dataset['n_images']} images, {dataset['n_targets']} targets",
        style="bold",
        markup=False,
    )
    console.print(_table(rows))
    for line in footnotes(results, rows):
        console.print(line, style="dim", markup=False)
    if verbosity() == Verbosity.QUIET:
        return
    path = results.path
    files = "results.json, results.csv, detections/, timings/, run.json, log.jsonl"
    console.print(f"\nFiles in {path}: {files}", markup=False)
    console.print("Next:", markup=False)
    for command in (
        f"irbench report {path} --format latex",
        f"irbench report {path} --format markdown",
        f"irbench run --methods all --dataset {_argument(results)} --out {path}",
    ):
        console.print(f"  {command}", markup=False)


def _argument(results: RunResults) -> str:
    """What to type after --dataset for the same data."""
    name: str = results.dataset["name"]
    return shlex.quote(results.run["data_root"]) if name == "folder" else name


def results_console() -> Console:
    """A console as wide as the terminal, and 100 columns where there is none."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    return console


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("Method", max_width=24, overflow="fold")
    for name in COLUMNS:
        metric = METRICS[name]
        unit = f"\n{metric.unit}" if metric.unit else ""
        heading = f"{metric.title} {metric.arrow}{unit}"
        table.add_column(heading, justify="right", no_wrap=True, min_width=6)
    best = {name: _best(rows, name) for name in COLUMNS}
    group = None
    for row in rows:
        if row["group"] != group:
            group = row["group"]
            table.add_row(f"[dim italic]{escape(group)}[/]")
        cells = [_cell(row, name, best[name]) for name in COLUMNS]
        mark = "" if row["state"] == "done" else f" [yellow]({row['state']})[/]"
        table.add_row(f"{escape(row['title'])}{mark}", *cells)
    return table


def _best(rows: Sequence[dict[str, Any]], name: str) -> float | None:
    best: float | None = None
    for row in rows:
        if METRICS[name].is_better(row.get(name), best):
            best = row[name]
    return best


def _cell(row: dict[str, Any], name: str, best: float | None) -> str:
    value = row.get(name)
    text = METRICS[name].format(value)
    return f"[bold]{text}[/]" if value is not None and value == best else text


def footnotes(results: RunResults, rows: Sequence[dict[str, Any]]) -> list[str]:
    """What the numbers of a table mean, in a few lines."""
    protocol = results.protocol
    rule = {
        "val-f1": "threshold of best F1 on the validation split",
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
    sources = {row["calibration"] for row in rows if row.get("calibration")} - {"validation"}
    if sources and protocol["operating_point"] == "val-f1":
        lines.append(
            "Extent and threshold not from this data's validation split: "
            f"{', '.join(sorted(sources))}."
        )
    lines += [f"{row['title']}: {row['note']}." for row in rows if row.get("note")]
    return lines
