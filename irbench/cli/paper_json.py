"""What ``irbench paper`` says, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from irbench.engine.storage.results import RunResults
from irbench.published import PublishedTable, published_source, published_tables
from irbench.published.consistency import Disagreement, F1Inconsistency, different_entries
from irbench.published.measured_values import MeasuredRow
from irbench.published.network_counts import CountedRow, NetworkCounts


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
            "inconsistencies": [_inconsistency(one) for one in wrong],
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


def _inconsistency(one: F1Inconsistency) -> dict[str, Any]:
    return {
        "table": one.table,
        "row": one.row,
        "dataset": one.dataset,
        "precision": one.precision,
        "recall": one.recall,
        "printed": one.printed,
        "recomputed": one.recomputed,
        "impossible": one.is_impossible,
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
