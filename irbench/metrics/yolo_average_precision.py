"""Average precision as the tools round YOLO networks compute it: two dialects of their own.

Only to compare with figures that such a tool printed. The matching is ours, as for
every other metric on boxes; what differs is the area, and where P and R are read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.match_table import MatchTable
from irbench.metrics.metric import fraction
from irbench.metrics.value import NO_DETECTIONS, NO_TARGETS
from irbench.metrics.weighted import Draws, Form, Values, compiled_forms

_RECALLS = np.linspace(0.0, 1.0, 101)
_YOLO = "YOLOv5 (G. Jocher, 2020), validation"
_UPPER_BOUND = "yolo: threshold chosen on the tested split"


def _at_recalls(
    recall: NDArray[np.float64],
    precision: NDArray[np.float64],
    triangle: bool,
    recalls: NDArray[np.float64],
) -> NDArray[np.float64]:
    """``(n,)`` precision of the joined envelope at the recalls; see :func:`ap_yolo_form`."""
    if not len(recall):
        return np.zeros(len(recalls))
    end = [1.0] if triangle else [recall[-1], 1.0]
    recall = np.concatenate([[0.0], recall, end])
    precision = np.concatenate([[1.0], precision, np.zeros(len(end))])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    # Of points of one recall np.interp takes the last: a drop at one recall is a step.
    return np.interp(recalls, recall, envelope)


def joined_at_recalls(
    hits: NDArray[np.float64],
    kept: NDArray[np.float64],
    before: NDArray[np.float64],
    n_kept: Values,
    n_targets: Values,
    recalls: Values,
) -> NDArray[np.float64]:
    """Precision of the envelope joined by lines, of many curves.

    Parameters
    ----------
    hits, kept, before : (n_draws, n_points) ndarray of float64
        Hits and kept detections at the scores of hits, and those that rank above each.
    n_kept, n_targets : (n_draws,) ndarray of float64
        All detections, and all targets.
    recalls : (n,) ndarray of float64
        Ascending, in [0, 1].

    Returns
    -------
    (2, n_draws, n) ndarray of float64
        Without the triangle and with it; see :func:`ap_yolo_form`. 0 for a draw without targets,
        or without detections. The same to the last bit as those of
        :func:`irbench.metrics.compiled_forms.joined_at_recalls`.
    """
    n_draws, n_points = hits.shape
    # A point before each rise of recall, one after it, and the last of all.
    true_positives, counted = np.zeros((2, n_draws, 2 * n_points + 1))
    true_positives[:, 2::2] = true_positives[:, 1::2] = hits
    counted[:, 1::2], counted[:, 0:-1:2], counted[:, -1] = kept, before, n_kept
    # What a draw has not got is no point of its curve.
    there = np.diff(counted, axis=1, prepend=0.0) > 0
    read = np.zeros((2, n_draws, len(recalls)))
    for draw in np.flatnonzero(n_targets > 0).tolist():
        found = true_positives[draw, there[draw]]
        recall, precision = found / n_targets[draw], found / counted[draw, there[draw]]
        for triangle in (False, True):
            read[int(triangle), draw] = _at_recalls(recall, precision, triangle, recalls)
    return read


def ap_yolo_form(table: MatchTable, iou_index: int, triangle: bool = True) -> Form:
    """Area under the precision-recall curve by an estimator of YOLO tools, as a function of draws.

    The envelope of precision is joined by straight lines, also from recall 0 and precision 1, and
    to recall 1 and precision 0; read at 101 recalls and summed by the trapezoidal rule. So a
    triangle is added beyond the greatest recall reached: one hit of two targets has 0.75 here,
    51 / 101 by COCO's estimator. Without the triangle precision falls to 0 at the recall reached,
    and is 0 beyond: 0.495. A perfect curve has 0.995 by either, since at recall 1 the 0 is read.

    Parameters
    ----------
    table : MatchTable
    iou_index : int
        Of the table's thresholds.
    triangle : bool
        Whether the last line goes to recall 1, as in YOLOv5 and ultralytics up to 8.4.36.

    References
    ----------
    .. [1] G. Jocher, "YOLOv5", 2020 (validation of the published tool, method ``interp`` of its
       average precision).
    """
    ranking = table.weighted

    def both(draws: Draws) -> NDArray[np.float64]:
        hits, kept, n_targets = ranking.points(draws, iou_index)
        before, n_kept = ranking.kept_before(draws, iou_index)
        # Of one type and layout, for each of which numba would compile again.
        curves = [np.ascontiguousarray(part) for part in (hits, kept, before)]
        totals = [np.ascontiguousarray(part) for part in (n_kept, n_targets)]
        compiled = compiled_forms(draws.n_draws)
        read: Any = joined_at_recalls if compiled is None else compiled.joined_at_recalls
        area = np.trapezoid(read(*curves, *totals, _RECALLS), _RECALLS, axis=2)
        return np.where(n_targets > 0, area, np.nan)

    def form(draws: Draws) -> Values:
        # The two differ in their ends alone.
        found = draws.once(("joined", id(table), iou_index), lambda: both(draws))
        return np.asarray(found[int(triangle)])

    return form


def best_f1(
    hits: NDArray[np.float64], kept: NDArray[np.float64], n_kept: Values, n_targets: Values
) -> NDArray[np.float64]:
    """As :func:`irbench.metrics.compiled_forms.best_f1`, to the last bit."""
    # F1 is greatest where recall rises. Without a hit every point has 0, the first one too.
    hits, kept = (np.pad(part, ((0, 0), (0, 1))) for part in (hits, kept))
    kept[:, -1] = n_kept
    f1 = np.zeros(hits.shape)
    np.divide(2 * hits, kept + n_targets[:, None], out=f1, where=hits > 0)
    best = np.where(f1.max(axis=1) > 0, np.argmax(f1, axis=1), hits.shape[1] - 1)
    rows = np.arange(len(hits))
    return np.stack([hits[rows, best], kept[rows, best]])


def best_f1_points(table: MatchTable, iou_index: int, draws: Draws) -> tuple[Values, Values]:
    """Precision and recall of each draw at the confidence of greatest F1, ties to the higher.

    The tools look for it on a grid of 1000 confidences, between which they interpolate, and smooth
    F1 over the grid first; this is the point itself, of which theirs is an approximation. The
    confidence is chosen on the very images that the two are then measured on, so they are an upper
    bound and no result.

    Parameters
    ----------
    table : MatchTable
    iou_index : int
        Column of the table.
    draws : Draws

    Returns
    -------
    precision, recall : (n_draws,) ndarray of float64
        Both NaN without targets. Without detections precision is NaN and recall 0.
    """
    hits, kept, n_targets = table.weighted.points(draws, iou_index)
    n_kept = table.weighted.kept_before(draws, iou_index)[1]
    compiled = compiled_forms(draws.n_draws)
    best: Any = best_f1 if compiled is None else compiled.best_f1
    # Of one type and layout, for each of which numba would compile again.
    found, counted = best(*map(np.ascontiguousarray, (hits, kept, n_kept, n_targets)))
    precision, recall = np.full((2, draws.n_draws), np.nan)
    has_targets = n_targets > 0
    np.divide(found, n_targets, out=recall, where=has_targets)
    np.divide(found, counted, out=precision, where=has_targets & (n_kept > 0))
    return precision, recall


def _best_f1_form(table: MatchTable, part: int) -> Form:
    column = table.iou_index(0.5)

    def form(draws: Draws) -> Values:
        both = draws.once(("best f1", id(table)), lambda: best_f1_points(table, column, draws))
        return np.asarray(both[part])

    return form


def _why_no_precision(table: MatchTable, weights: NDArray[Any]) -> str:
    return NO_DETECTIONS if weights @ table.n_targets > 0 else NO_TARGETS


ap_yolo = fraction(
    "ap_yolo",
    "AP (YOLO tools)",
    "boxes",
    f"{_YOLO}; ultralytics up to 8.4.36",
    "Area under the envelope joined by lines, also to precision 0 at recall 1; 101 trapezoids.",
    formula="trapezoids over r = 0, 0.01, …, 1 of the envelope of (0, 1), (R, P), (1, 0)",
    dialect="yolo",
    needs="table",
    form=lambda table: ap_yolo_form(table, table.iou_index(0.5)),
    reason=NO_TARGETS,
)

precision_yolo = fraction(
    "precision_yolo",
    "P (best F1 of the tested images)",
    "boxes",
    _YOLO,
    "Precision at the confidence of greatest F1, chosen on the tested split: an upper bound.",
    formula="TP / (TP + FP) at argmax F1",
    dialect=_UPPER_BOUND,
    needs="table",
    form=lambda table: _best_f1_form(table, 0),
    reason=_why_no_precision,
)

recall_yolo = fraction(
    "recall_yolo",
    "R (best F1 of the tested images)",
    "boxes",
    _YOLO,
    "Recall at the confidence of greatest F1, chosen on the tested split: an upper bound.",
    formula="TP / (TP + FN) at argmax F1",
    dialect=_UPPER_BOUND,
    needs="table",
    form=lambda table: _best_f1_form(table, 1),
    reason=NO_TARGETS,
)

ap_ultralytics = fraction(
    "ap_ultralytics",
    "AP (ultralytics)",
    "boxes",
    "ultralytics from 8.4.37, validation",
    "As AP (YOLO tools), but precision is 0 from the greatest recall reached on: no triangle.",
    formula="trapezoids over r = 0, 0.01, …, 1 of the envelope of (0, 1), (R, P), (max R, 0)",
    dialect="yolo without triangle",
    needs="table",
    form=lambda table: ap_yolo_form(table, table.iou_index(0.5), triangle=False),
    reason=NO_TARGETS,
)

METRICS = (ap_yolo, precision_yolo, recall_yolo)
LATER = (ap_ultralytics,)
"""Behind all others in a results table, whose order is older than they are."""
