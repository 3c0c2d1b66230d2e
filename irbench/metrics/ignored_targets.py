"""Matching where some targets are ignored: neither to be found nor wrong to be found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from irbench.errors import DetectionsError
from irbench.metrics.match_table import MatchTable
from irbench.metrics.matching import match_detections


@dataclass(frozen=True, eq=False)
class BoxImages:
    """The boxes of a set of images.

    Parameters
    ----------
    boxes : sequence of (N, 4) array_like
        ``(x0, y0, x1, y1)`` in pixels, half-open.
    scores : sequence of (N,) array_like
    targets : sequence of (M, 4) array_like
    """

    boxes: Sequence[ArrayLike]
    scores: Sequence[ArrayLike]
    targets: Sequence[ArrayLike]


def match_with_ignored(
    images: BoxImages,
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
    images : BoxImages
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
    wanted = _split(images.targets, counted, "targets")
    unwanted = _split(images.targets, [~np.asarray(one) for one in counted], "targets")
    table = match_detections(images.boxes, images.scores, wanted, (iou_threshold,), max_detections)
    false = ~table.hit[:, 0]
    left = _of_images(table, false)
    ignored = match_detections(
        [np.asarray(b).reshape(-1, 4)[i] for b, i in zip(images.boxes, left, strict=True)],
        [np.asarray(s)[i] for s, i in zip(images.scores, left, strict=True)],
        unwanted,
        (iou_threshold,),
        max_detections,
    )
    # Both tables rank an image's detections alike, so that their rows stand in one order.
    dropped = np.zeros(len(table), dtype=bool)
    dropped[false] = ignored.hit[:, 0]
    if detection_counts is not None:
        flat = _flatten(detection_counts, images.boxes)
        first = np.cumsum([0, *(len(np.asarray(one)) for one in detection_counts)])
        dropped |= false & ~flat[first[table.image_index] + table.detection_index]
    return MatchTable(
        image_index=table.image_index[~dropped],
        detection_index=table.detection_index[~dropped],
        scores=table.scores[~dropped],
        target_index=table.target_index[~dropped],
        n_targets=table.n_targets,
        iou_thresholds=table.iou_thresholds,
    )


def _split(
    per_image: Sequence[ArrayLike], chosen: Sequence[Any], name: str
) -> list[NDArray[np.float64]]:
    if len(per_image) != len(chosen):
        raise DetectionsError(
            f"there must be a choice for the {name} of each of {len(per_image)} images, "
            f"got {len(chosen)}."
        )
    split = []
    for index, (values, keep) in enumerate(zip(per_image, chosen, strict=True)):
        rows = np.asarray(values, dtype=np.float64)
        rows = rows.reshape(0, 4) if rows.size == 0 else rows
        if np.shape(keep) != (len(rows),):
            raise DetectionsError(
                f"the choice among the {name} of image {index} must have shape ({len(rows)},), "
                f"got {np.shape(keep)}."
            )
        split.append(rows[np.asarray(keep, dtype=bool)])
    return split


def _of_images(table: MatchTable, rows: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Positions in the lists of each image of the chosen rows, best score first."""
    counts = np.bincount(table.image_index[rows], minlength=table.n_images)
    return np.split(table.detection_index[rows], np.cumsum(counts)[:-1]) if len(counts) else []


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
