"""Average precision of many draws of images at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from irbench.errors import UsageError
from irbench.metrics.match_table import MatchTable

_RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, eq=False)
class _Column:
    """The hits at one IoU threshold.

    Attributes
    ----------
    images : (n_hits,) ndarray of int64
        Image of each hit, best score first.
    last : (n_points,) ndarray of int64
        The last hit of each score group that holds one.
    point : (n_points,) ndarray of int64
        That group, among those at any of the thresholds.
    """

    images: NDArray[np.int64]
    last: NDArray[np.int64]
    point: NDArray[np.int64]


class WeightedAveragePrecision:
    """COCO's 101-point average precision as a function of the images' weights.

    Equal to :func:`irbench.metrics.average_precision.average_precision` for every
    draw, at a small part of its cost.

    Parameters
    ----------
    table : MatchTable
    iou_indices : sequence of int
        Columns of the table.

    Notes
    -----
    Precision matters only where recall can rise, at the scores of hits. The false
    alarms between two of them are counted by image once; the kept detections of all
    draws are then a sparse matrix (segments × images) times the weights, summed
    down the segments. The sum is shared by all IoU thresholds.
    """

    def __init__(self, table: MatchTable, iou_indices: Sequence[int]) -> None:
        ends = table.score_groups
        positions = [table.hit_positions[index] for index in iou_indices]
        groups = [np.searchsorted(ends, hits) for hits in positions]
        points = np.unique(np.concatenate([np.zeros(0, np.int64), *groups]))
        self._columns = []
        for hits, group in zip(positions, groups, strict=True):
            last = np.flatnonzero(np.diff(group, append=-1))
            point = np.searchsorted(points, group[last])
            self._columns.append(_Column(table.ranked_images[hits], last, point))
        stops = ends[points]
        # What ranks below the last hit is in nobody's precision.
        images = table.ranked_images[: stops[-1] + 1] if len(stops) else np.zeros(0, np.int64)
        segment = np.searchsorted(stops, np.arange(len(images)))
        self._segments = sparse.csr_array(
            (np.ones(len(images)), (segment, images)), shape=(len(stops), table.n_images)
        )
        self._n_targets = table.n_targets.astype(np.float64)

    def values(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Average precision of each draw at each IoU threshold.

        Parameters
        ----------
        weights : (n_images, n_draws) ndarray of float64
            How often each image counts; finite and not negative.

        Returns
        -------
        (n_draws, n_iou_indices) ndarray of float64
            In [0, 1]; NaN where a draw holds no target.

        Raises
        ------
        UsageError
        """
        n_images = len(self._n_targets)
        if weights.ndim != 2 or len(weights) != n_images:
            raise UsageError(f"weights must have shape ({n_images}, n_draws), got {weights.shape}.")
        kept = np.ascontiguousarray((self._segments @ weights).T)
        np.cumsum(kept, axis=1, out=kept)
        n_targets = self._n_targets @ weights
        answer = np.empty((weights.shape[1], len(self._columns)))
        for index, column in enumerate(self._columns):
            true_positives = np.ascontiguousarray(weights[column.images].T)
            np.cumsum(true_positives, axis=1, out=true_positives)
            # Detections of one score enter together; without ties this would only copy.
            if len(column.last) < len(column.images):
                true_positives = true_positives[:, column.last]
            at_points = kept if len(column.point) == kept.shape[1] else kept[:, column.point]
            answer[:, index] = _coco101(true_positives, at_points, n_targets)
        answer[n_targets == 0] = np.nan
        return answer


def _coco101(
    true_positives: NDArray[np.float64], kept: NDArray[np.float64], n_targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The estimator for ``(n_draws, n_points)`` counts down the ranking."""
    n_draws, n_points = kept.shape
    # One more column: the precision at a recall that is never reached.
    precision = np.zeros((n_draws, n_points + 1))
    np.divide(true_positives, kept, out=precision[:, :-1], where=kept > 0)
    recall = true_positives / np.maximum(n_targets, 1)[:, None]
    reached = np.empty((n_draws, len(_RECALLS)), dtype=np.int64)
    for draw in range(n_draws):
        reached[draw] = np.searchsorted(recall[draw], _RECALLS, side="left")
    # Recall 0 is reached at a draw's first point, so that the pieces of a draw end with it.
    # A point at which recall does not rise in this draw has no greater precision than the one
    # before it, of the same recall: it needs no special care.
    reached += (n_points + 1) * np.arange(n_draws)[:, None]
    pieces = np.maximum.reduceat(precision.ravel(), reached.ravel()).reshape(reached.shape)
    envelope = np.maximum.accumulate(pieces[:, ::-1], axis=1)
    return np.asarray(envelope.mean(axis=1))
