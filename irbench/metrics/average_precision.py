"""Average precision: the area under the precision-recall curve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UnknownNameError
from irbench.metrics.curve import PrecisionRecallCurve, rising_curves
from irbench.metrics.match_table import MatchTable
from irbench.metrics.value import NO_TARGETS, MetricValue

_RECALLS = np.linspace(0.0, 1.0, 101)


def average_precision_coco101(curve: PrecisionRecallCurve) -> MetricValue:
    """Average precision by COCO's estimator of 101 recall points.

    The mean over recall 0, 0.01, …, 1 of the greatest precision at any point of
    at least that recall; 0 where no point reaches it. [1]_

    Parameters
    ----------
    curve : PrecisionRecallCurve

    Returns
    -------
    MetricValue
        In [0, 1]; undefined without targets, 0 with targets and no detections.

    Notes
    -----
    With distinct scores it equals pycocotools with ``maxDets`` 300.

    References
    ----------
    .. [1] T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV
       2014, and its evaluation code.
    """
    if curve.n_targets == 0:
        return MetricValue(None, NO_TARGETS)
    true_positives, envelope = _envelope(curve)
    reached = np.searchsorted(true_positives / curve.n_targets, _RECALLS, side="left")
    return MetricValue(float(np.append(envelope, 0.0)[reached].mean()))


def average_precision_all_point(curve: PrecisionRecallCurve) -> MetricValue:
    """Area under the precision-recall curve, Eq. (21) of LE-IRSTD, at all its points.

    The integral over recall of the same envelope as
    :func:`average_precision_coco101`, which is a step function. Nothing is added
    at either end: no area beyond the greatest recall reached. [1]_

    Parameters
    ----------
    curve : PrecisionRecallCurve

    Returns
    -------
    MetricValue
        In [0, 1]; undefined without targets, 0 with targets and no detections.

    References
    ----------
    .. [1] M. Everingham et al., "The Pascal Visual Object Classes Challenge: A
       Retrospective", IJCV 111, 2015 (the estimator of VOC 2010 and later).
    """
    if curve.n_targets == 0:
        return MetricValue(None, NO_TARGETS)
    true_positives, envelope = _envelope(curve)
    # Divided last: sums of whole hits are exact, so that a perfect curve has area 1.
    area = np.diff(true_positives, prepend=0.0) @ envelope
    return MetricValue(float(area) / curve.n_targets)


def _envelope(curve: PrecisionRecallCurve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Hits where they rise, and the greatest precision from there on."""
    # A point without a new hit has a lower precision at the same recall.
    rises = np.diff(curve.true_positives, prepend=0.0) > 0
    true_positives = curve.true_positives[rises]
    precision = true_positives / curve.kept[rises]
    return true_positives, np.maximum.accumulate(precision[::-1])[::-1]


AP_ESTIMATORS: dict[str, Callable[[PrecisionRecallCurve], MetricValue]] = {
    "coco-101": average_precision_coco101,
    "all-point": average_precision_all_point,
}
"""The estimators by the name that a protocol gives them."""


def average_precision(
    table: MatchTable,
    iou_threshold: float = 0.5,
    weights: NDArray[Any] | None = None,
    estimator: str = "coco-101",
) -> MetricValue:
    """Average precision at one IoU threshold.

    Parameters
    ----------
    table : MatchTable
    iou_threshold : float
        One that the table was built with.
    weights : (n_images,) array_like, optional
        How often each image counts.
    estimator : {"coco-101", "all-point"}

    Returns
    -------
    MetricValue
        In [0, 1]; undefined without targets.

    Raises
    ------
    UsageError, UnknownNameError
    """
    (curve,) = rising_curves(table, [table.iou_index(iou_threshold)], weights)
    return _estimator(estimator)(curve)


def mean_average_precision(
    table: MatchTable, weights: NDArray[Any] | None = None, estimator: str = "coco-101"
) -> MetricValue:
    """Mean of the average precision over all IoU thresholds of the table.

    Parameters
    ----------
    table : MatchTable
        Built with :data:`~irbench.metrics.match_table.COCO_IOU_THRESHOLDS` for AP@50:95.
    weights : (n_images,) array_like, optional
        How often each image counts.
    estimator : {"coco-101", "all-point"}

    Returns
    -------
    MetricValue
        In [0, 1]; undefined without targets.
    """
    estimate = _estimator(estimator)
    curves = rising_curves(table, range(len(table.iou_thresholds)), weights)
    values = [estimate(curve).value for curve in curves]
    defined = [value for value in values if value is not None]
    # All columns have the same targets: all are defined, or none is.
    return MetricValue(float(np.mean(defined))) if defined else MetricValue(None, NO_TARGETS)


def _estimator(name: str) -> Callable[[PrecisionRecallCurve], MetricValue]:
    if name not in AP_ESTIMATORS:
        raise UnknownNameError("AP estimator", name, AP_ESTIMATORS)
    return AP_ESTIMATORS[name]
