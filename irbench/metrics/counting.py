"""Hits, false alarms and misses at one threshold, and the ratios of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.match_table import MatchTable
from irbench.metrics.value import NO_TARGETS, NOTHING_KEPT, MetricValue, ratio, total


@dataclass(frozen=True, eq=False)
class BoxCounts:
    """Counts of each image at an operating point.

    Attributes
    ----------
    true_positives, false_positives, targets : (n_images,) ndarray of int64
        Kept detections that hit a target, kept detections that do not, and targets.
    """

    true_positives: NDArray[np.int64]
    false_positives: NDArray[np.int64]
    targets: NDArray[np.int64]


def count_boxes(table: MatchTable, threshold: float, iou_index: int = 0) -> BoxCounts:
    """Count hits and false alarms of each image among ``score >= threshold``.

    Parameters
    ----------
    table : MatchTable
    threshold : float
        ``math.inf`` keeps nothing.
    iou_index : int
        Column of the table; see :meth:`MatchTable.iou_index`.

    Returns
    -------
    BoxCounts

    Notes
    -----
    Matching goes down the scores, so that of the kept detections alone is the
    same: nothing is matched again.
    """
    kept = table.scores >= threshold
    hits = table.hit[:, iou_index]
    return BoxCounts(
        true_positives=np.bincount(table.image_index[kept & hits], minlength=table.n_images),
        false_positives=np.bincount(table.image_index[kept & ~hits], minlength=table.n_images),
        targets=table.n_targets,
    )


def precision(counts: BoxCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """Hits over kept detections, Eq. (19) of LE-IRSTD; undefined where nothing is kept.

    Parameters
    ----------
    counts : BoxCounts
    weights : (n_images,) array_like, optional
        How often each image counts.
    """
    hits = total(counts.true_positives, weights)
    return ratio(hits, hits + total(counts.false_positives, weights), NOTHING_KEPT)


def recall(counts: BoxCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """Hits over targets, Eq. (20) of LE-IRSTD; undefined without targets.

    Parameters
    ----------
    counts : BoxCounts
    weights : (n_images,) array_like, optional
        How often each image counts.
    """
    return ratio(total(counts.true_positives, weights), total(counts.targets, weights), NO_TARGETS)


def f1(counts: BoxCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """Harmonic mean of precision and recall, Eq. (23) of LE-IRSTD.

    Computed as twice the hits over kept detections plus targets, which is the
    same and stays defined, as 0, where there are targets and nothing is kept.
    Undefined without targets, as recall then is.

    Parameters
    ----------
    counts : BoxCounts
    weights : (n_images,) array_like, optional
        How often each image counts.
    """
    targets = total(counts.targets, weights)
    if targets == 0:
        return MetricValue(None, NO_TARGETS)
    hits = total(counts.true_positives, weights)
    kept = hits + total(counts.false_positives, weights)
    return ratio(2 * hits, kept + targets, NO_TARGETS)
