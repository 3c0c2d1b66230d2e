"""What a row of results is ranked by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from irbench.metrics.metric import MetricDefinition

_COUNTED = ("boxes", "points", "pixels")


def keeps_nothing(row: Mapping[str, Any]) -> bool:
    """Whether a row kept no detection at its operating point: precision has no value then."""
    return "precision" in row and row["precision"] is None


def merit(row: Mapping[str, Any] | None, metric: MetricDefinition) -> float | None:
    """The value that a row is ranked by.

    Parameters
    ----------
    row : mapping or None
        As a run stores it.
    metric : MetricDefinition

    Returns
    -------
    float or None
        As stored. None without a value, or where it is no merit: a row that kept no detection
        has no false alarm either.

    Examples
    --------
    >>> from irbench.metrics.definition import METRICS
    >>> merit({"precision": None, "fa": 0.0, "recall": 0.0}, METRICS["fa"])
    >>> merit({"precision": None, "fa": 0.0, "recall": 0.0}, METRICS["recall"])
    0.0
    """
    value = None if row is None else row.get(metric.name)
    # A threshold that keeps nothing is the text "inf".
    if row is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    counts_errors = metric.higher_is_better is False and metric.kind in _COUNTED
    return None if counts_errors and keeps_nothing(row) else float(value)
