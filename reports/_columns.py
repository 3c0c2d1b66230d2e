"""The columns of a results table: by name, and the best values of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from irbench.metrics.definition import METRICS, unknown_metric
from irbench.metrics.merit import merit
from irbench.metrics.metric import MetricDefinition

PAPER = ("params", "flops", "precision", "recall", "f1", "map50")
"""The columns of Table I."""

WIDE = (*PAPER, "pd", "fa", "iou", "niou", "fps")
"""Those of Table I and what else the field prints."""

PER_METHOD = ("params", "flops")
"""Columns that stand once, before those of the datasets."""

TIMES = ("fps", "ms_median")
"""Columns that mean little without the number of images behind them."""


def chosen_columns(names: Sequence[str]) -> tuple[MetricDefinition, ...]:
    """The metrics that ``names`` stand for, each once, in the order given.

    Parameters
    ----------
    names : sequence of str
        Metrics, or the presets ``paper``, ``wide`` and ``all``; none for ``paper``.

    Raises
    ------
    UnknownNameError
        For a name that is neither.
    """
    # Plug-ins add metrics at any time.
    presets = {"paper": PAPER, "wide": WIDE, "all": tuple(METRICS)}
    flat = [name for given in names or ("paper",) for name in presets.get(given, (given,))]
    for name in flat:
        if name not in METRICS:
            raise unknown_metric("column", name, (*METRICS, *presets))
    return tuple(METRICS[name] for name in dict.fromkeys(flat))


def is_false_alarm(metric: MetricDefinition) -> bool:
    """Whether a metric is an area of false alarms, which a box method fills whole boxes of."""
    return metric.kind == "points" and metric.higher_is_better is False and metric.unit != ""


N_RANKS = 3


def ranks(values: Sequence[float | None], metric: MetricDefinition) -> list[int | None]:
    """Rank the values of a column as they are printed.

    Parameters
    ----------
    values : sequence of (float or None)
        As stored, one per row.
    metric : MetricDefinition

    Returns
    -------
    list of (int or None)
        1 for the best value, 2 for the second-best, 3 for the third-best, else None.
        What prints alike ranks alike, and the next value takes the next rank. With
        fewer than two values, or where neither direction is better, nothing is ranked.

    Examples
    --------
    >>> from irbench.metrics.definition import METRICS
    >>> ranks([0.5, 0.9, None, 0.90001, 0.7], METRICS["f1"])
    [3, 1, None, 1, 2]
    """
    printed = [None if value is None else float(metric.format(value)) for value in values]
    defined = [value for value in printed if value is not None]
    if len(defined) < 2 or metric.higher_is_better is None:
        return [None] * len(printed)
    order = sorted(set(defined), reverse=metric.higher_is_better)[:N_RANKS]
    return [order.index(value) + 1 if value in order else None for value in printed]


def ranked_value(
    row: Mapping[str, Any] | None, metric: MetricDefinition, n_timed: int | None
) -> float | None:
    """The value that a row is ranked by; None where it is not.

    Parameters
    ----------
    row : mapping or None
    metric : MetricDefinition
    n_timed : int or None
        On how many images the row was timed; without any, times are not ranked.
    """
    if metric.name in TIMES and not n_timed:
        return None
    return merit(row, metric)
