"""The sortable table of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from irbench.engine.storage.results import SCORED_STATES, Row
from irbench.metrics.definition import METRICS
from irbench.metrics.metric import MetricDefinition
from irbench.pictures.styles import MethodStyle
from irbench.report import ReportOptions
from irbench.statistics.scored_group import ScoredGroup

from ._columns import PER_METHOD, chosen_columns
from ._model import GLYPHS, Outcome
from ._side_by_side import DataGroup, methods_in_order
from ._table import result_table

DEFAULT_COLUMNS = ("wide",)


@dataclass(frozen=True)
class HtmlCell:
    """A value as shown, and the number it sorts by; ``key`` is empty where there is none.

    ``outcome`` is the mark of its test against the reference row.
    """

    metric: MetricDefinition
    text: str
    rank: int | None
    key: str
    interval: str
    outcome: str


@dataclass(frozen=True)
class HtmlRow:
    """One method: its state, its notes, and a cell of each column."""

    style: MethodStyle
    state: str
    notes: tuple[int, ...]
    cells: tuple[HtmlCell, ...]

    @property
    def is_scored(self) -> bool:
        """Whether it has values."""
        return self.state in SCORED_STATES


@dataclass(frozen=True)
class HtmlTable:
    """The table of one dataset.

    Attributes
    ----------
    metrics : tuple of MetricDefinition
        All columns.
    shown : frozenset of str
        Those that are seen at first.
    rows : tuple of HtmlRow
    notes : tuple of str
        Note 1, 2, …
    legend : tuple of str
        What marks behind values mean.
    """

    metrics: tuple[MetricDefinition, ...]
    shown: frozenset[str]
    rows: tuple[HtmlRow, ...]
    notes: tuple[str, ...]
    legend: tuple[str, ...]


def first_columns(options: ReportOptions) -> tuple[MetricDefinition, ...]:
    """The columns that are seen at first: the ones asked for, or those of the wide table."""
    return chosen_columns(options.columns or DEFAULT_COLUMNS)


def html_table(
    group: DataGroup,
    scored: ScoredGroup,
    styles: Mapping[str, MethodStyle],
    options: ReportOptions,
    outcomes: Mapping[tuple[str, str], Outcome],
    legend: Sequence[str],
) -> HtmlTable:
    """Lay out every metric that any method of a dataset has, and those to be seen at first.

    Parameters
    ----------
    group : DataGroup
    scored : ScoredGroup
    styles : mapping of str to MethodStyle
    options : ReportOptions
    outcomes : mapping of (str, str) to str
        Of the tests against the reference row, by method and metric.
    legend : sequence of str
        What their marks mean, and what else is said under the table.
    """
    rows = methods_in_order([group])
    known = {name for name in METRICS if any(row.get(name) is not None for row in rows)}
    shown = {metric.name for metric in first_columns(options)}
    if not options.columns:
        # What no method has, such as parameters, need not be seen unless it was asked for.
        shown &= known or shown
    names = [name for name in METRICS if name in shown | known]
    # Columns of the methods' own come first, as in every table.
    names.sort(key=lambda name: name not in PER_METHOD)
    laid_out = result_table(
        [group],
        ReportOptions(columns=tuple(names), methods=options.methods, show_empty=True, notes="full"),
    )
    metrics = [METRICS[name] for name in names]
    html_rows = []
    for row, laid in zip(rows, laid_out.rows, strict=True):
        cells = [cell for block in laid.cells for cell in block]
        html_rows.append(
            HtmlRow(
                styles[row["method"]],
                row["state"],
                laid.notes,
                tuple(
                    HtmlCell(
                        metric,
                        cell.text + cell.mark,
                        cell.rank,
                        _key(row, metric),
                        interval_text(scored, row["method"], metric),
                        GLYPHS[outcomes.get((row["method"], metric.name), "")],
                    )
                    for metric, cell in zip(metrics, cells, strict=True)
                ),
            )
        )
    return HtmlTable(
        tuple(metrics),
        frozenset(shown),
        tuple(html_rows),
        laid_out.row_notes,
        (*legend, *laid_out.legend),
    )


def interval_text(scored: ScoredGroup, method: str, metric: MetricDefinition) -> str:
    """The 95 % interval of a value as ``lower–upper``; empty where there is none."""
    one = scored.methods.get(method)
    interval = None if one is None else one.interval(metric.name)
    if interval is None:
        return ""
    return f"{metric.format(interval.lower)}–{metric.format(interval.upper)}"


def _key(row: Row, metric: MetricDefinition) -> str:
    value = row.get(metric.name)
    if value == "inf":
        return "1e999"
    return repr(float(value)) if isinstance(value, int | float) else ""
