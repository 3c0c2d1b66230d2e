"""Average precision as the tools round YOLO networks compute it: a dialect of its own.

Only to compare with figures that such a tool printed. The matching is ours, as for
every other metric on boxes; what differs is the area, and where P and R are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.curve import PrecisionRecallCurve, precision_recall_curve
from irbench.metrics.match_table import MatchTable
from irbench.metrics.value import NO_DETECTIONS, NO_TARGETS, MetricValue

_RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class BestF1Point:
    """Precision and recall at the confidence of greatest F1.

    The confidence is chosen on the very images that the two are then measured on,
    so they are an upper bound and no result.

    Attributes
    ----------
    precision, recall : MetricValue
    threshold : float or None
    """

    precision: MetricValue
    recall: MetricValue
    threshold: float | None


def average_precision_yolo(curve: PrecisionRecallCurve) -> MetricValue:
    """Area under the precision-recall curve by the estimator of YOLO tools.

    The envelope of precision is joined by straight lines, also from recall 0 and
    precision 1, and to recall 1 and precision 0; read at 101 recalls and summed by
    the trapezoidal rule. So a triangle is added beyond the greatest recall reached:
    one hit of two targets has 0.75 here, 51 / 101 by COCO's estimator.

    Parameters
    ----------
    curve : PrecisionRecallCurve
        With all its points: also those where recall does not rise matter here.

    Returns
    -------
    MetricValue
        In [0, 1]; undefined without targets, 0 without detections.

    References
    ----------
    .. [1] G. Jocher, "YOLOv5", 2020 (validation of the published tool, method
       ``interp`` of its average precision).

    Examples
    --------
    >>> import numpy as np
    >>> one_of_two = PrecisionRecallCurve(np.array([0.9]), np.ones(1), np.ones(1), 2)
    >>> round(average_precision_yolo(one_of_two).value, 12)
    0.75
    """
    if curve.n_targets == 0:
        return MetricValue(None, NO_TARGETS)
    if len(curve) == 0:
        return MetricValue(0.0)
    recall = np.concatenate([[0.0], curve.recall, [1.0]])
    precision = np.concatenate([[1.0], curve.precision, [0.0]])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    # Of points of one recall np.interp takes the last: a drop at one recall is a step.
    at_recalls = np.interp(_RECALLS, recall, envelope)
    return MetricValue(float(np.trapezoid(at_recalls, _RECALLS)))


def ap_yolo(
    table: MatchTable, iou_threshold: float = 0.5, weights: NDArray[Any] | None = None
) -> MetricValue:
    """See :func:`average_precision_yolo`.

    Parameters
    ----------
    table : MatchTable
    iou_threshold : float
        One that the table was built with.
    weights : (n_images,) array_like, optional
        How often each image counts.

    Returns
    -------
    MetricValue
        In [0, 1]; undefined without targets.
    """
    return average_precision_yolo(
        precision_recall_curve(table, table.iou_index(iou_threshold), weights)
    )


def best_f1_point(
    table: MatchTable, iou_threshold: float = 0.5, weights: NDArray[Any] | None = None
) -> BestF1Point:
    """Precision and recall at the confidence of greatest F1, ties to the higher.

    The tools look for it on a grid of 1000 confidences, between which they
    interpolate, and smooth F1 over the grid first; this is the point itself, of
    which theirs is an approximation.

    Parameters
    ----------
    table : MatchTable
    iou_threshold : float
        One that the table was built with.
    weights : (n_images,) array_like, optional
        How often each image counts.

    Returns
    -------
    BestF1Point
        Both undefined without targets. Without detections precision is undefined
        and recall 0.
    """
    curve = precision_recall_curve(table, table.iou_index(iou_threshold), weights)
    if curve.n_targets == 0:
        missing = MetricValue(None, NO_TARGETS)
        return BestF1Point(missing, missing, None)
    if len(curve) == 0:
        return BestF1Point(MetricValue(None, NO_DETECTIONS), MetricValue(0.0), None)
    # argmax answers the first, and the thresholds descend.
    best = int(np.argmax(curve.f1))
    return BestF1Point(
        precision=MetricValue(float(curve.precision[best])),
        recall=MetricValue(float(curve.recall[best])),
        threshold=float(curve.thresholds[best]),
    )
