"""The table of which detection hits which target; everything on boxes derives from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError

if TYPE_CHECKING:
    from irbench.metrics.weighted_ranking import WeightedRanking

# linspace, not arange, whose values lie a last bit above those that COCO uses.
COCO_IOU_THRESHOLDS: tuple[float, ...] = tuple(np.linspace(0.5, 0.95, 10).tolist())
"""0.50, 0.55, …, 0.95, bit for bit as COCO's evaluator has them."""


@dataclass(frozen=True, eq=False)
class MatchTable:
    """The outcome of matching, one row per detection.

    The rows of an image stand together, best score first; images keep their order.

    Attributes
    ----------
    image_index : (n_detections,) ndarray of int64
        Ascending.
    detection_index : (n_detections,) ndarray of int64
        Position in the list of its image that was passed in.
    scores : (n_detections,) ndarray of float64
    target_index : (n_detections, n_iou_thresholds) ndarray of int32
        The target it hits, as position in the list of its image; -1 for a false alarm.
    n_targets : (n_images,) ndarray of int64
    iou_thresholds : (n_iou_thresholds,) ndarray of float64
    """

    image_index: NDArray[np.int64]
    detection_index: NDArray[np.int64]
    scores: NDArray[np.float64]
    target_index: NDArray[np.int32]
    n_targets: NDArray[np.int64]
    iou_thresholds: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def n_images(self) -> int:
        """Number of images, those without targets or detections included."""
        return len(self.n_targets)

    @cached_property
    def hit(self) -> NDArray[np.bool_]:
        """``(n_detections, n_iou_thresholds)``: whether a detection hits a target."""
        return self.target_index >= 0

    @cached_property
    def ranking(self) -> NDArray[np.int64]:
        """``(n_detections,)`` rows in order of descending score over the whole set."""
        return np.argsort(-self.scores, kind="stable")

    @cached_property
    def score_groups(self) -> NDArray[np.int64]:
        """``(n_scores,)`` last position in :attr:`ranking` of each distinct score."""
        ranked = self.scores[self.ranking]
        return np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)[: len(ranked)])

    @cached_property
    def ranked_images(self) -> NDArray[np.int64]:
        """``(n_detections,)`` image of each detection, in the order of :attr:`ranking`."""
        return self.image_index[self.ranking]

    @cached_property
    def hit_positions(self) -> tuple[NDArray[np.int64], ...]:
        """For each IoU threshold the positions in :attr:`ranking` of the hits, ascending."""
        return tuple(np.flatnonzero(hits[self.ranking]) for hits in self.hit.T)

    @cached_property
    def hit_groups(self) -> tuple[NDArray[np.int64], ...]:
        """For each IoU threshold the positions in :attr:`score_groups` of the hits, ascending."""
        return tuple(np.searchsorted(self.score_groups, hits) for hits in self.hit_positions)

    @cached_property
    def weighted(self) -> WeightedRanking:
        """The ranking as a function of how often each image counts."""
        from irbench.metrics.weighted_ranking import WeightedRanking

        return WeightedRanking(self)

    def at(self, iou_thresholds: Sequence[float]) -> MatchTable:
        """The columns of some of its IoU thresholds."""
        columns = [self.iou_index(iou) for iou in iou_thresholds]
        return replace(
            self,
            target_index=np.ascontiguousarray(self.target_index[:, columns]),
            iou_thresholds=self.iou_thresholds[columns],
        )

    def iou_index(self, iou_threshold: float) -> int:
        """The column of an IoU threshold.

        Raises
        ------
        UsageError
            If the table was not built with it.
        """
        found = np.flatnonzero(np.abs(self.iou_thresholds - iou_threshold) < 1e-9)
        if not len(found):
            known = ", ".join(f"{known:g}" for known in self.iou_thresholds)
            raise UsageError(
                f"iou_threshold must be one that the table was built with ({known}), "
                f"got {iou_threshold}."
            )
        return int(found[0])


def count_together(tables: Sequence[MatchTable]) -> None:
    """Let the kept detections of several tables be counted once for all of them.

    Parameters
    ----------
    tables : sequence of MatchTable
        Of the same detections, with hits by several rules.
    """
    from irbench.metrics.weighted_ranking import KeptCounts, WeightedRanking

    counts = KeptCounts(tables)
    for table in tables:
        # What the cached property returns from now on.
        vars(table)["weighted"] = WeightedRanking(table, counts)
