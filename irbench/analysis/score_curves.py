"""How the scores of a method depend on what counts as a hit, and on the score threshold."""

from __future__ import annotations

import numpy as np

from irbench.analysis.objects import Objects
from irbench.analysis.pairs import match_by_distance
from irbench.metrics.curve import PrecisionRecallCurve, precision_recall_curve
from irbench.metrics.match_table import MatchTable

IOU_THRESHOLDS = tuple((np.arange(2, 19) / 20).tolist())
"""0.10, 0.15, …, 0.90."""

DISTANCES_PX = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0)
"""Centroid distances at which Pd is reported."""

MAX_POINTS = 200
"""So many points of a threshold curve are kept: more cannot be seen."""


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


def threshold_curve(
    table: MatchTable, iou_threshold: float = 0.5, max_points: int = MAX_POINTS
) -> PrecisionRecallCurve:
    """Precision, recall and F1 of a method as its score threshold falls.

    Parameters
    ----------
    table : MatchTable
    iou_threshold : float
        One that the table was built with.
    max_points : int
        Points are thinned to about so many, evenly in the logarithm of the number of kept
        detections; that of greatest F1 stays.

    Returns
    -------
    PrecisionRecallCurve
        Empty without detections or targets.
    """
    curve = precision_recall_curve(table, table.iou_index(iou_threshold))
    n_points = len(curve) if curve.n_targets else 0
    chosen = np.arange(n_points)
    if n_points > max_points:
        thinned = np.geomspace(1, n_points, max_points).round().astype(np.int64) - 1
        chosen = np.unique(np.append(thinned, np.argmax(curve.f1)))
    return PrecisionRecallCurve(
        curve.thresholds[chosen],
        curve.true_positives[chosen],
        curve.kept[chosen],
        curve.n_targets,
    )
