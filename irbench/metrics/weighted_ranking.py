"""The ranking of a match table as a function of how often each image counts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.weighted import Draws, Values

if TYPE_CHECKING:
    from irbench.metrics.match_table import MatchTable

Points = NDArray[np.float64]
"""``(n_draws, n_points)`` counts down the ranking."""


class WeightedRanking:
    """Hits and kept detections of many draws of images at once, down the ranking.

    Parameters
    ----------
    table : MatchTable

    Notes
    -----
    Precision matters only where recall can rise, at the scores of hits. The false alarms between
    two of them are counted by image once; the kept detections of all draws are then a sparse
    matrix (segments × images) times the weights, summed down the segments. The sum is shared by
    all IoU thresholds.
    """

    def __init__(self, table: MatchTable) -> None:
        self._table = table
        ends = table.score_groups
        self._groups = [np.searchsorted(ends, hits) for hits in table.hit_positions]
        self._points = np.unique(np.concatenate([np.zeros(0, np.int64), *self._groups]))

    def points(self, draws: Draws, iou_index: int) -> tuple[Points, Points, Values]:
        """Hits and kept detections at the scores of hits, and the targets of each draw.

        Parameters
        ----------
        draws : Draws
        iou_index : int
            Column of the table.

        Returns
        -------
        true_positives, kept : (n_draws, n_points) ndarray of float64
            At each score that a hit of this column has, best first.
        n_targets : (n_draws,) ndarray of float64
        """
        # Several metrics are of the same curve.
        found: tuple[Points, Points, Values] = draws.once(
            ("points", id(self), iou_index), lambda: self._points_of(draws, iou_index)
        )
        return found

    def _points_of(self, draws: Draws, iou_index: int) -> tuple[Points, Points, Values]:
        images, last, point = self.hits(iou_index)
        hits = np.ascontiguousarray(draws.weights[images].T)
        np.cumsum(hits, axis=1, out=hits)
        # Detections of one score enter together; without ties this would only copy. As rows of
        # points: NumPy lays out what is chosen, and sums it up, by the number of draws otherwise.
        if len(last) < len(images):
            hits = np.ascontiguousarray(hits[:, last])
        kept = self.kept(draws)
        if len(point) < kept.shape[1]:
            kept = np.ascontiguousarray(kept[:, point])
        return hits, kept, draws.sums(self._table.n_targets)

    def hits(self, iou_index: int) -> _Hits:
        """The hits of a column down the ranking, and the scores that they stand at."""
        return self._hits[iou_index]

    def kept(self, draws: Draws) -> Points:
        """``(n_draws, n_points)`` kept detections at each score that a hit of any column has."""
        kept: Points = draws.once(("kept", id(self)), lambda: self._kept.counts(draws))
        return kept

    def kept_before(self, draws: Draws, iou_index: int) -> tuple[Points, Values]:
        """Detections that rank above each score of :meth:`points`, and all detections.

        Returns
        -------
        before : (n_draws, n_points) ndarray of float64
        total : (n_draws,) ndarray of float64
        """
        found = draws.once(("before", id(self)), lambda: self._kept_above.counts(draws))
        point = np.searchsorted(self._points, np.unique(self._groups[iou_index]))
        return found[:, :-1][:, point], found[:, -1]

    @cached_property
    def _hits(self) -> list[_Hits]:
        found = []
        for group, positions in zip(self._groups, self._table.hit_positions, strict=True):
            last = np.flatnonzero(np.diff(group, append=-1))
            point = np.searchsorted(self._points, group[last])
            found.append(_Hits(self._table.ranked_images[positions], last, point))
        return found

    @cached_property
    def _kept(self) -> _RunningCounts:
        return _RunningCounts(self._table, self._table.score_groups[self._points] + 1)

    @cached_property
    def _kept_above(self) -> _RunningCounts:
        starts = np.append(0, self._table.score_groups + 1)[self._points]
        return _RunningCounts(self._table, np.append(starts, len(self._table)))


class _Hits(NamedTuple):
    """The hits of a column of a table, best first."""

    images: NDArray[np.int64]
    """``(n_hits,)`` image of each."""
    last: NDArray[np.int64]
    """``(n_points,)`` the last hit of each score."""
    point: NDArray[np.int64]
    """``(n_points,)`` place of that score among those of all columns."""


class _RunningCounts:
    """Detections down to given places of a ranking.

    Parameters
    ----------
    table : MatchTable
    stops : (n_stops,) ndarray of int64
        How many of the ranking count, ascending.
    """

    def __init__(self, table: MatchTable, stops: NDArray[np.int64]) -> None:
        from scipy import sparse

        # What ranks below the last stop counts nowhere.
        images = table.ranked_images[: stops[-1] if len(stops) else 0]
        segment = np.searchsorted(stops, np.arange(len(images)), side="right")
        self._segments: Any = sparse.csr_array(
            (np.ones(len(images)), (segment, images)), shape=(len(stops), table.n_images)
        )

    def counts(self, draws: Draws) -> Points:
        """``(n_draws, n_stops)`` detections of each draw."""
        found = np.ascontiguousarray((self._segments @ draws.weights).T)
        np.cumsum(found, axis=1, out=found)
        return found
