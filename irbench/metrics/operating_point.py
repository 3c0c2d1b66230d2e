"""The score threshold at which P, R, F1, Pd and Fa are read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import MissingValidationError
from irbench.metrics.curve import precision_recall_curve
from irbench.metrics.match_table import MatchTable
from irbench.metrics.value import NO_DETECTIONS, NO_TARGETS, MetricValue
from irbench.protocol import Protocol

NO_STANDARD_DEVIATIONS = "scores are not in standard deviations of a score map"
"""Why ``"mean-kstd"`` has no threshold for a method of another kind."""


def best_f1_threshold(
    table: MatchTable, iou_index: int = 0, weights: NDArray[Any] | None = None
) -> MetricValue:
    """The threshold of greatest F1; of equal ones, the highest.

    Parameters
    ----------
    table : MatchTable
    iou_index : int
        Column of the table; see :meth:`MatchTable.iou_index`.
    weights : (n_images,) array_like, optional
        How often each image counts.

    Returns
    -------
    MetricValue
        A score that occurs. Undefined without detections, where every threshold
        keeps the same, and without targets, where F1 is; who must continue with a
        number takes ``math.inf``, which keeps nothing. Where no detection is a
        hit, every F1 is 0 and the threshold is the greatest score.

    Examples
    --------
    >>> from irbench.metrics.matching import match_detections
    >>> box, elsewhere = [0, 0, 4, 4], [9, 9, 12, 12]
    >>> best_f1_threshold(match_detections([[box, elsewhere]], [[0.9, 0.2]], [[box]])).value
    0.9
    """
    curve = precision_recall_curve(table, iou_index, weights)
    if curve.n_targets == 0:
        return MetricValue(None, NO_TARGETS)
    if len(curve) == 0:
        return MetricValue(None, NO_DETECTIONS)
    # argmax returns the first, and the thresholds descend.
    return MetricValue(float(curve.thresholds[np.argmax(curve.f1)]))


def choose_threshold(
    protocol: Protocol, kind: str, validation: MatchTable | None, tested: MatchTable
) -> MetricValue:
    """The threshold that a protocol's rule finds; ``score >= threshold`` is kept.

    ``val-f1`` is the best F1 on validation data, ``fixed`` the protocol's number, and ``oracle``
    the best F1 on the tested split itself: an upper bound, never a result. ``mean-kstd`` is the
    mean plus ``n_std`` standard deviations of each image's map, in which standardised scores
    are already.

    Parameters
    ----------
    protocol : Protocol
    kind : {"score-map", "segmentation", "box"}
        Of the method. For ``mean-kstd`` only the first has a threshold: a probability is never 5.
    validation : MatchTable or None
        Of the validation split, where there is one.
    tested : MatchTable
        Of the split the numbers will be of; only ``oracle`` looks at it.

    Returns
    -------
    MetricValue

    Raises
    ------
    MissingValidationError
        If the rule needs validation data and got None.
    """
    rule = protocol.operating_point
    if rule == "mean-kstd":
        if kind != "score-map":
            return MetricValue(None, NO_STANDARD_DEVIATIONS)
        return MetricValue(protocol.n_std)
    if rule == "fixed":
        assert protocol.fixed_threshold is not None
        return MetricValue(protocol.fixed_threshold)
    table = tested if rule == "oracle" else validation
    if table is None:
        raise MissingValidationError(
            "operating_point='val-f1' needs validation data and there is none: name a "
            "calibration, or take operating_point='fixed'."
        )
    return best_f1_threshold(table, table.iou_index(protocol.iou_threshold))
