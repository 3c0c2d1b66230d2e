"""What ``irbench paper`` says in each format: for a terminal, as Markdown, LaTeX and JSON."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from irbench.cli.plain_table import WIDTH, TextTable
from irbench.engine.storage.results import RunResults
from irbench.markup.latex_table import fitted_tabular
from irbench.markup.latex_text import latex_text
from irbench.markup.markdown_text import markdown_text
from irbench.published import PublishedTable, published_source, published_tables
from irbench.published.consistency import Disagreement, F1Inconsistency, different_entries
from irbench.published.measured_values import MeasuredRow
from irbench.published.network_counts import CountedRow, NetworkCounts

_PREAMBLE = r"""% Compile with pdflatex. The tables need booktabs and graphicx.
\documentclass[a4paper]{article}
\usepackage{booktabs}
\usepackage{graphicx}
\pagestyle{empty}
\setlength{\textwidth}{\dimexpr\paperwidth-40mm\relax}
\setlength{\textheight}{\dimexpr\paperheight-40mm\relax}
\setlength{\oddsidemargin}{\dimexpr20mm-1in\relax}
\setlength{\topmargin}{\dimexpr20mm-1in\relax}
\setlength{\headheight}{0pt}
\setlength{\headsep}{0pt}
\setlength{\parindent}{0pt}
\raggedbottom
\begin{document}
"""


def print_sections(sections: Sequence[TextTable], console: Console) -> None:
    """Print sections to a terminal."""
    for section in sections:
        section.print_title(console)
        section.print_rows(console, gap=1)


def plain_text(sections: Sequence[TextTable]) -> str:
    """What :func:`print_sections` prints, for a file."""
    stream = io.StringIO()
    print_sections(sections, Console(file=stream, highlight=False, width=WIDTH, no_color=True))
    lines = stream.getvalue().strip("\n").splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines)


def markdown(sections: Sequence[TextTable]) -> str:
    """Sections as GitHub Markdown."""
    parts = []
    for section in sections:
        parts.append(f"## {markdown_text(section.title)}")
        if section.heads:
            parts.append(section.pipe_table())
        parts += [markdown_text(note) for note in section.notes]
    return "\n\n".join(parts) + "\n"


def latex(sections: Sequence[TextTable]) -> str:
    """Sections as a document for pdflatex.

    Returns
    -------
    str
        ASCII.
    """
    body = "\n".join(map(_latex_section, sections))
    return f"{_PREAMBLE}{body}\\end{{document}}\n"


def _latex_section(section: TextTable) -> str:
    # A box, so that no page breaks between a title and its table.
    lines = [
        r"\begin{minipage}{\linewidth}\raggedright",
        rf"\textbf{{{latex_text(section.title)}}}\par",
    ]
    if section.heads:
        columns = "l" * section.n_texts + "r" * (len(section.heads) - section.n_texts)
        lines += [
            r"\medskip",
            *fitted_tabular(
                columns,
                [_latex_row(map(_latex_head, section.heads))],
                [_latex_row(map(latex_text, row)) for row in section.rows],
            ),
            r"\par",
        ]
    lines += [rf"\smallskip{{\footnotesize {latex_text(note)}\par}}" for note in section.notes]
    return "\n".join([*lines, r"\end{minipage}\par\bigskip", ""])


def _latex_head(head: str) -> str:
    if "\n" not in head:
        return latex_text(head)
    stacked = r" \\ ".join(map(latex_text, head.split("\n")))
    return rf"\begin{{tabular}}[b]{{@{{}}r@{{}}}}{stacked}\end{{tabular}}"


def _latex_row(cells: Iterable[str]) -> str:
    return rf"{' & '.join(cells)} \\"


def paper_content(
    numbers: Sequence[int],
    wrong: Sequence[F1Inconsistency],
    tolerance: float,
    differing: Sequence[Disagreement],
    counts: NetworkCounts,
    measured: Sequence[MeasuredRow],
    runs: Sequence[RunResults],
) -> dict[str, Any]:
    """All of it, for ``--format json``.

    Parameters
    ----------
    numbers : sequence of int
        The tables to give.
    wrong : sequence of F1Inconsistency
    tolerance : float
        What these were found by, in percentage points.
    differing : sequence of Disagreement
    counts : NetworkCounts
    measured : sequence of MeasuredRow
    runs : sequence of RunResults

    Returns
    -------
    dict
        Published values are text as printed; F1 and its errors are in percent, measured
        and published fractions as in ``results.json``, counts in SI units, differences
        of counts in percent.
    """
    return {
        "source": published_source(),
        "tables": {str(number): _table(published_tables()[number]) for number in numbers},
        "f1": {
            "tolerance": tolerance,
            "different": len(different_entries(wrong)),
            "inconsistencies": [
                {**asdict(one), "recomputed": one.recomputed, "impossible": one.is_impossible}
                for one in wrong
            ],
        },
        "disagreements": [_disagreement(one) for one in differing],
        "counts": {
            "input_size": counts.input_size,
            "rows": [_counted(row) for row in counts.rows],
            "absent": list(counts.absent),
            "reason": counts.reason,
        },
        "runs": [
            {"path": str(run.path), "dataset": run.dataset, "protocol": run.protocol}
            for run in runs
        ],
        "measured": [_measured(row) for row in measured],
    }


def _table(table: PublishedTable) -> dict[str, Any]:
    return {
        "title": table.title,
        "datasets": dict(table.datasets),
        "rows": {
            name: {
                "group": row.group,
                "methods": list(row.methods),
                "settings": dict(row.settings),
                "cost": dict(row.printed[""]),
                "values": {dataset: dict(row.printed[dataset]) for dataset in table.datasets},
            }
            for name, row in table.rows.items()
        },
    }


def _disagreement(one: Disagreement) -> dict[str, Any]:
    printed = [
        {"value": text, "places": [{"table": table, "row": row} for table, row in places]}
        for text, places in one.printed
    ]
    return {"method": one.method, "metric": one.metric, "dataset": one.dataset, "printed": printed}


def _counted(row: CountedRow) -> dict[str, Any]:
    cost = row.cost
    return {
        "table": row.table,
        "row": row.row.name,
        "method": row.method,
        "params": {
            "published": row.published("parameters"),
            "counted": cost.parameters,
            "difference": row.difference("parameters"),
            "agreement": row.agreement("parameters"),
        },
        "flops": {
            "published": row.published("flops"),
            "two_per_mac": cost.flops,
            "two_per_mac_difference": row.difference("flops"),
            "yolo": cost.flops_printed,
            "yolo_difference": row.difference("flops_printed"),
        },
    }


def _measured(row: MeasuredRow) -> dict[str, Any]:
    first = row.values[0]
    return {
        "table": row.table,
        "row": first.row,
        "method": first.method,
        "dataset": row.dataset,
        "run": str(row.run.path),
        "state": row.state,
        "metrics": {
            one.metric: {
                "published": one.published,
                "measured": one.measured,
                "difference": one.difference,
            }
            for one in row.values
        },
    }
