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
    ends = table.score_groups
    kept = _kept_so_far(table, weights)[ends]
    groups, true_positives = _rising_groups(table, iou_index, weights)
    # From one group with hits to the next, the number of hits stays.
    last = np.searchsorted(groups, np.arange(len(ends)), side="right")
    # A score that occurs only on images of weight 0 is no point.
    present = np.diff(kept, prepend=0.0) > 0
    return PrecisionRecallCurve(
        thresholds=table.scores[table.ranking[ends]][present],
        true_positives=np.append(0.0, true_positives)[last][present],
        kept=kept[present],
        n_targets=total(table.n_targets, weights),
    )


def _kept_so_far(table: MatchTable, weights: NDArray[Any] | None) -> NDArray[np.float64]:
    """``(n_detections,)`` kept detections down to each position of the ranking."""
    checked = check_weights(weights, table.n_images)
    if checked is None:
        return np.arange(1.0, len(table) + 1)
    return np.asarray(np.cumsum(checked[table.ranked_images]))


def _rising_groups(
    table: MatchTable, iou_index: int, weights: NDArray[Any] | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The score groups that hold a hit, and the number of hits down to the end of each."""
    positions = table.hit_positions[iou_index]
    checked = check_weights(weights, table.n_images)
    if checked is None:
        hits = np.arange(1.0, len(positions) + 1)
    else:
        hits = np.cumsum(checked[table.ranked_images[positions]])
    group = np.searchsorted(table.score_groups, positions)
    last = np.diff(group, append=-1) != 0
    return group[last], hits[last]
