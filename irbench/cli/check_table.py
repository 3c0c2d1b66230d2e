"""The outcome of a check in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from irbench.cli.plain_table import (
    number_column,
    plain_table,
    print_line,
    results_console,
    text_column,
)
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
    """Print what moved, what else differs, and the verdict."""
    console = results_console()
    console.print()
    print_line(console, dataset_text(report), "bold")
    moved = [change for change in report.changes if change.verdict != "same"]
    if moved:
        # What fails stands at the end, next to the verdict.
        console.print(_table(console, sorted(moved, key=lambda change: change.fails)))
    if report.reference is not None:
        text = f"Times are ratios to those of {report.reference} in the same run."
        print_line(console, text, "dim")
    if moved:
        for note in report.notes:
            print_line(console, note, "dim")
    console.print()
    style = "bold green" if report.passed else "bold red"
    print_line(console, f"irbench check {verdict_text(report)}.", style)


def _table(console: Console, changes: Sequence[Change]) -> Table:
    heads = ("Baseline", "Now", "95 % interval\nof the difference")
    numbers = (number_column(head, wraps=True) for head in heads)
    table = plain_table(
        [text_column("Method", 20), text_column("Metric", 22), *numbers, text_column("", 34)],
        console,
    )
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
