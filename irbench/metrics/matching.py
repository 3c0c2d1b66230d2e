"""Which detection hits which target, decided once for a whole set of images.

The outcome is a :class:`~irbench.metrics.match_table.MatchTable`; no metric looks
at a box again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from irbench.detections.boxes import iou_pairs
from irbench.errors import DetectionsError, UsageError
from irbench.metrics.detection_order import rank_detections
from irbench.metrics.match_table import COCO_IOU_THRESHOLDS, MatchTable
from irbench.ragged_arrays import inverse_permutation, rounds

__all__ = ["COCO_IOU_THRESHOLDS", "MatchTable", "match_detections"]


def match_detections(
    boxes_per_image: Sequence[ArrayLike],
    scores_per_image: Sequence[ArrayLike],
    targets_per_image: Sequence[ArrayLike],
    iou_thresholds: Sequence[float] = COCO_IOU_THRESHOLDS,
    max_detections: int = 300,
) -> MatchTable:
    """Match the detections of every image with its targets.

    Within an image the detections come in order of (score descending, x0, y0,
    x1, y1), and each takes the free target of greatest IoU that reaches the
    threshold; of equal IoUs, the target that comes last in order of (y0, x0, y1,
    x1), as COCO's evaluator does with targets in raster order. So the outcome
    depends on no order of a list. Images without targets count: their detections
    are false alarms.

    Parameters
    ----------
    boxes_per_image : sequence of (N, 4) array_like
        ``(x0, y0, x1, y1)`` in pixels, half-open.
    scores_per_image : sequence of (N,) array_like
    targets_per_image : sequence of (M, 4) array_like
    iou_thresholds : sequence of float
        In (0, 1]. By default :data:`COCO_IOU_THRESHOLDS`.
    max_detections : int
        Only so many of an image count, the first in the order above.

    Returns
    -------
    MatchTable

    Raises
    ------
    DetectionsError
        For unequal lengths, wrong shapes, values that are not finite.
    UsageError
        For IoU thresholds outside (0, 1] or ``max_detections`` under 1.

    Notes
    -----
    Only pairs that reach the smallest threshold are visited one after the other,
    and this for all images and thresholds at a time: the r-th detection of every
    image that has such a pair is decided in one step.

    Examples
    --------
    >>> table = match_detections([[[0, 0, 4, 4], [0, 0, 4, 4]]], [[0.9, 0.8]], [[[0, 0, 4, 5]]])
    >>> table.hit[:, table.iou_index(0.75)].tolist()
    [True, False]
    """
    thresholds = _check_thresholds(iou_thresholds)
    if max_detections < 1:
        raise UsageError(f"max_detections must be at least 1, got {max_detections}.")
    n_images = len(targets_per_image)
    if not len(boxes_per_image) == len(scores_per_image) == n_images:
        raise DetectionsError(
            "boxes, scores and targets must be of as many images, got "
            f"{len(boxes_per_image)}, {len(scores_per_image)} and {n_images}."
        )
    boxes, n_boxes = _concatenate("boxes", boxes_per_image, 4)
    scores, n_scores = _concatenate("scores", scores_per_image, 1)
    targets, n_targets = _concatenate("targets", targets_per_image, 4)
    if (n_boxes != n_scores).any():
        image = int(np.argmax(n_boxes != n_scores))
        raise DetectionsError(
            f"image {image} must have as many scores as boxes ({n_boxes[image]}), "
            f"got {n_scores[image]}."
        )
    image_index = np.repeat(np.arange(n_images), n_boxes)
    order = rank_detections(image_index, scores[:, 0], boxes)
    detection_index = order - _starts(n_boxes)[image_index]
    if n_boxes.max(initial=0) > max_detections:
        kept = np.arange(len(order)) - _starts(n_boxes)[image_index] < max_detections
        order, image_index, detection_index = order[kept], image_index[kept], detection_index[kept]
    hits = _match(boxes[order], image_index, targets, n_targets, thresholds)
    return MatchTable(
        image_index=image_index,
        detection_index=detection_index,
        scores=scores[order, 0],
        target_index=hits,
        n_targets=n_targets,
        iou_thresholds=thresholds,
    )


def _check_thresholds(iou_thresholds: Sequence[float]) -> NDArray[np.float64]:
    thresholds = np.array(iou_thresholds, dtype=np.float64)
    good = thresholds.ndim == 1 and thresholds.size > 0
    if not good or not ((thresholds > 0) & (thresholds <= 1)).all():
        raise UsageError(f"iou_thresholds must be numbers in (0, 1], got {iou_thresholds}.")
    return thresholds


def _concatenate(
    name: str, per_image: Sequence[ArrayLike], n_columns: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """All rows in double precision, and the number of rows of each image."""
    arrays = []
    for image, values in enumerate(per_image):
        array = np.asarray(values)
        if array.size == 0:
            array = np.zeros((0, n_columns))
        elif n_columns == 1 and array.ndim == 1:
            array = array[:, None]
        if array.ndim != 2 or array.shape[1] != n_columns:
            expected = "(N,)" if n_columns == 1 else f"(N, {n_columns})"
            raise DetectionsError(
                f"{name} of image {image} must have shape {expected}, got {array.shape}."
            )
        arrays.append(array)
    counts = np.array([len(array) for array in arrays], dtype=np.int64)
    rows = np.concatenate([np.zeros((0, n_columns)), *arrays]).astype(np.float64, copy=False)
    bad = ~np.isfinite(rows).all(axis=1)
    if bad.any():
        image = int(np.repeat(np.arange(len(counts)), counts)[np.argmax(bad)])
        raise DetectionsError(
            f"{name} of image {image} must be finite, got {rows[np.argmax(bad)].tolist()}."
        )
    return rows, counts


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.cumsum(counts) - counts


def _match(
    boxes: NDArray[np.float64],
    image_index: NDArray[np.int64],
    targets: NDArray[np.float64],
    n_targets: NDArray[np.int64],
    thresholds: NDArray[np.float64],
) -> NDArray[np.int32]:
    """The target of each ranked detection at each threshold, numbered within its image."""
    # COCO's allowance: a perfect box passes the threshold 1 whatever its last bit.
    effective = np.minimum(thresholds, 1 - 1e-10)
    row, target, iou = _close_pairs(boxes, image_index, targets, n_targets, effective.min())
    assigned = np.full((len(boxes), len(thresholds)), -1, dtype=np.int32)
    free = np.ones((len(targets), len(thresholds)), dtype=bool)
    first_target = _starts(n_targets)
    # A round holds at most one pair of each image, so that its pairs do not compete.
    for step in rounds(image_index[row]):
        rows, columns = row[step], target[step]
        takes = (iou[step, None] >= effective) & free[columns] & (assigned[rows] < 0)
        free[columns] &= ~takes
        local = (columns - first_target[image_index[rows]]).astype(np.int32)
        assigned[rows] = np.where(takes, local[:, None], assigned[rows])
    return assigned


def _close_pairs(
    boxes: NDArray[np.float64],
    image_index: NDArray[np.int64],
    targets: NDArray[np.float64],
    n_targets: NDArray[np.int64],
    lowest: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs (detection, target, IoU) from ``lowest``, in order of detection and preference."""
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    first_target = _starts(n_targets)
    per_detection = n_targets[image_index]
    rows = np.arange(len(boxes))
    left, right = boxes[:, 0].copy(), boxes[:, 2].copy()
    # One target of every image at a time: memory stays that of the detections.
    for slot in range(int(n_targets.max(initial=0))):
        rows = rows[per_detection[rows] > slot]
        columns = first_target[image_index[rows]] + slot
        # Most pairs are apart, which one coordinate shows for a quarter of the work.
        meet = (left[rows] < targets[columns, 2]) & (targets[columns, 0] < right[rows])
        near, columns = rows[meet], columns[meet]
        iou = iou_pairs(boxes[near], targets[columns])
        close = iou >= lowest
        found.append((near[close], columns[close], iou[close]))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    row, target, iou = (np.concatenate(part) for part in zip(*found, strict=True))
    x0, y0, x1, y1 = targets.T
    rank = inverse_permutation(np.lexsort((y1, x1, x0, y0)))
    order = np.lexsort((-rank[target], -iou, row))
    return row[order], target[order], iou[order]
