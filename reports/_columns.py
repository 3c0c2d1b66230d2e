"""The columns of a results table, by name."""

from __future__ import annotations

from collections.abc import Sequence

from irbench.metrics.definition import METRICS, unknown_metric
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
    is_area = metric.unit != ""
    return metric.kind == "points" and metric.higher_is_better is False and is_area
