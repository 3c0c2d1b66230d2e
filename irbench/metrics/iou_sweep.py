"""Average precision at any list of IoU thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from irbench.metrics.average_precision import average_precision
from irbench.metrics.match_table import MatchTable
from irbench.metrics.value import MetricValue


def average_precision_by_iou(
    table: MatchTable,
    iou_thresholds: Sequence[float] | None = None,
    weights: NDArray[Any] | None = None,
    estimator: str = "coco-101",
) -> dict[float, MetricValue]:
    """Average precision at each of several IoU thresholds.

    Parameters
    ----------
    table : MatchTable
        Built with all of them: any in (0, 1].
    iou_thresholds : sequence of float, optional
        By default all of the table.
    weights : (n_images,) array_like, optional
        How often each image counts.
    estimator : {"coco-101", "all-point"}

    Returns
    -------
    dict of float to MetricValue
        By IoU threshold, in the order given.

    Raises
    ------
    UsageError, UnknownNameError

    Examples
    --------
    >>> from irbench.metrics.matching import match_detections
    >>> table = match_detections([[[0, 0, 4, 2]]], [[1]], [[[0, 0, 4, 4]]], (0.3, 0.5, 0.75))
    >>> {iou: ap.value for iou, ap in average_precision_by_iou(table).items()}
    {0.3: 1.0, 0.5: 1.0, 0.75: 0.0}
    """
    chosen = table.iou_thresholds.tolist() if iou_thresholds is None else iou_thresholds
    return {
        float(threshold): average_precision(table, threshold, weights, estimator)
        for threshold in chosen
    }
