"""Matching where some targets are ignored: neither to be found nor wrong to be found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from irbench.errors import DetectionsError
from irbench.metrics.match_table import MatchTable
from irbench.metrics.matching import match_detections
from irbench.ragged_arrays import offsets_of


def match_with_ignored(
    boxes: Sequence[ArrayLike],
    scores: Sequence[ArrayLike],
    targets: Sequence[ArrayLike],
    counted: Sequence[NDArray[np.bool_]],
    iou_threshold: float = 0.5,
    detection_counts: Sequence[NDArray[np.bool_]] | None = None,
    max_detections: int = 300,
) -> MatchTable:
    """Match detections with some of the targets, the others being ignored.

    As COCO's evaluator does with the targets outside an area range. A detection
    takes the free counted target of greatest IoU; only where there is none, the
    ignored one. What takes an ignored target is neither a hit nor a false alarm and
    is left out, and so is a detection that takes none and does not count itself.

    Parameters
    ----------
    boxes : sequence of (N, 4) array_like
        Of the detections of each image: ``(x0, y0, x1, y1)`` in pixels, half-open.
    scores : sequence of (N,) array_like
    targets : sequence of (M, 4) array_like
    counted : sequence of (M,) ndarray of bool
        Whether each target of each image counts.
    iou_threshold : float
        In (0, 1].
    detection_counts : sequence of (N,) ndarray of bool, optional
        Whether each detection is a false alarm if it takes no target; by default
        all are.
    max_detections : int
        Only so many of an image count, whatever targets are ignored.

    Returns
    -------
    MatchTable
        Of the detections that are hits or false alarms, with one column; targets
        are numbered among the counted ones of their image.

    Raises
    ------
    DetectionsError, UsageError

    Notes
    -----
    A counted target is preferred whatever the IoU, so that those matches are as if
    the ignored targets were not there, and the ignored ones are shared out among the
    detections that are left.
    """
    wanted = _split(targets, counted)
    unwanted = _split(targets, [~np.asarray(one) for one in counted])
    table = match_detections(boxes, scores, wanted, (iou_threshold,), max_detections)
    false = ~table.hit[:, 0]
    left = _of_images(table, false)
    ignored = match_detections(
        [np.asarray(b).reshape(-1, 4)[i] for b, i in zip(boxes, left, strict=True)],
        [np.asarray(s)[i] for s, i in zip(scores, left, strict=True)],
        unwanted,
        (iou_threshold,),
        max_detections,
    )
    # Both tables rank an image's detections alike, so that their rows stand in one order.
    dropped = np.zeros(len(table), dtype=bool)
    dropped[false] = ignored.hit[:, 0]
    if detection_counts is not None:
        flat = _flatten(detection_counts, boxes)
        first = offsets_of([len(one) for one in detection_counts])
        dropped |= false & ~flat[first[table.image_index] + table.detection_index]
    return MatchTable(
        image_index=table.image_index[~dropped],
        detection_index=table.detection_index[~dropped],
        scores=table.scores[~dropped],
        target_index=table.target_index[~dropped],
        n_targets=table.n_targets,
        iou_thresholds=table.iou_thresholds,
    )


def _split(targets: Sequence[ArrayLike], chosen: Sequence[Any]) -> list[NDArray[np.float64]]:
    """The chosen targets of each image."""
    if len(targets) != len(chosen):
        raise DetectionsError(
            f"there must be a choice for the targets of each of {len(targets)} images, "
            f"got {len(chosen)}."
        )
    split = []
    for index, (values, keep) in enumerate(zip(targets, chosen, strict=True)):
        rows = np.asarray(values, dtype=np.float64)
        rows = rows.reshape(0, 4) if rows.size == 0 else rows
        if np.shape(keep) != (len(rows),):
            raise DetectionsError(
                f"the choice among the targets of image {index} must have shape ({len(rows)},), "
                f"got {np.shape(keep)}."
            )
        split.append(rows[np.asarray(keep, dtype=bool)])
    return split


def _of_images(table: MatchTable, rows: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Positions in the lists of each image of the chosen rows, best score first."""
    ends = np.cumsum(np.bincount(table.image_index[rows], minlength=table.n_images))
    return np.split(table.detection_index[rows], ends)[: table.n_images]


def _flatten(
    per_image: Sequence[NDArray[np.bool_]], boxes: Sequence[ArrayLike]
) -> NDArray[np.bool_]:
    for index, (values, found) in enumerate(zip(per_image, boxes, strict=True)):
        if len(values) != len(np.asarray(found)):
            raise DetectionsError(
                f"detection_counts of image {index} must be as many as its boxes "
                f"({len(np.asarray(found))}), got {len(values)}."
            )
    empty = np.zeros(0, dtype=bool)
    return np.concatenate([empty, *per_image]).astype(bool)
