"""Hits, false alarms and misses at one threshold, and the ratios of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.match_table import MatchTable
from irbench.metrics.metric import fraction
from irbench.metrics.value import NO_TARGETS, NOTHING_KEPT
from irbench.metrics.weighted import Ratio

_PAPER = "LE-IRSTD, Eq."


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

    @property
    def n_images(self) -> int:
        """Number of images."""
        return len(self.targets)

    @property
    def kept(self) -> NDArray[np.int64]:
        """``(n_images,)`` kept detections."""
        return self.true_positives + self.false_positives


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


_box_metric = partial(fraction, kind="boxes", needs="boxes", clause="overlap")

precision = _box_metric(
    "precision",
    "P",
    reference=f"{_PAPER} (19)",
    description="Kept detections that are hits, of all kept detections.",
    formula="TP / (TP + FP)",
    form=lambda counts: Ratio(counts.true_positives, counts.kept),
    reason=NOTHING_KEPT,
)

recall = _box_metric(
    "recall",
    "R",
    reference=f"{_PAPER} (20)",
    description="Targets that a kept detection hits, of all targets.",
    formula="TP / (TP + FN)",
    form=lambda counts: Ratio(counts.true_positives, counts.targets),
    reason=NO_TARGETS,
)

# Twice the hits over kept detections plus targets: so it stays defined, as 0, where there are
# targets and nothing is kept.
f1 = _box_metric(
    "f1",
    "F1",
    reference=f"{_PAPER} (23)",
    description="Harmonic mean of precision and recall.",
    formula="2 TP / (2 TP + FP + FN)",
    form=lambda counts: Ratio(
        2 * counts.true_positives, counts.kept + counts.targets, counts.targets
    ),
    reason=NO_TARGETS,
)

METRICS = (precision, recall, f1)
