"""The precision-recall curve of a set of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.match_table import MatchTable
from irbench.metrics.value import check_weights, total


@dataclass(frozen=True, eq=False)
class PrecisionRecallCurve:
    """Counts at every threshold at which something changes.

    All detections of one score enter together: a set where a hit and a false
    alarm have the same score has one point there, whichever is listed first.

    Attributes
    ----------
    thresholds : (n_points,) ndarray of float64
        The distinct scores, descending; a point keeps ``score >= threshold``.
    true_positives : (n_points,) ndarray of float64
        Kept detections that are hits.
    kept : (n_points,) ndarray of float64
        Kept detections, more than 0.
    n_targets : float
    """

    thresholds: NDArray[np.float64]
    true_positives: NDArray[np.float64]
    kept: NDArray[np.float64]
    n_targets: float

    def __len__(self) -> int:
        return len(self.thresholds)

    @property
    def precision(self) -> NDArray[np.float64]:
        """``(n_points,)`` in [0, 1]."""
        return self.true_positives / self.kept

    @property
    def recall(self) -> NDArray[np.float64]:
        """``(n_points,)`` in [0, 1], ascending; NaN where there are no targets."""
        if self.n_targets == 0:
            return np.full(len(self), np.nan)
        return self.true_positives / self.n_targets

    @property
    def f1(self) -> NDArray[np.float64]:
        """``(n_points,)`` in [0, 1]: twice the hits over kept detections plus targets."""
        return 2 * self.true_positives / (self.kept + self.n_targets)


def precision_recall_curve(
    table: MatchTable, iou_index: int = 0, weights: NDArray[Any] | None = None
) -> PrecisionRecallCurve:
    """The precision-recall curve of a set of images.

    Parameters
    ----------
    table : MatchTable
    iou_index : int
        Column of the table; see :meth:`MatchTable.iou_index`.
    weights : (n_images,) array_like, optional
        How often each image counts; see :func:`irbench.metrics.value.check_weights`.

    Returns
    -------
    PrecisionRecallCurve
    """
    checked = check_weights(weights, table.n_images)
    times = np.ones(table.n_images) if checked is None else checked
    ends = table.score_groups
    kept = np.cumsum(times[table.ranked_images])[ends]
    positions = table.hit_positions[iou_index]
    hits = np.append(0.0, np.cumsum(times[table.ranked_images[positions]]))
    n_hits = np.searchsorted(positions, ends, side="right")
    # A score that occurs only on images of weight 0 is no point.
    present = np.diff(kept, prepend=0.0) > 0
    return PrecisionRecallCurve(
        thresholds=table.scores[table.ranking[ends]][present],
        true_positives=hits[n_hits][present],
        kept=kept[present],
        n_targets=total(table.n_targets, weights),
    )
