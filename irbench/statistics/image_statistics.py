"""The quality metrics of a method as functions of how often each image counts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UnknownNameError, UsageError
from irbench.evaluation import Result
from irbench.metrics.counting import BoxCounts
from irbench.metrics.match_table import COCO_IOU_THRESHOLDS, MatchTable
from irbench.metrics.pixels import PixelCounts
from irbench.metrics.points import PointCounts
from irbench.statistics.average_precision import WeightedAveragePrecision


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
_AVERAGE_PRECISIONS = ("map50", "map50_95")

RESAMPLED_METRICS: tuple[str, ...] = (
    *("precision", "recall", "f1", *_AVERAGE_PRECISIONS),
    *("pd", "fa", "fa_legacy", "iou", "niou", "pixel_recall"),
)
"""The metrics that can be resampled over images."""


class ImageStatistics:
    """The quality metrics of a method as functions of how often each image counts.

    Parameters
    ----------
    n_images : int
    ratios : mapping of str to Ratio
        By metric.
    table : MatchTable, optional
        For average precision.
    average_precisions : collection of {"map50", "map50_95"}
        Which of the two; they need ``table`` at COCO's IoU thresholds.
    """

    def __init__(
        self,
        n_images: int,
        ratios: Mapping[str, Ratio],
        table: MatchTable | None = None,
        average_precisions: Collection[str] = (),
    ) -> None:
        self.n_images = n_images
        self._ratios = dict(ratios)
        self._average_precisions = tuple(average_precisions) if table is not None else ()
        if table is not None and average_precisions:
            all_columns = "map50_95" in average_precisions
            thresholds = COCO_IOU_THRESHOLDS if all_columns else COCO_IOU_THRESHOLDS[:1]
            indices = [table.iou_index(threshold) for threshold in thresholds]
            self._weighted = WeightedAveragePrecision(table, indices)

    @classmethod
    def of(cls, result: Result, metrics: Collection[str] = RESAMPLED_METRICS) -> ImageStatistics:
        """The metrics of an evaluation, those that it leaves undefined excepted.

        Parameters
        ----------
        result : Result
            Of :func:`irbench.evaluation.evaluate`.
        metrics : collection of str
            From :data:`RESAMPLED_METRICS`.

        Raises
        ------
        UnknownNameError
        """
        for name in metrics:
            if name not in RESAMPLED_METRICS:
                raise UnknownNameError("resampled metric", name, RESAMPLED_METRICS)
        ratios = {
            name: ratio(result.counts[kind])
            for name, (kind, ratio) in _RATIOS.items()
            if name in metrics and kind in result.counts
        }
        wanted = [name for name in _AVERAGE_PRECISIONS if name in metrics]
        return cls(result.n_images, ratios, result.counts.get("table"), wanted)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics."""
        return (*self._ratios, *self._average_precisions)

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
        if self._average_precisions:
            columns = self._weighted.values(weights)
            found = {"map50": columns[:, 0], "map50_95": columns.mean(axis=1)}
            values.update({name: found[name] for name in self._average_precisions})
        return values
