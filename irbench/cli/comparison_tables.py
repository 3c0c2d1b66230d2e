"""A comparison of methods in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from irbench.cli.comparison_rows import (
    SHARED_LETTERS,
    TextTable,
    few_images_note,
    method_note,
    text_tables,
)
from irbench.cli.comparison_values import rule_text
from irbench.cli.plain_table import number_column, plain_table, results_console, text_column
from irbench.engine.storage.results import RunResults
from irbench.ground_truth import GroundTruth
from irbench.scoring.scored_output import RULES
from irbench.statistics.comparison import Comparison

N_LISTED = 10
"""So many targets of a list are printed; JSON has them all."""


def print_pair(comparison: Comparison, results: RunResults) -> None:
    """Print two methods side by side: differences, McNemar's test, targets found alone.

    Parameters
    ----------
    comparison : Comparison
        Of two methods.
    results : RunResults
        The run that they are of.
    """
    console = results_console()
    titles = _titles(results)
    differences, found = text_tables(comparison, results)
    _print_heading(console, differences)
    _print_table(console, differences)
    console.print()
    _print_table(console, found)
    for rule in RULES:
        for method in comparison.methods:
            _print_alone(
                console,
                comparison.found_alone(method, rule),
                titles[method],
                rule_text(rule, results),
            )
    console.print()
    _print_note(console, comparison)


def print_ranking(comparison: Comparison, results: RunResults) -> None:
    """Print the ranking of several methods by each metric.

    Parameters
    ----------
    comparison : Comparison
    results : RunResults
        The run that its methods are of.
    """
    console = results_console()
    titles = _titles(results)
    for table in text_tables(comparison, results):
        _print_heading(console, table)
        _print_table(console, table)
    for rule in RULES:
        counts = {name: len(comparison.found_alone(name, rule)) for name in comparison.methods}
        alone = ", ".join(f"{titles[name]} {n}" for name, n in counts.items() if n)
        if alone:
            _print_line(
                console, f"\nFound by one method alone, {rule_text(rule, results)}: {alone}."
            )
    left_out = [row for row in results.rows if row["method"] not in comparison.methods]
    if left_out:
        names = ", ".join(f"{row['title']} ({row['state']})" for row in left_out)
        _print_line(console, f"\nNot compared: {names}.")
    console.print()
    _print_line(console, SHARED_LETTERS)
    _print_note(console, comparison)


def _titles(results: RunResults) -> dict[str, str]:
    return {row["method"]: row["title"] for row in results.rows}


def _print_heading(console: Console, table: TextTable) -> None:
    console.print()
    console.print(table.title, style="bold", markup=False)


def _print_table(console: Console, table: TextTable) -> None:
    console.print(_rich_table(console, table))
    for note in table.notes:
        console.print(note, style="dim", markup=False)


def _rich_table(console: Console, table: TextTable) -> Table:
    """A table whose numbers are never cut: in a narrow terminal its intervals wrap."""
    first, *others = table.heads
    numbers = (number_column(escape(head), wraps="interval" in head) for head in others)
    printed = plain_table([text_column(first), *numbers], console)
    for row in table.rows:
        printed.add_row(*map(escape, row))
    return printed


def _print_alone(
    console: Console, targets: Sequence[tuple[GroundTruth, int]], title: str, rule: str
) -> None:
    if not targets:
        return
    _print_line(console, f"\n{title} alone finds, {rule}: {len(targets)}")
    for truth, index in targets[:N_LISTED]:
        box = ", ".join(f"{side:g}" for side in truth.boxes[index].tolist())
        _print_line(console, f"  {truth.id}  ({box})")
    if len(targets) > N_LISTED:
        _print_line(console, f"  … and {len(targets) - N_LISTED} more; --json lists all.")


def _print_note(console: Console, comparison: Comparison) -> None:
    console.print(method_note(comparison), style="dim", markup=False)
    if warning := few_images_note(comparison):
        console.print(warning, style="yellow", markup=False)


def _print_line(console: Console, text: str) -> None:
    console.print(text, markup=False)
