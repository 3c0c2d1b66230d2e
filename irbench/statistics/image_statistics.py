"""The quality metrics of a method as functions of how often each image counts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UnknownNameError, UsageError
from irbench.evaluation import Result
from irbench.metrics.counting import BoxCounts
from irbench.metrics.map_statistics import MAP_METRICS
from irbench.metrics.match_table import COCO_IOU_THRESHOLDS, MatchTable
from irbench.metrics.pixels import PixelCounts
from irbench.metrics.points import PointCounts
from irbench.statistics.average_precision import WeightedAveragePrecision
from irbench.statistics.map_metrics import Metric, map_metrics


@dataclass(frozen=True, eq=False)
class Ratio:
    """A metric that divides one sum over images by another.

    Parameters
    ----------
    numerator, denominator : (n_images,) ndarray
    required : (n_images,) ndarray, optional
        The metric is undefined where this sums to 0; by default the denominator.
    """

    numerator: NDArray[Any]
    denominator: NDArray[Any]
    required: NDArray[Any] | None = None

    def values(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The ratio of each draw.

        Parameters
        ----------
        weights : (n_images, n_draws) ndarray of float64

        Returns
        -------
        (n_draws,) ndarray of float64
            NaN where undefined.
        """
        denominator = self.denominator.astype(np.float64) @ weights
        required = denominator
        if self.required is not None:
            required = self.required.astype(np.float64) @ weights
        ratio = np.full(weights.shape[1], np.nan)
        numerator = self.numerator.astype(np.float64) @ weights
        np.divide(numerator, denominator, out=ratio, where=required > 0)
        return ratio


def _precision(counts: BoxCounts) -> Ratio:
    return Ratio(counts.true_positives, counts.true_positives + counts.false_positives)


def _recall(counts: BoxCounts) -> Ratio:
    return Ratio(counts.true_positives, counts.targets)


def _f1(counts: BoxCounts) -> Ratio:
    kept = counts.true_positives + counts.false_positives
    return Ratio(2 * counts.true_positives, kept + counts.targets, counts.targets)


def _pd(counts: PointCounts) -> Ratio:
    return Ratio(counts.hits, counts.targets)


def _fa(counts: PointCounts) -> Ratio:
    return Ratio(counts.false_pixels, counts.pixels)


def _fa_legacy(counts: PointCounts) -> Ratio:
    return Ratio(counts.legacy_false_pixels, counts.pixels)


def _iou(counts: PixelCounts) -> Ratio:
    return Ratio(counts.intersection, counts.union)


def _niou(counts: PixelCounts) -> Ratio:
    union = counts.union
    per_image = np.divide(counts.intersection, union, out=np.ones(len(union)), where=union > 0)
    return Ratio(per_image, np.ones(len(union)))


def _pixel_recall(counts: PixelCounts) -> Ratio:
    return Ratio(counts.intersection, counts.target)


_RATIOS: dict[str, tuple[str, Callable[[Any], Ratio]]] = {
    "precision": ("boxes", _precision),
    "recall": ("boxes", _recall),
    "f1": ("boxes", _f1),
    "pd": ("points", _pd),
    "fa": ("points", _fa),
    "fa_legacy": ("points", _fa_legacy),
    "iou": ("pixels", _iou),
    "niou": ("pixels", _niou),
    "pixel_recall": ("pixels", _pixel_recall),
}
# The table in the counts of a result, and the thresholds that are averaged.
_AVERAGE_PRECISIONS: Mapping[str, tuple[str, tuple[float, ...] | None]] = {
    "map50": ("table", (0.5,)),
    "map50_95": ("table", COCO_IOU_THRESHOLDS),
    "map30": ("table30", (0.3,)),
    "map75": ("table", (0.75,)),
    "ap_point": ("ranked_points", None),
}

RESAMPLED_METRICS: tuple[str, ...] = (
    *("precision", "recall", "f1", *_AVERAGE_PRECISIONS),
    *("pd", "fa", "fa_legacy", "iou", "niou", "pixel_recall"),
)
"""The metrics of detections that can be resampled over images."""

RESAMPLED_MAP_METRICS: tuple[str, ...] = tuple(MAP_METRICS)
"""Those of score maps: only for methods whose maps a run has measured."""


class ImageStatistics:
    """The quality metrics of a method as functions of how often each image counts.

    Parameters
    ----------
    n_images : int
    ratios : mapping of str to Ratio
        By metric.
    rankings : mapping of str to (MatchTable, sequence of int), optional
        By metric, the table and its columns over which average precision is averaged.
    maps : mapping of str to callable, optional
        By metric of score maps, see :func:`irbench.statistics.map_metrics.map_metrics`.
    """

    def __init__(
        self,
        n_images: int,
        ratios: Mapping[str, Ratio],
        rankings: Mapping[str, tuple[MatchTable, Sequence[int]]] | None = None,
        maps: Mapping[str, Metric] | None = None,
    ) -> None:
        self.n_images = n_images
        self._ratios = dict(ratios)
        self._maps = dict(maps or {})
        self._columns: dict[str, tuple[int, Sequence[int]]] = {}
        self._weighted: dict[int, WeightedAveragePrecision] = {}
        rankings = rankings or {}
        # Metrics of one table share its columns, and the sums down its ranking.
        tables = {id(table): table for table, _ in rankings.values()}
        for key, table in tables.items():
            mine = {name: list(cols) for name, (one, cols) in rankings.items() if one is table}
            wanted = sorted(set().union(*mine.values()))
            self._weighted[key] = WeightedAveragePrecision(table, wanted)
            for name, columns in mine.items():
                self._columns[name] = (key, [wanted.index(column) for column in columns])

    @classmethod
    def of(cls, result: Result, metrics: Collection[str] = RESAMPLED_METRICS) -> ImageStatistics:
        """The metrics of an evaluation, those that it leaves undefined excepted.

        Parameters
        ----------
        result : Result
            Of :func:`irbench.evaluation.evaluate`.
        metrics : collection of str
            From :data:`RESAMPLED_METRICS` and :data:`RESAMPLED_MAP_METRICS`.

        Raises
        ------
        UnknownNameError
        """
        known = (*RESAMPLED_METRICS, *RESAMPLED_MAP_METRICS)
        for name in metrics:
            if name not in known:
                raise UnknownNameError("resampled metric", name, known)
        ratios = {
            name: ratio(result.counts[kind])
            for name, (kind, ratio) in _RATIOS.items()
            if name in metrics and kind in result.counts
        }
        rankings = {}
        for name, (kind, thresholds) in _AVERAGE_PRECISIONS.items():
            if name in metrics and kind in result.counts:
                table: MatchTable = result.counts[kind]
                indices = [0] if thresholds is None else [table.iou_index(t) for t in thresholds]
                rankings[name] = (table, indices)
        maps = map_metrics(result.counts["maps"], metrics) if "maps" in result.counts else {}
        return cls(result.n_images, ratios, rankings, maps)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics."""
        return (*self._ratios, *self._columns, *self._maps)

    def values(self, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Every metric of each draw.

        Parameters
        ----------
        weights : (n_images, n_draws) ndarray of float64
            How often each image counts; finite and not negative.

        Returns
        -------
        dict of str to (n_draws,) ndarray of float64
            NaN where a metric is undefined.

        Raises
        ------
        UsageError
        """
        if weights.ndim != 2 or len(weights) != self.n_images:
            raise UsageError(
                f"weights must have shape ({self.n_images}, n_draws), got {weights.shape}."
            )
        values = {name: ratio.values(weights) for name, ratio in self._ratios.items()}
        columns = {key: one.values(weights) for key, one in self._weighted.items()}
        for name, (key, chosen) in self._columns.items():
            values[name] = columns[key][:, chosen].mean(axis=1)
        values.update({name: metric(weights) for name, metric in self._maps.items()})
        return values
