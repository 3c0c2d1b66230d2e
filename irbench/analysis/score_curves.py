"""How the scores of a method depend on what counts as a hit, and on the score threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irbench.analysis.objects import Objects
from irbench.analysis.pairs import match_by_distance
from irbench.metrics.average_precision import average_precision
from irbench.metrics.curve import precision_recall_curve
from irbench.metrics.match_table import MatchTable

IOU_THRESHOLDS = tuple((np.arange(2, 19) / 20).tolist())
"""0.10, 0.15, …, 0.90."""

DISTANCES_PX = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0)
"""Centroid distances at which Pd is reported."""

MAX_POINTS = 200
"""So many points of a threshold curve are kept: more cannot be seen."""


def ap_by_iou(table: MatchTable) -> list[float | None]:
    """Average precision at each IoU threshold of a table; None without targets."""
    return [average_precision(table, float(iou)).value for iou in table.iou_thresholds]


def pd_by_distance(kept: Objects, targets: Objects) -> list[float | None]:
    """Pd at each of :data:`DISTANCES_PX`.

    Parameters
    ----------
    kept : Objects
        Detections at or above the operating point.
    targets : Objects

    Returns
    -------
    list of (float or None)
        None without targets.

    Notes
    -----
    It need not rise everywhere: each target takes the first detection that is near, not the
    nearest, and at a greater distance that may be another target's only one.
    """
    if not len(targets):
        return [None] * len(DISTANCES_PX)
    matched = match_by_distance(kept, targets, np.array(DISTANCES_PX))
    return [float(share) for share in (matched >= 0).mean(axis=1)]


@dataclass(frozen=True, eq=False)
class ThresholdCurve:
    """Precision, recall and F1 against the score threshold.

    Attributes
    ----------
    thresholds, precision, recall, f1 : (n_points,) ndarray of float64
        By descending threshold. Empty without detections or targets.
    best : int or None
        The point of greatest F1, an upper bound that no method may be scored at.
    """

    thresholds: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    best: int | None


def threshold_curve(
    table: MatchTable, iou_threshold: float = 0.5, max_points: int = MAX_POINTS
) -> ThresholdCurve:
    """Precision, recall and F1 of a method as its score threshold falls.

    Parameters
    ----------
    table : MatchTable
    iou_threshold : float
        One that the table was built with.
    max_points : int
        Points are thinned to about so many, evenly in the logarithm of the number of kept
        detections; that of greatest F1 stays.
    """
    curve = precision_recall_curve(table, table.iou_index(iou_threshold))
    if curve.n_targets == 0 or len(curve) == 0:
        nothing = np.zeros(0)
        return ThresholdCurve(nothing, nothing, nothing, nothing, None)
    best = int(np.argmax(curve.f1))
    chosen = np.arange(len(curve))
    if len(curve) > max_points:
        chosen = np.unique(np.append(np.geomspace(1, len(curve), max_points).round() - 1, best))
    chosen = chosen.astype(np.int64)
    return ThresholdCurve(
        curve.thresholds[chosen],
        curve.precision[chosen],
        curve.recall[chosen],
        curve.f1[chosen],
        int(np.searchsorted(chosen, best)),
    )
