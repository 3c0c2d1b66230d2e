"""A comparison of methods as Markdown, LaTeX and CSV."""

from __future__ import annotations

import re
from typing import Any

from irbench.cli.comparison_rows import (
    SHARED_LETTERS,
    TextTable,
    few_images_note,
    method_note,
    text_tables,
)
from irbench.cli.comparison_values import comparison_content
from irbench.engine.storage.results import RunResults
from irbench.markup.csv_text import csv_text
from irbench.markup.latex_table import fitted_tabular, notes_below
from irbench.markup.latex_text import latex_text
from irbench.markup.markdown_text import Alignment, markdown_text, pipe_table
from irbench.statistics.comparison import Comparison

CSV_FIELDS = (
    "test", "by", "first", "second", "estimate", "lower", "upper", "both", "only_first",
    "only_second", "neither", "p", "p_holm",
)  # fmt: skip


def markdown(comparison: Comparison, results: RunResults) -> str:
    """The tables as GitHub prints them, each under its title, with what they mean below."""
    parts = []
    for table in text_tables(comparison, results):
        heads = [markdown_text(_one_line(head)) for head in table.heads]
        alignment: list[Alignment] = ["left", *["right"] * (len(heads) - 1)]  # type: ignore[list-item]
        rows = [list(map(markdown_text, row)) for row in table.rows]
        parts += [f"**{markdown_text(table.title)}**", pipe_table(heads, alignment, rows)]
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
    lines = [
        " & ".join(
            rf"\multicolumn{{1}}{{{'c' if place else 'l'}}}{{{latex_text(_one_line(head))}}}"
            for place, head in enumerate(table.heads)
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


def _one_line(head: str) -> str:
    return head.replace("\n", " ")
