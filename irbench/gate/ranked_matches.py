"""What average precision needs of a match table, as a few short arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError
from irbench.metrics.match_table import COCO_IOU_THRESHOLDS, MatchTable

RANKING_ARRAYS = ("segment_false", "segment_hits", "false_images", "hit_images", "hit_levels")

MAX_THRESHOLDS = 62
"""A hit is one bit of a positive int64 for each of them."""


def ranking_arrays(table: MatchTable) -> dict[str, NDArray[np.int64]]:
    """Reduce a match table to what average precision sees of it.

    Precision matters only where recall can rise. So the ranking is cut into
    segments, each of which ends with the detections of a score that some hit has;
    within a segment only the images count, and what ranks below the last hit counts
    nowhere. The average precision of any weights of the images stays exactly the same.

    Parameters
    ----------
    table : MatchTable
        At no more than :data:`MAX_THRESHOLDS`.

    Returns
    -------
    dict of str to (n,) ndarray of int64
        ``segment_false`` and ``segment_hits``, the false alarms (at every threshold)
        and hits (at some) of each segment; ``false_images``, the images of the former,
        ascending in each segment, as differences to the one before; ``hit_images``
        and ``hit_levels``, of the latter, with a bit for each threshold.

    Raises
    ------
    UsageError
        For a table at other thresholds.
    """
    levels = table.hit[table.ranking] @ _bits(table.iou_thresholds)
    images = table.ranked_images
    group = np.searchsorted(table.score_groups, np.arange(len(levels)))
    hit_groups = np.unique(group[levels > 0])
    segment = np.searchsorted(hit_groups, group)
    n = len(hit_groups)
    is_false, is_hit = (levels == 0) & (segment < n), levels > 0
    order = np.lexsort((images[is_false], segment[is_false]))
    false_segment, false_images = segment[is_false][order], images[is_false][order]
    first = np.diff(false_segment, prepend=-1) > 0
    before = np.where(first, 0, np.roll(false_images, 1))
    return {
        "segment_false": np.bincount(false_segment, minlength=n),
        "segment_hits": np.bincount(segment[is_hit], minlength=n),
        "false_images": false_images - before,
        "hit_images": images[is_hit],
        "hit_levels": levels[is_hit],
    }


def table_of_ranking(
    arrays: Mapping[str, NDArray[np.int64]],
    n_targets: NDArray[np.int64],
    iou_thresholds: Sequence[float] = COCO_IOU_THRESHOLDS,
) -> MatchTable:
    """A match table that has the same average precision, of any weights of the images.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Of :func:`ranking_arrays`.
    n_targets : (n_images,) ndarray of int64
    iou_thresholds : sequence of float
        Those of the table that was reduced.

    Returns
    -------
    MatchTable
        Scores are ranks; of a hit it is not known which target it hits.

    Raises
    ------
    UsageError
        If the arrays contradict each other.
    """
    n_false, n_hits = arrays["segment_false"], arrays["segment_hits"]
    deltas, hit_images, levels = (
        arrays[name] for name in ("false_images", "hit_images", "hit_levels")
    )
    consistent = (
        len(n_false) == len(n_hits)
        and n_false.sum() == len(deltas)
        and n_hits.sum() == len(hit_images) == len(levels)
    )
    if not consistent:
        raise UsageError("the arrays of a ranking contradict each other.")
    running = np.concatenate([[0], np.cumsum(deltas)])
    starts = np.cumsum(n_false) - n_false
    false_images = running[1:] - np.repeat(running[starts], n_false)
    segments = np.arange(len(n_false))
    images = np.concatenate([false_images, hit_images])
    if len(images) and images.max() >= len(n_targets):
        raise UsageError("the arrays of a ranking name images that are not there.")
    segment = np.concatenate([np.repeat(segments, n_false), np.repeat(segments, n_hits)])
    all_levels = np.concatenate([np.zeros(len(deltas), dtype=np.int64), levels])
    order = np.lexsort((segment, images))
    hits: NDArray[Any] = (all_levels[order, None] & _bits(iou_thresholds)) > 0
    images = images[order]
    return MatchTable(
        image_index=images,
        detection_index=np.arange(len(images)) - np.searchsorted(images, images),
        scores=-segment[order].astype(np.float64),
        target_index=np.where(hits, 0, -1).astype(np.int32),
        n_targets=n_targets,
        iou_thresholds=np.asarray(iou_thresholds, dtype=np.float64),
    )


def _bits(iou_thresholds: Sequence[float] | NDArray[np.float64]) -> NDArray[np.int64]:
    if len(iou_thresholds) > MAX_THRESHOLDS:
        raise UsageError(
            f"the match table must be at {MAX_THRESHOLDS} thresholds or fewer, "
            f"got {len(iou_thresholds)}."
        )
    return np.asarray(1 << np.arange(len(iou_thresholds)), dtype=np.int64)
