"""The outcome of a check in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from irbench.cli.table import WIDTH, results_console
from irbench.gate.changes import Change, CheckReport
from irbench.gate.wording import (
    dataset_text,
    interval_text,
    metric_text,
    value_texts,
    verdict_text,
)

_STYLES = {"regressed": "bold red", "missing": "red", "uncertain": "yellow", "improved": "green"}


def print_check(report: CheckReport) -> None:
    """Print what moved, what else differs, and the verdict.

    Parameters
    ----------
    report : CheckReport
    """
    console = results_console()
    console.print()
    _print_line(console, dataset_text(report), "bold")
    moved = [change for change in report.changes if change.verdict != "same"]
    if moved:
        # What fails stands at the end, next to the verdict.
        console.print(_table(console, sorted(moved, key=lambda change: change.fails)))
    if report.reference is not None:
        text = f"Times are ratios to those of {report.reference} in the same run."
        _print_line(console, text, "dim")
    if moved:
        for note in report.notes:
            _print_line(console, note, "dim")
    console.print()
    style = "bold green" if report.passed else "bold red"
    _print_line(console, f"irbench check {verdict_text(report)}.", style)


def _table(console: Console, changes: Sequence[Change]) -> Table:
    gap = 2 if console.width >= WIDTH else 1
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, gap, 0, 0))
    table.add_column("Method", overflow="fold", max_width=20)
    table.add_column("Metric", overflow="fold", max_width=22)
    table.add_column("Baseline", justify="right", overflow="fold")
    table.add_column("Now", justify="right", overflow="fold")
    table.add_column("95 % interval\nof the difference", justify="right", overflow="fold")
    table.add_column("", overflow="fold", max_width=34)
    for change in changes:
        said = f"{change.verdict}: {change.reason}" if change.reason else change.verdict
        table.add_row(
            Text(change.method),
            metric_text(change),
            *value_texts(change),
            interval_text(change),
            Text(said, style=_STYLES.get(change.verdict, "")),
        )
    return table


def _print_line(console: Console, text: str, style: str) -> None:
    console.print(text, style=style, markup=False)
