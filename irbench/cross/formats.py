"""The table of weights by datasets as Markdown, LaTeX and CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from irbench.cross.networks import CrossedNetwork
from irbench.cross.table import CrossCell, CrossTable
from irbench.markup.csv_text import csv_text
from irbench.markup.latex_table import fitted_tabular, notes_below
from irbench.markup.latex_text import latex_inside_braces, latex_text
from irbench.markup.markdown_text import markdown_text, pipe_table
from irbench.metrics.metric import MetricDefinition

HEADS = ("Method", "Trained on")
OWN_NOTE = "Slanted: trained on the tested dataset itself."

_COLUMNS = (
    "method", "title", "weights", "weights_sha256", "trained_on", "scheme", "dataset",
    "dataset_title", "split", "own", "state", "reason", "calibration",
)  # fmt: skip
_ENDS = ("", "_lower", "_upper")


def heading(metric: MetricDefinition) -> str:
    """A metric with its direction and unit."""
    return f"{metric.title} {metric.arrow} {metric.unit}".strip()


def markdown(table: CrossTable) -> str:
    """One GitHub table of each metric, with the notes at the end."""
    heads = [*HEADS, *map(markdown_text, table.columns)]
    parts = ["# Trained on one dataset, tested on another"]
    for metric in table.metrics:
        lines = [
            [markdown_text(one.title), markdown_text(label)]
            + [_markdown_cell(cell, metric) for cell in cells]
            for one, label, cells in _rows(table)
        ]
        parts += [f"## {markdown_text(heading(metric))}", pipe_table(heads, lines, len(HEADS))]
    parts += [markdown_text(note) for note in (OWN_NOTE, *table.notes)]
    return "\n\n".join(parts) + "\n"


def _markdown_cell(cell: CrossCell, metric: MetricDefinition) -> str:
    text, interval = cell.text(metric), cell.interval(metric)
    text = f"*{text}*" if cell.is_own else text
    return f"{text} ({interval})" if interval else text


def latex(table: CrossTable) -> str:
    r"""A ``table*`` environment to be read by ``\input``: datasets side by side.

    Returns
    -------
    str
        ASCII; needs booktabs and graphicx.
    """
    width = len(table.metrics)
    spans = range(3, 3 + width * len(table.columns), width)
    groups = (
        rf"\multicolumn{{{width}}}{{c}}{{{latex_inside_braces(title)}}}" for title in table.columns
    )
    titles = (
        rf"\multicolumn{{1}}{{c}}{{{latex_inside_braces(f'{one.title} {one.arrow}'.strip())}}}"
        for one in table.metrics * len(table.columns)
    )
    heads = [
        rf"{' & '.join(HEADS)} & {' & '.join(groups)} \\",
        *(rf"\cmidrule(lr){{{first}-{first + width - 1}}}" for first in spans),
        rf"& & {' & '.join(titles)} \\",
    ]
    lines = [
        r"% Needs \usepackage{booktabs} and \usepackage{graphicx}.",
        r"\begin{table*}[tp]",
        r"\centering",
        rf"\caption{{{latex_inside_braces(_caption(table))}}}",
        r"\label{tab:cross}",
        *fitted_tabular(f"ll{'r' * width * len(table.columns)}", heads, _latex_rows(table)),
        *notes_below(map(latex_text, table.notes)),
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def _caption(table: CrossTable) -> str:
    by_unit = (
        f"{', '.join(one.title for one in table.metrics if one.unit == unit)} in {unit}"
        for unit in dict.fromkeys(one.unit for one in table.metrics if one.unit)
    )
    return (
        f"Networks trained on one dataset and tested on another. {'; '.join(by_unit)}. {OWN_NOTE}"
    )


def _latex_rows(table: CrossTable) -> Iterator[str]:
    above = ""
    for one, label, cells in _rows(table):
        if above and one.title != above:
            yield r"\addlinespace"
        title = latex_text(one.title) if one.title != above else ""
        above = one.title
        pairs = [(cell, metric) for cell in cells for metric in table.metrics]
        texts = " & ".join(_latex_cell(cell, metric) for cell, metric in pairs)
        intervals = [cell.interval(metric) for cell, metric in pairs]
        has_any = any(intervals)
        yield rf"{title} & {latex_text(label)} & {texts} \\{'[-0.45em]' if has_any else ''}"
        if has_any:
            below = " & ".join(
                rf"{{\tiny {latex_text(text)}}}" if text else "" for text in intervals
            )
            yield rf"& & {below} \\[0.2em]"


def _latex_cell(cell: CrossCell, metric: MetricDefinition) -> str:
    text = latex_text(cell.text(metric))
    return rf"\textit{{{text}}}" if cell.is_own else text


def csv(table: CrossTable) -> str:
    """One row of each network and dataset: fractions in [0, 1] and SI units.

    Returns
    -------
    str
        Each metric has ``METRIC``, ``METRIC_lower`` and ``METRIC_upper``.
    """
    names = [f"{metric.name}{end}" for metric in table.metrics for end in _ENDS]
    return csv_text((*_COLUMNS, *names), _csv_rows(table))


def _csv_rows(table: CrossTable) -> Iterator[dict[str, Any]]:
    for one, _, cells in _rows(table):
        for run, cell in zip(table.tested, cells, strict=True):
            values = {
                f"{name}{end}": number
                for name, value in cell.values.items()
                for end, number in zip(
                    _ENDS, (value.estimate, value.lower, value.upper), strict=True
                )
            }
            yield {
                "method": one.method,
                "title": one.title,
                "weights": one.weights.name,
                "weights_sha256": one.weights.card.sha256,
                "trained_on": one.weights.card.dataset,
                "scheme": one.weights.card.scheme,
                "dataset": run.dataset["name"],
                "dataset_title": run.dataset["title"],
                "split": run.dataset["split"],
                "own": int(cell.is_own),
                "state": cell.state,
                "reason": cell.reason,
                "calibration": cell.calibration,
                **values,
            }


def _rows(table: CrossTable) -> Iterator[tuple[CrossedNetwork, str, tuple[CrossCell, ...]]]:
    return zip(table.networks, table.labels, table.cells, strict=True)
