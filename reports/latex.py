"""LaTeX: a table that compiles alone, and the same table as a fragment for a paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from irbench.atomic import write_bytes
from irbench.engine.storage.results import RunResults
from irbench.markup.bibtex import Bibliography
from irbench.markup.latex_text import latex_inside_braces, latex_text
from irbench.published.measured_values import PARTS
from irbench.report import DEFAULT_OPTIONS, Report, ReportInfo, ReportOptions

from ._citations import cited_entries, table_bibliography
from ._model import Cell, ResultTable
from ._published import comparison_tables
from ._table import result_table, table_groups
from ._templates import latex_environment

WIDE_FROM = 19
"""So many columns of numbers, and the page is A3."""

COLUMN_PT = 252
"""A column of a journal's page, IEEE's; a wider table takes the page's width."""

_LETTER_PT, _GAP_PT = 4.2, 12
"""Of footnote size, which a table there is set in; and between two columns."""

_TINY = 5 / 8
"""Of footnote size."""

_RANKS = {1: "irbenchbest", 2: "irbenchsecond", 3: "irbenchthird"}


class Latex(Report):
    """The paper's tables as it prints them, for pdflatex with booktabs and xcolor."""

    info: ClassVar[ReportInfo] = ReportInfo(name="latex", title="a LaTeX table, as the paper's")

    def write(
        self, runs: Sequence[RunResults], out: Path, options: ReportOptions = DEFAULT_OPTIONS
    ) -> list[Path]:
        """See :meth:`irbench.report.Report.write`."""
        groups = table_groups(runs, options)
        table = result_table(groups, options)
        bibliography = table_bibliography(table)
        name = f"table{options.table}"
        fragments = {
            f"{name}-fragment.tex": render_table(table, name, bibliography, siunitx=options.siunitx)
        }
        comparisons = comparison_tables(groups, options.table) if options.paper else []
        if comparisons:
            text = _render("comparison.tex.jinja", tables=comparisons, parts=PARTS, label=name)
            fragments[f"{name}-paper-fragment.tex"] = text
        cited = cited_entries(bibliography, "".join(fragments.values()))
        standalone = _render(
            "standalone.tex.jinja",
            body="\n".join(fragments.values()),
            fragment=f"{name}-fragment.tex",
            wide=sum(len(group.metrics) for group in table.columns) >= WIDE_FROM,
            siunitx=options.siunitx,
            cited=cited,
        )
        paths = []
        files = {
            f"{name}.tex": standalone,
            **fragments,
            "references.bib": bibliography.text(key for key, _ in cited),
        }
        for file, text in files.items():
            paths.append(out / file)
            write_bytes(paths[-1], text.encode("ascii"))
        return paths


def render_table(
    table: ResultTable, label: str, bibliography: Bibliography, *, siunitx: bool = False
) -> str:
    """A results table as a ``table*`` environment.

    Parameters
    ----------
    table : ResultTable
    label : str
        It is referred to as ``tab:LABEL``.
    bibliography : Bibliography
        Has the references of the table's methods and datasets.
    siunitx : bool
        Align numbers by that package, in place of columns that are flush right.

    Returns
    -------
    str
        ASCII; needs booktabs, graphicx and xcolor.
    """
    n_labels = len(table.headings)
    spans, first = [], n_labels + 1
    for group in table.columns:
        if group.title:
            spans.append((first, first + len(group.metrics) - 1))
        first += len(group.metrics)
    metrics = [metric for group in table.columns for metric in group.metrics]
    return _render(
        "fragment.tex.jinja",
        table=table,
        label=label,
        # A caption of one sentence has no full stop.
        title=table.title.removesuffix(".") if table.title.count(". ") == 0 else table.title,
        environment="table" if _fits_a_column(table) else "table*",
        spans=spans,
        metrics=metrics,
        n_columns=n_labels + len(metrics),
        is_marked=any(cell.outcome for row in table.rows for cells in row.cells for cell in cells),
        columns=_column_types(table, siunitx),
        siunitx=siunitx,
        cite=lambda reference: _cite(bibliography, [reference]),
        sources=_cite(bibliography, table.sources),
        has_intervals=lambda row: any(cell.interval for cells in row.cells for cell in cells),
        tex_cell=_siunitx_cell if siunitx else _cell,
    )


def _fits_a_column(table: ResultTable) -> bool:
    """Whether a table is about as narrow as a column of a page of two."""
    rows = table.rows
    titles = [f"{row.title} [00]" for row in rows] + [group.title for group in table.row_groups]
    letters: list[float] = [max(map(len, titles), default=0)]
    letters += [max(map(len, texts)) for texts in zip(*(row.settings for row in rows), strict=True)]
    for index, group in enumerate(table.columns):
        for position, metric in enumerate(group.metrics):
            cells = [row.cells[index][position] for row in rows]
            values = [max(len(cell.text), _TINY * len(cell.interval)) for cell in cells]
            letters.append(max([len(metric.title) + 2, *values]))
    return sum(_LETTER_PT * one + _GAP_PT for one in letters) <= COLUMN_PT


def _cite(bibliography: Bibliography, references: Sequence[str]) -> str:
    keys = [key for reference in references if reference and (key := bibliography.key(reference))]
    return rf"\irbenchcite{{{','.join(keys)}}}" if keys else ""


def _column_types(table: ResultTable, siunitx: bool) -> str:
    """The specification of the columns: text, then numbers with their digits before the point."""
    types = "l" + "c" * (len(table.headings) - 1)
    for index, group in enumerate(table.columns):
        for position in range(len(group.metrics)):
            texts = [row.cells[index][position].text for row in table.rows]
            parts = [text.partition(".") for text in texts if is_number(text)]
            if siunitx and parts:
                before = max(len(part[0]) for part in parts)
                after = max(len(part[2]) for part in parts)
                types += f"S[table-format={before}.{after}]"
            else:
                types += "c" if siunitx else "r"
    return types


def is_number(text: str) -> bool:
    """Whether a cell holds digits, not a dash or a sign of infinity."""
    return text.replace(".", "", 1).isdigit()


def _cell(cell: Cell) -> str:
    text = latex_text(cell.text)
    if cell.rank is not None:
        text = rf"\{_RANKS[cell.rank]}{{{text}}}"
    return text + _marks(cell)


def _marks(cell: Cell) -> str:
    """What stands behind a value, without width, so that the digits stay one below the other."""
    marks = latex_inside_braces(cell.mark)
    if cell.outcome:
        marks += rf"\irbench{cell.outcome}"
    return rf"\rlap{{\textsuperscript{{{marks}}}}}" if marks else ""


def _siunitx_cell(cell: Cell) -> str:
    # A mark has the colour of the text, not of the rank.
    mark = rf"{{\normalfont\normalcolor{marks}}}" if (marks := _marks(cell)) else ""
    if not is_number(cell.text):
        return rf"{{{latex_text(cell.text)}}}"
    before = rf"\{_RANKS[cell.rank]} " if cell.rank is not None else ""
    return f"{before}{cell.text}{mark}"


def _render(template: str, **values: Any) -> str:
    return latex_environment().get_template(template).render(values)
