"""A comparison of methods in the terminal, as Markdown, LaTeX and CSV."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from irbench.cli.comparison_rows import (
    SHARED_LETTERS,
    few_images_note,
    method_note,
    text_tables,
)
from irbench.cli.comparison_values import comparison_content, rule_text
from irbench.cli.plain_table import TextTable, print_line, results_console
from irbench.engine.storage.results import RunResults
from irbench.ground_truth import GroundTruth
from irbench.markup.csv_text import csv_text
from irbench.markup.latex_table import fitted_tabular, notes_below
from irbench.markup.latex_text import latex_text
from irbench.markup.markdown_text import markdown_text
from irbench.scoring.scored_output import RULES
from irbench.statistics.comparison import Comparison

CSV_FIELDS = (
    "test", "by", "first", "second", "estimate", "lower", "upper", "both", "only_first",
    "only_second", "neither", "p", "p_holm",
)  # fmt: skip

N_LISTED = 10
"""So many targets of a list are printed; JSON has them all."""


def print_comparison(comparison: Comparison, results: RunResults) -> None:
    """Print two methods side by side, with the targets that one of them finds alone; or a ranking.

    Parameters
    ----------
    comparison : Comparison
    results : RunResults
        The run that its methods are of.
    """
    console = results_console()
    titles = {row["method"]: row["title"] for row in results.rows}
    if len(comparison.methods) == 2:
        differences, targets = text_tables(comparison, results)
        differences.print_title(console)
        differences.print_rows(console)
        console.print()
        targets.print_rows(console)
        for rule in RULES:
            for method in comparison.methods:
                alone = comparison.found_alone(method, rule)
                _print_alone(console, alone, titles[method], rule_text(rule, results))
        console.print()
    else:
        for table in text_tables(comparison, results):
            table.print_title(console)
            table.print_rows(console)
        for rule in RULES:
            counts = {name: len(comparison.found_alone(name, rule)) for name in comparison.methods}
            if listed := ", ".join(f"{titles[name]} {n}" for name, n in counts.items() if n):
                where = rule_text(rule, results)
                print_line(console, f"\nFound by one method alone, {where}: {listed}.")
        left_out = [row for row in results.rows if row["method"] not in comparison.methods]
        if left_out:
            names = ", ".join(f"{row['title']} ({row['state']})" for row in left_out)
            print_line(console, f"\nNot compared: {names}.")
        console.print()
        print_line(console, SHARED_LETTERS)
    print_line(console, method_note(comparison), "dim")
    if warning := few_images_note(comparison):
        print_line(console, warning, "yellow")


def _print_alone(
    console: Console, targets: Sequence[tuple[GroundTruth, int]], title: str, rule: str
) -> None:
    if not targets:
        return
    print_line(console, f"\n{title} alone finds, {rule}: {len(targets)}")
    for truth, index in targets[:N_LISTED]:
        box = ", ".join(f"{side:g}" for side in truth.boxes[index].tolist())
        print_line(console, f"  {truth.id}  ({box})")
    if len(targets) > N_LISTED:
        print_line(console, f"  … and {len(targets) - N_LISTED} more; --json lists all.")


def markdown(comparison: Comparison, results: RunResults) -> str:
    """The tables as GitHub prints them, each under its title, with what they mean below."""
    parts = []
    for table in text_tables(comparison, results):
        parts += [f"**{markdown_text(table.title)}**", table.pipe_table()]
        parts += map(markdown_text, table.notes)
    return "\n\n".join([*parts, *map(markdown_text, _notes(comparison))]) + "\n"


def latex(comparison: Comparison, results: RunResults) -> str:
    """A ``table`` for each of them, for pdflatex with booktabs and graphicx: plain ASCII."""
    floats = [_float(table, _notes(comparison)) for table in text_tables(comparison, results)]
    return "\n".join([r"% Needs \usepackage{booktabs} and \usepackage{graphicx}.", *floats])


def csv(comparison: Comparison, results: RunResults) -> str:
    """A line for each test: fractions and SI units, p-values as they are and adjusted."""
    content = comparison_content(comparison, results)
    rows: list[dict[str, Any]] = [
        {**one, "test": "paired bootstrap", "by": one["metric"]} for one in content["differences"]
    ]
    rows += [
        {**one, "test": "McNemar, exact", "by": one["rule"], "estimate": one["difference"]}
        for one in content["mcnemar"]
    ]
    return csv_text(CSV_FIELDS, rows)


def _float(table: TextTable, notes: list[str]) -> str:
    heads = [latex_text(" ".join(head.split())) for head in table.heads]
    alignments = ["l", *"c" * (len(heads) - 1)]
    lines = [
        " & ".join(
            rf"\multicolumn{{1}}{{{alignment}}}{{{head}}}"
            for alignment, head in zip(alignments, heads, strict=True)
        ),
        *(" & ".join([latex_text(row[0]), *map(_number, row[1:])]) for row in table.rows),
    ]
    head, *body = [rf"{line} \\" for line in lines]
    return "\n".join(
        [
            r"\begin{table}[tp]",
            r"\centering",
            rf"\caption{{{latex_text(table.title)}}}",
            r"\setlength{\abovetopsep}{3pt}%",
            *fitted_tabular("l" + "r" * (len(table.heads) - 1), [head], body),
            *notes_below(map(latex_text, (*table.notes, *notes))),
            r"\end{table}",
            "",
        ]
    )


def _number(text: str) -> str:
    """A cell of numbers, with signs of minus and not hyphens."""
    return latex_text(re.sub(r"-(?=\d)", "−", text))


def _notes(comparison: Comparison) -> list[str]:
    letters = SHARED_LETTERS if len(comparison.methods) > 2 else ""
    return [*filter(None, [letters, method_note(comparison), few_images_note(comparison)])]
