"""LaTeX: a table that compiles alone, and the same table as a fragment for a paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from irbench.engine.atomic import write_bytes
from irbench.engine.results import RunResults
from irbench.markup.latex import latex_text
from irbench.published.comparison import PARTS
from irbench.report import DEFAULT_OPTIONS, Report, ReportInfo, ReportOptions

from ._model import Cell, ResultTable
from ._published import comparison_tables
from ._table import result_table, table_groups
from ._templates import latex_environment

WIDE_FROM = 19
"""So many columns of numbers, and the page is A3."""

_RANKS = {1: "irbenchbest", 2: "irbenchsecond", 3: "irbenchthird"}


class Latex(Report):
    """Table I as the paper prints it, for pdflatex with booktabs and xcolor."""

    info: ClassVar[ReportInfo] = ReportInfo(name="latex", title="a LaTeX table, as the paper's")

    def write(
        self, runs: Sequence[RunResults], out: Path, options: ReportOptions = DEFAULT_OPTIONS
    ) -> list[Path]:
        """See :meth:`irbench.report.Report.write`."""
        groups = table_groups(runs, options)
        table = result_table(groups, options)
        name = f"table{options.table}"
        fragments = {f"{name}-fragment.tex": render_table(table, name)}
        comparisons = comparison_tables(groups) if options.paper else []
        if comparisons:
            text = _render("comparison.tex.jinja", tables=comparisons, parts=PARTS, label=name)
            fragments[f"{name}-paper-fragment.tex"] = text
        standalone = _render(
            "standalone.tex.jinja",
            body="\n".join(fragments.values()),
            fragment=f"{name}-fragment.tex",
            wide=sum(len(group.metrics) for group in table.columns) >= WIDE_FROM,
        )
        paths = []
        for file, text in {f"{name}.tex": standalone, **fragments}.items():
            paths.append(out / file)
            write_bytes(paths[-1], text.encode("ascii"))
        return paths


def render_table(table: ResultTable, label: str) -> str:
    """A results table as a ``table*`` environment.

    Parameters
    ----------
    table : ResultTable
    label : str
        It is referred to as ``tab:LABEL``.

    Returns
    -------
    str
        ASCII; needs booktabs, graphicx and xcolor.
    """
    spans, first = [], 2
    for group in table.columns:
        if group.title:
            spans.append((first, first + len(group.metrics) - 1))
        first += len(group.metrics)
    metrics = [metric for group in table.columns for metric in group.metrics]
    return _render("fragment.tex.jinja", table=table, label=label, spans=spans, metrics=metrics)


def _cell(cell: Cell) -> str:
    text = latex_text(cell.text)
    if cell.rank is not None:
        text = rf"\{_RANKS[cell.rank]}{{{text}}}"
    return text + (rf"\textsuperscript{{{latex_text(cell.mark)}}}" if cell.mark else "")


def _render(template: str, **values: Any) -> str:
    environment = latex_environment()
    environment.filters |= {"tex": latex_text, "tex_cell": _cell}
    return environment.get_template(template).render(values)
