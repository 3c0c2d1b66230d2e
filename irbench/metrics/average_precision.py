"""Average precision: the area under the precision-recall curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UnknownNameError
from irbench.metrics.curve import PrecisionRecallCurve
from irbench.metrics.match_table import COCO_IOU_THRESHOLDS, MatchTable
from irbench.metrics.metric import Metric, fraction
from irbench.metrics.value import NO_TARGETS, MetricValue
from irbench.metrics.weighted import Draws, Form, Values, compiled_forms

_RECALLS = np.linspace(0.0, 1.0, 101)

_PAPER = "LE-IRSTD, Eq."
_COCO = "COCO detection evaluation (T.-Y. Lin et al., ECCV 2014; pycocotools), maxDets 300"
_COCO_TOOLS = "pycocotools 2.0.11 and faster-coco-eval 1.8.0 with distinct scores, to 1e-9"
_COCO_FORMULA = "mean over r = 0, 0.01, …, 1 of max{P(t) : R(t) ≥ r}, 0 where R never reaches r"

Points = NDArray[np.float64]
"""``(n_draws, n_points)`` counts down the ranking, at the scores where some hit enters."""

Estimator = Callable[[Points, Points, NDArray[np.float64]], NDArray[np.float64]]
"""From hits, kept detections and ``(..., n_draws)`` targets to as many areas; those without
targets are left to the caller."""


def coco101(
    true_positives: Points, kept: Points, n_targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The mean over recall 0, 0.01, …, 1 of the greatest precision from there on.

    As COCO's evaluation code has it. [1]_ It is 0 where no point reaches a recall. With distinct
    scores it equals pycocotools with ``maxDets`` 300.

    References
    ----------
    .. [1] T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and its
       evaluation code.
    """
    if n_targets.ndim > 1:
        return np.stack([coco101(true_positives, kept, one) for one in n_targets])
    compiled = compiled_forms(len(kept))
    read = precision_at_recalls if compiled is None else compiled.precision_at_recalls
    # Of one type and layout, for each of which numba would compile again.
    hits, counted, targets = (
        np.ascontiguousarray(part, np.float64) for part in (true_positives, kept, n_targets)
    )
    envelope = read(hits, counted, targets, _RECALLS)
    return np.asarray(envelope.mean(axis=1))


def precision_at_recalls(
    true_positives: Points, kept: Points, n_targets: Values, recalls: Values
) -> Points:
    """The greatest precision from each recall on, of many curves.

    Parameters
    ----------
    true_positives, kept, n_targets : ndarray of float64
        As an :data:`Estimator` gets them.
    recalls : (n,) ndarray of float64
        Ascending from 0.

    Returns
    -------
    (n_draws, n) ndarray of float64
        The same to the last bit as those of
        :func:`irbench.metrics.compiled_forms.precision_at_recalls`.
    """
    n_draws, n_points = kept.shape
    # One more column: the precision at a recall that is never reached.
    precision = np.zeros((n_draws, n_points + 1))
    np.divide(true_positives, kept, out=precision[:, :-1], where=kept > 0)
    recall = true_positives / np.where(n_targets > 0, n_targets, 1)[:, None]
    reached = np.empty((n_draws, len(recalls)), dtype=np.int64)
    for draw in range(n_draws):
        # The array's own method: called a million times a report, NumPy's function adds as much.
        reached[draw] = recall[draw].searchsorted(recalls, side="left")
    # Recall 0 is reached at a draw's first point, so that the pieces of a draw end with it.
    # A point at which recall does not rise in this draw has no greater precision than the one
    # before it, of the same recall: it needs no special care.
    reached += (n_points + 1) * np.arange(n_draws)[:, None]
    pieces = np.maximum.reduceat(precision.ravel(), reached.ravel()).reshape(reached.shape)
    envelope = np.maximum.accumulate(pieces[:, ::-1], axis=1)[:, ::-1]
    return np.ascontiguousarray(envelope)


def all_point(true_positives: Points, kept: Points, n_targets: Values) -> Values:
    """The area under the envelope of precision over recall, Eq. (21) of LE-IRSTD.

    The envelope is that of :func:`coco101`, a step function. [1]_ Nothing is added at either end:
    no area beyond the greatest recall reached.

    References
    ----------
    .. [1] M. Everingham et al., "The Pascal Visual Object Classes Challenge: A Retrospective",
       IJCV 111, 2015 (the estimator of VOC 2010 and later).
    """
    precision = np.zeros(kept.shape)
    np.divide(true_positives, kept, out=precision, where=kept > 0)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    # Divided last: sums of whole hits are exact, so that a perfect curve has area 1.
    area = (np.diff(true_positives, axis=1, prepend=0.0) * envelope).sum(axis=1)
    return np.asarray(area / np.where(n_targets > 0, n_targets, 1))


AP_ESTIMATORS: dict[str, Estimator] = {"coco-101": coco101, "all-point": all_point}
"""The estimators by the name that a protocol gives them."""


def average_precision_coco101(curve: PrecisionRecallCurve) -> MetricValue:
    """:func:`coco101` of a curve; undefined without targets, 0 with targets and no detections."""
    if curve.n_targets == 0:
        return MetricValue(None, NO_TARGETS)
    hits, kept = curve.true_positives[None], curve.kept[None]
    return MetricValue(float(coco101(hits, kept, np.array([curve.n_targets]))[0]))


def average_precision_form(
    table: MatchTable, iou_indices: Sequence[int], estimate: Estimator = coco101
) -> Form:
    """Average precision, its mean over several columns of a table, as a function of draws.

    It counts the missed targets that draws add.

    Parameters
    ----------
    table : MatchTable
    iou_indices : sequence of int
        Columns of the table.
    estimate : callable
        Of :data:`AP_ESTIMATORS`.
    """
    ranking = table.weighted

    def columns(
        draws: Draws, keys: list[tuple[Any, int, int]], missed: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        indices = [index for _, _, index in keys]
        n_targets = draws.once(("targets", id(table)), lambda: draws.sums(table.n_targets))
        counted = np.where(n_targets > 0, n_targets + missed, 0.0)
        compiled = compiled_forms(draws.n_draws)
        if estimate is coco101 and compiled is not None:
            hits, kept = ranking.joined_hits(tuple(indices)), ranking.kept(draws)
            areas = compiled.mean_precisions(draws.by_draw, *hits, kept, counted, _RECALLS)
        else:
            areas = np.stack(
                [estimate(*ranking.points(draws, index)[:2], counted) for index in indices]
            )
        return np.where(n_targets > 0, areas, np.nan)

    def form(draws: Draws) -> Values:
        # Metrics of one table share the areas of its columns.
        keys = [(estimate, id(table), index) for index in iou_indices]
        areas = draws.once_for_all_missed(keys, partial(columns, draws))
        return areas[0] if len(areas) == 1 else np.asarray(np.stack(areas, axis=1).mean(axis=1))

    return form


def average_precision(
    table: MatchTable,
    iou_threshold: float = 0.5,
    weights: NDArray[Any] | None = None,
    estimator: str = "coco-101",
) -> MetricValue:
    """Average precision at one IoU threshold.

    Parameters
    ----------
    table : MatchTable
    iou_threshold : float
        One that the table was built with.
    weights : (n_images,) array_like, optional
        How often each image counts.
    estimator : {"coco-101", "all-point"}

    Returns
    -------
    MetricValue
        In [0, 1]; undefined without targets.

    Raises
    ------
    UsageError, UnknownNameError
    """
    if estimator not in AP_ESTIMATORS:
        raise UnknownNameError("AP estimator", estimator, AP_ESTIMATORS)
    columns = [table.iou_index(iou_threshold)]
    form = average_precision_form(table, columns, AP_ESTIMATORS[estimator])
    (value,) = form(Draws.single(table.n_images, weights)).tolist()
    return MetricValue(None, NO_TARGETS) if np.isnan(value) else MetricValue(value)


def _metric(
    name: str, title: str, ious: tuple[float, ...], description: str, **more: Any
) -> Metric:
    estimate = more.pop("estimate", coco101)
    given = {
        "needs": "table",
        "formula": _COCO_FORMULA,
        "dialect": "coco-101",
        "reference": _COCO,
        **more,
    }
    return fraction(
        name,
        title,
        "boxes",
        description=description,
        form=lambda table: average_precision_form(
            table, [table.iou_index(iou) for iou in ious], estimate
        ),
        reason=NO_TARGETS,
        adds_miss=True,
        **given,
    )


map50 = _metric(
    "map50",
    "mAP@50",
    (0.5,),
    "Average precision at IoU 0.5, 101 recall points; equal scores form one point.",
    equals=_COCO_TOOLS,
    clause="ranking",
)

map50_95 = _metric(
    "map50_95",
    "mAP@50:95",
    COCO_IOU_THRESHOLDS,
    "Mean of the average precision at IoU 0.50, 0.55, …, 0.95.",
    formula="mean of AP over the ten IoU thresholds",
    equals=_COCO_TOOLS,
    clause="ranking",
)

map30 = _metric(
    "map30",
    "mAP@30",
    (0.3,),
    "As mAP@50 at IoU 0.3, which a target of 3x3 px found a pixel aside both ways just misses.",
    equals="pycocotools 2.0.11 with distinct scores, to 1e-9",
    needs="table30",
)

map75 = _metric("map75", "mAP@75", (0.75,), "As mAP@50 at IoU 0.75.", equals=_COCO_TOOLS)

ap_all_point = _metric(
    "ap_all_point",
    "AP (all points)",
    (0.5,),
    "Area under the envelope of the precision-recall curve at IoU 0.5, at all its points.",
    reference=f"{_PAPER} (21); PASCAL VOC 2010",
    formula="Σ (R(i) − R(i−1)) max{P(j) : j ≥ i}",
    dialect="all-point",
    estimate=all_point,
    clause="ranking",
)

METRICS = (map50, map50_95, map30, map75, ap_all_point)
