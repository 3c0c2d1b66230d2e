"""Markdown for GitHub, which reads well in a terminal too: one table per dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from irbench.atomic import write_bytes
from irbench.engine.storage.results import RunResults
from irbench.markup.markdown_text import markdown_text, pipe_table
from irbench.published import published_tables
from irbench.published.measured_values import PARTS
from irbench.report import DEFAULT_OPTIONS, Report, ReportInfo, ReportOptions

from ._model import GLYPHS, Cell, ResultTable, TableRow
from ._published import ComparisonTable, comparison_tables
from ._table import result_table, table_groups
from ._table_lines import TABLE_1
from ._templates import markdown_environment

_RANKS = {1: "**{}**", 2: "<ins>{}</ins>", 3: "*{}*"}


class Markdown(Report):
    """The paper's tables as GitHub tables, one per dataset, with the footnotes under them."""

    info: ClassVar[ReportInfo] = ReportInfo(
        name="markdown", title="GitHub tables; the terminal shows them as text"
    )

    def write(
        self, runs: Sequence[RunResults], out: Path, options: ReportOptions = DEFAULT_OPTIONS
    ) -> list[Path]:
        """See :meth:`irbench.report.Report.write`."""
        groups = table_groups(runs, options)
        table = result_table(groups, options)
        comparisons = comparison_tables(groups, options.table) if options.paper else None
        text = (
            markdown_environment()
            .get_template("report.md.jinja")
            .render(
                heading=_heading(options.table),
                caption=table.caption,
                parts=[
                    {"title": title, "table": _table(table, shown)} for title, shown in table.parts
                ],
                legend=table.legend,
                row_notes=table.row_notes,
                footnotes=table.footnotes,
                comparisons=None if comparisons is None else list(map(_comparison, comparisons)),
            )
        )
        path = out / f"table{options.table}.md"
        write_bytes(path, f"{text.rstrip()}\n".encode())
        return [path]

    def terminal_text(
        self, runs: Sequence[RunResults], options: ReportOptions, width: int, *, styled: bool
    ) -> str:
        """The same table as plain text; published values beside measured ones are in the file."""
        from ._terminal import terminal_text

        table = result_table(table_groups(runs, options), options)
        return terminal_text(table, width, styled=styled)


def _table(table: ResultTable, shown: Sequence[int]) -> str:
    metrics = [metric for index in shown for metric in table.columns[index].metrics]
    heads = [
        *map(markdown_text, table.headings),
        *(f"{metric.title} {metric.arrow}".strip() for metric in metrics),
    ]
    lines = []
    for group in table.row_groups:
        rows = [row for row in group.rows if all(row.present[index] for index in shown)]
        if rows:
            if group.title:
                lines.append([f"*{markdown_text(group.title)}*", *[""] * (len(heads) - 1)])
            lines += [_row(row, shown) for row in rows]
    return pipe_table(heads, lines, len(table.headings))


def _row(row: TableRow, shown: Sequence[int]) -> list[str]:
    title = markdown_text(row.title)
    if row.notes:
        title += f"<sup>{','.join(map(str, row.notes))}</sup>"
    settings = map(markdown_text, row.settings)
    return [title, *settings, *(_cell(cell) for index in shown for cell in row.cells[index])]


def _cell(cell: Cell) -> str:
    text = cell.text if cell.rank is None else _RANKS[cell.rank].format(cell.text)
    outcome = f"<sup>{GLYPHS[cell.outcome]}</sup>" if cell.outcome else ""
    interval = f" ({cell.interval})" if cell.interval else ""
    return text + markdown_text(cell.mark) + outcome + interval


def _heading(number: int) -> str:
    if number == TABLE_1:
        return "Comparison of methods"
    return f"Ablation, as Table {published_tables()[number].numeral} of the paper"


def _comparison(table: ComparisonTable) -> dict[str, Any]:
    heads = ["Method", *(["Dataset"] if table.has_datasets else [])]
    n_names = len(heads)
    heads += [f"{metric.title} {part}" for metric in table.metrics for part in PARTS]
    lines = []
    for title, rows in table.sections:
        lines.append([f"*{markdown_text(title)}*", *[""] * (len(heads) - 1)])
        for row in rows:
            names = [row.title, row.dataset_title][:n_names]
            numbers = [value.text(part) for value in row.values for part in PARTS]
            lines.append([*map(markdown_text, names), *numbers])
    return {
        "caption": table.caption,
        "table": pipe_table(heads, lines, n_names),
        "footnotes": table.footnotes,
    }
