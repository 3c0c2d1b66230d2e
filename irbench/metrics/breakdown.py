"""Average precision and recall by what targets and images are like: area, clutter, number.

A breakdown says where a method loses its targets. It is a table of its own, not more
columns of the results.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from irbench.errors import UsageError
from irbench.metrics.average_precision import average_precision
from irbench.metrics.counting import count_boxes, recall
from irbench.metrics.ignored_targets import match_with_ignored
from irbench.metrics.match_table import MatchTable
from irbench.metrics.matching import match_detections
from irbench.metrics.value import MetricValue

if TYPE_CHECKING:
    from irbench.detections import Detections
    from irbench.ground_truth import GroundTruth

NO_THRESHOLD = "no threshold"
UNDEFINED_RATIO = "undefined"
"""Label of the targets whose signal-to-clutter ratio is undefined."""


@dataclass(frozen=True)
class Bin:
    """The values ``lower <= value < upper``.

    Parameters
    ----------
    label : str
    lower, upper : float
    """

    label: str
    lower: float
    upper: float = math.inf

    def holds(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Whether each value lies in it; NaN never does."""
        array = np.asarray(values, dtype=np.float64)
        return np.asarray((array >= self.lower) & (array < self.upper))


AREA_BINS = (Bin("1–9", 0, 10), Bin("10–25", 10, 26), Bin("26–49", 26, 50), Bin("≥ 50", 50))
"""Areas in pixels. Boxes may have fractions of one: 9.5 belongs to the first bin."""

SCR_BINS = (Bin("< 3", 0, 3), Bin("3–6", 3, 6), Bin("≥ 6", 6))
"""Local signal-to-clutter ratios. Fixed, so that a row means the same on every dataset,
which quantiles of each would not. A target at 3 has the mean of its pixels at three
deviations of its background, where a threshold on grey levels begins to part the two; at
6 one has room to spare."""

COUNT_BINS = (Bin("0", 0, 1), Bin("1", 1, 2), Bin("2", 2, 3), Bin("≥ 3", 3))
"""Numbers of targets in an image."""


@dataclass(frozen=True)
class BreakdownRow:
    """What a method reaches on the targets, or the images, of one bin.

    Attributes
    ----------
    label : str
        Of the bin.
    n_images : int
        Images with a target in the bin; by number of targets, images in the bin.
    n_targets : int
    n_false_alarms : int or None
        Kept detections that count against precision here; None without a threshold.
    average_precision : MetricValue
    recall : MetricValue
        At the operating point.
    """

    label: str
    n_images: int
    n_targets: int
    n_false_alarms: int | None
    average_precision: MetricValue
    recall: MetricValue


def by_target_area(
    found: Sequence[Detections],
    truths: Sequence[GroundTruth],
    *,
    threshold: float | None = None,
    bins: Sequence[Bin] = AREA_BINS,
    iou_threshold: float = 0.5,
    max_detections: int = 300,
) -> tuple[BreakdownRow, ...]:
    """Average precision and recall by the area of the target, in pixels.

    As COCO's area ranges: targets outside the bin are ignored, and so are detections
    that hit one of them, and false alarms whose own area is outside the bin. Areas
    are pixels of the mask or of the detection's region; of a box where there is none.

    Parameters
    ----------
    found : sequence of Detections
    truths : sequence of GroundTruth
        As many, in the same order.
    threshold : float, optional
        The operating point, for recall and false alarms.
    bins : sequence of Bin
        Of areas in pixels.
    iou_threshold : float
        In (0, 1].
    max_detections : int
        Only so many of an image count.

    Returns
    -------
    tuple of BreakdownRow
        One of each bin, those without targets included.

    Raises
    ------
    DetectionsError, UsageError
    """
    boxes = _boxes(found, truths)
    areas = [truth.areas for truth in truths]
    rows = []
    for one in bins:
        table = match_with_ignored(
            *boxes,
            [one.holds(values) for values in areas],
            iou_threshold,
            [one.holds(detections.areas) for detections in found],
            max_detections,
        )
        rows.append(_row(one.label, table, threshold))
    return tuple(rows)


def by_signal_to_clutter(
    found: Sequence[Detections],
    truths: Sequence[GroundTruth],
    ratios: Sequence[ArrayLike],
    *,
    threshold: float | None = None,
    bins: Sequence[Bin] = SCR_BINS,
    iou_threshold: float = 0.5,
    max_detections: int = 300,
) -> tuple[BreakdownRow, ...]:
    """Average precision and recall by the local signal-to-clutter ratio of the target.

    Targets outside the bin are ignored, and so are detections that hit one of them.
    A false alarm has no target and so no ratio: all of them count in every bin. The
    bins' average precisions therefore say which targets a method ranks above its
    false alarms, and do not average to that of the whole; a bin of few targets is low
    for their number alone. Recall has no such trouble.

    Parameters
    ----------
    found, truths, threshold, iou_threshold, max_detections
        As for :func:`by_target_area`.
    ratios : sequence of (M,) array_like
        Of the targets of each image, as
        :func:`irbench.metrics.signal_to_clutter.signal_to_clutter` returns them; NaN
        where undefined.
    bins : sequence of Bin

    Returns
    -------
    tuple of BreakdownRow
        One of each bin, then :data:`UNDEFINED_RATIO` where there are such targets.

    Raises
    ------
    DetectionsError, UsageError
    """
    boxes = _boxes(found, truths)
    values = [np.asarray(one, dtype=np.float64) for one in ratios]
    parts = [(one.label, [one.holds(each) for each in values]) for one in bins]
    unknown = [np.isnan(each) for each in values]
    if any(one.any() for one in unknown):
        parts.append((UNDEFINED_RATIO, unknown))
    rows = []
    for label, counted in parts:
        table = match_with_ignored(*boxes, counted, iou_threshold, max_detections=max_detections)
        rows.append(_row(label, table, threshold))
    return tuple(rows)


def by_target_count(
    found: Sequence[Detections],
    truths: Sequence[GroundTruth],
    *,
    threshold: float | None = None,
    bins: Sequence[Bin] = COUNT_BINS,
    iou_threshold: float = 0.5,
    max_detections: int = 300,
) -> tuple[BreakdownRow, ...]:
    """Average precision and recall by the number of targets in the image.

    Whole images are in a bin or not, with all their detections: the false alarms of
    an image count in its bin alone.

    Parameters
    ----------
    found, truths, threshold, iou_threshold, max_detections
        As for :func:`by_target_area`.
    bins : sequence of Bin

    Returns
    -------
    tuple of BreakdownRow
        One of each bin. Images without targets have no average precision and no
        recall, only false alarms.

    Raises
    ------
    DetectionsError, UsageError
    """
    table = match_detections(*_boxes(found, truths), (iou_threshold,), max_detections)
    return tuple(
        _row(one.label, table, threshold, one.holds(table.n_targets).astype(np.float64))
        for one in bins
    )


def _boxes(
    found: Sequence[Detections], truths: Sequence[GroundTruth]
) -> tuple[list[ArrayLike], list[ArrayLike], list[ArrayLike]]:
    """Boxes and scores of the detections, and boxes of the targets, of each image."""
    if len(found) != len(truths):
        raise UsageError(
            f"found and truths must be of as many images, got {len(found)} and {len(truths)}."
        )
    return (
        [one.boxes for one in found],
        [one.scores for one in found],
        [truth.boxes for truth in truths],
    )


def _row(
    label: str,
    table: MatchTable,
    threshold: float | None,
    weights: NDArray[Any] | None = None,
) -> BreakdownRow:
    inside = table.n_targets > 0 if weights is None else weights > 0
    false_alarms, reached = None, MetricValue(None, NO_THRESHOLD)
    if threshold is not None:
        counts = count_boxes(table, threshold)
        reached = recall(counts, weights)
        counting = counts.false_positives if weights is None else counts.false_positives[inside]
        false_alarms = int(counting.sum())
    return BreakdownRow(
        label=label,
        n_images=int(np.count_nonzero(inside)),
        n_targets=int(table.n_targets[inside].sum()),
        n_false_alarms=false_alarms,
        average_precision=average_precision(table, float(table.iou_thresholds[0]), weights),
        recall=reached,
    )
