"""Captions of the tables: what is compared, in which units, which direction is better."""

from __future__ import annotations

from collections.abc import Sequence

from irbench.metrics.metric import MetricDefinition
from irbench.published import published_tables

from ._side_by_side import DataGroup
from ._table_lines import TABLE_1

_DIRECTIONS = {"↑": "↑: the higher, the better", "↓": "↓: the lower, the better"}


def table_title(groups: Sequence[DataGroup], number: int) -> str:
    """What is compared on what; a warning where no value is a result.

    Parameters
    ----------
    groups : sequence of DataGroup
    number : int
        The paper's table that it is laid out like.
    """
    data = _listed([group.title for group in groups])
    table = published_tables()[number]
    what = "Comparison of methods" if number == TABLE_1 else table.title
    parts = [f"{what} on {data}." if number == TABLE_1 else f"{what}, measured on {data}."]
    if number != TABLE_1:
        parts.append(f"The rows are those of Table {table.numeral} of the paper.")
    if groups[0].protocol["operating_point"] == "oracle":
        parts.append(
            "ORACLE: every score threshold was chosen on the tested images themselves; the numbers "
            "are upper bounds and no results."
        )
    return " ".join(parts)


def table_units(metrics: Sequence[MetricDefinition]) -> str:
    """The units of the columns, and what their arrows mean; empty where there is neither."""
    parts = []
    units = [
        f"{_listed([metric.title for metric in metrics if metric.unit == unit])} in {unit}"
        for unit in dict.fromkeys(metric.unit for metric in metrics if metric.unit)
    ]
    if units:
        parts.append(f"{'; '.join(units)}.")
    arrows = {metric.arrow for metric in metrics} - {""}
    if arrows:
        parts.append(f"{'; '.join(_DIRECTIONS[arrow] for arrow in sorted(arrows))}.")
    return " ".join(parts)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
