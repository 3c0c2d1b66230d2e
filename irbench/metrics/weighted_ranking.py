"""The ranking of a match table as a function of how often each image counts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.weighted import Draws, Values
from irbench.ragged_arrays import offsets_of, ranges

if TYPE_CHECKING:
    from irbench.metrics.match_table import MatchTable

Points = NDArray[np.float64]
"""``(n_draws, n_points)`` counts down the ranking."""


class KeptCounts:
    """How many detections each of many draws keeps, at every score that some hit has.

    Parameters
    ----------
    tables : sequence of MatchTable
        Of the same detections, with hits by several rules.
    """

    def __init__(self, tables: Sequence[MatchTable]) -> None:
        self._tables = tuple(tables)

    @cached_property
    def points(self) -> NDArray[np.int64]:
        """``(n_points,)`` positions in ``score_groups`` of the scores of hits, ascending."""
        groups = [group for table in self._tables for group in table.hit_groups]
        return np.unique(np.concatenate([np.zeros(0, np.int64), *groups]))

    def at_points(self, draws: Draws) -> Points:
        """``(n_draws, n_points)`` kept detections at each score that a hit of any table has."""
        kept: Points = draws.once(("kept", id(self)), lambda: self._running(draws))
        return kept

    def _running(self, draws: Draws) -> Points:
        found = np.ascontiguousarray((self._segments @ draws.weights).T)
        np.cumsum(found, axis=1, out=found)
        return found

    @cached_property
    def _segments(self) -> Any:
        table = self._tables[0]
        stops = table.score_groups[self.points] + 1
        # What ranks below the last stop counts nowhere.
        images = table.ranked_images[: stops[-1] if len(stops) else 0]
        segment = np.searchsorted(stops, np.arange(len(images)), side="right")
        return _counting(segment, images, (len(stops), table.n_images))


class WeightedRanking:
    """Hits and kept detections of many draws of images at once, down the ranking.

    Parameters
    ----------
    table : MatchTable
    kept : KeptCounts, optional
        Of this table and others.

    Notes
    -----
    Precision matters only where recall can rise, at the scores of hits. The false alarms between
    two of them are counted by image once; the kept detections of all draws are then a sparse
    matrix (segments × images) times the weights, summed down the segments. The sum is shared by
    all IoU thresholds, and by other rules of what a hit is.
    """

    def __init__(self, table: MatchTable, kept: KeptCounts | None = None) -> None:
        self._table = table
        self._kept = KeptCounts([table]) if kept is None else kept
        self._own: dict[int, Any] = {}
        self._joined: dict[tuple[int, ...], tuple[NDArray[np.int64], ...]] = {}

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

    def joined_hits(self, iou_indices: tuple[int, ...]) -> tuple[NDArray[np.int64], ...]:
        """Those of several columns, one after another, and where the points of each begin."""
        if iou_indices not in self._joined:
            hits = [self.hits(index) for index in iou_indices]
            n_before = offsets_of([len(one.images) for one in hits])
            self._joined[iou_indices] = (
                np.concatenate([one.images for one in hits]),
                np.concatenate([one.last + n for one, n in zip(hits, n_before, strict=False)]),
                np.concatenate([one.point for one in hits]),
                offsets_of([len(one.last) for one in hits]),
            )
        return self._joined[iou_indices]

    def kept(self, draws: Draws) -> Points:
        """``(n_draws, n_points)`` kept detections; see :meth:`KeptCounts.at_points`."""
        return self._kept.at_points(draws)

    def kept_before(self, draws: Draws, iou_index: int) -> tuple[Points, Values]:
        """Detections that rank above each score of :meth:`points`, and all detections.

        Returns
        -------
        before : (n_draws, n_points) ndarray of float64
        total : (n_draws,) ndarray of float64
        """
        # Asked for by several metrics.
        found: tuple[Points, Values] = draws.once(
            ("before", id(self), iou_index), lambda: self._kept_before(draws, iou_index)
        )
        return found

    def _kept_before(self, draws: Draws, iou_index: int) -> tuple[Points, Values]:
        own = self._of_scores(iou_index) @ draws.weights
        detections = np.bincount(self._table.image_index, minlength=self._table.n_images)
        return self.points(draws, iou_index)[1] - own.T, draws.sums(detections)

    @cached_property
    def _hits(self) -> list[_Hits]:
        found = []
        for group, positions in zip(self._table.hit_groups, self._table.hit_positions, strict=True):
            last = np.flatnonzero(np.diff(group, append=-1))
            point = np.searchsorted(self._kept.points, group[last])
            found.append(_Hits(self._table.ranked_images[positions], last, point))
        return found

    def _of_scores(self, iou_index: int) -> Any:
        """Sparse ``(n_points, n_images)``: the detections of each score of :meth:`points`."""
        if iou_index not in self._own:
            groups = np.unique(self._table.hit_groups[iou_index])
            ends = self._table.score_groups
            sizes = np.diff(ends, prepend=-1)[groups]
            members = ranges(ends[groups] + 1 - sizes, sizes)
            self._own[iou_index] = _counting(
                np.repeat(np.arange(len(groups)), sizes),
                self._table.ranked_images[members],
                (len(groups), self._table.n_images),
            )
        return self._own[iou_index]


class _Hits(NamedTuple):
    """The hits of a column of a table, best first."""

    images: NDArray[np.int64]
    """``(n_hits,)`` image of each."""
    last: NDArray[np.int64]
    """``(n_points,)`` the last hit of each score."""
    point: NDArray[np.int64]
    """``(n_points,)`` position of that score among those of all columns."""


def _counting(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> Any:
    """How often each pair occurs, as a sparse array."""
    from scipy import sparse

    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
