"""How far the scores of a method move when the ground truth is drawn a little differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irbench.analysis.jitter import (
    Jitter,
    PixelSets,
    image_offsets,
    jittered_boxes,
    shifted_masks,
    target_order,
    whole_shifts,
)
from irbench.analysis.objects import Boxes, Objects
from irbench.analysis.pairs import match_near_pairs, pairs_within_images, take_greedily
from irbench.analysis.strata import Strata, StratumScores
from irbench.detections import Detections
from irbench.detections.boxes import iou_pairs
from irbench.ground_truth import GroundTruth

ALL = "all"
"""The level that holds every target."""

SCORES = ("map50", "f1", "pd", "iou", "niou")
"""What is reported of all targets; without the last two of those of an area."""


@dataclass(frozen=True, eq=False)
class ScoreSpread:
    """A score under repeated jitter.

    Attributes
    ----------
    score : str
        From :data:`SCORES`.
    level : str
        Of the target area; :data:`ALL` for all.
    values : (n_repeats,) ndarray of float64
        One of each repeat.
    """

    score: str
    level: str
    values: NDArray[np.float64]


def jittered_hits(
    detections: Boxes, targets: Objects, boxes: NDArray[np.float64], iou_threshold: float
) -> NDArray[np.int64]:
    """Match with targets that were moved, as :func:`irbench.metrics.matching.match_detections`.

    Parameters
    ----------
    detections : Boxes
    targets : Objects
    boxes : (R, n_targets, 4) ndarray of float64
        The targets' boxes in each repeat.
    iou_threshold : float

    Returns
    -------
    (R, n_targets) ndarray of int64
        The detection that hits each target; -1 where none does.
    """
    n_repeats = len(boxes)
    matched = np.full((n_repeats, len(targets)), -1, dtype=np.int64)
    if not n_repeats or not len(targets):
        return matched
    detection, target = pairs_within_images(detections, targets)
    # Only pairs that overlap in some repeat can match in any.
    low, high = boxes[..., :2].min(axis=0)[target], boxes[..., 2:].max(axis=0)[target]
    box = detections.boxes[detection]
    meet = ((box[:, :2] < high) & (low < box[:, 2:])).all(axis=1)
    detection, target = detection[meet], target[meet]
    iou = iou_pairs(detections.boxes[detection], boxes[:, target])
    repeat, pair = np.nonzero(iou >= min(iou_threshold, 1 - 1e-10))
    rank = target_order(boxes)[repeat, target[pair]]
    # Of equal IoUs the last target, as COCO's evaluator has it.
    order = np.lexsort((-rank, -iou[repeat, pair], detection[pair], repeat))
    repeat, pair = repeat[order], pair[order]
    detection, target = detection[pair], target[pair]
    taken = take_greedily(
        repeat * len(targets.counts) + targets.image[target],
        repeat * len(detections) + detection,
        repeat * len(targets) + target,
    )
    matched[repeat[taken], target[taken]] = detection[taken]
    return matched


def box_spreads(
    detections: Boxes,
    targets: Objects,
    jitter: Jitter,
    strata: Strata,
    threshold: float | None,
    iou_threshold: float = 0.5,
) -> list[ScoreSpread]:
    """AP at one IoU, and F1, under jitter: of all targets and of each area.

    Parameters
    ----------
    detections : Boxes
    targets : Objects
    jitter : Jitter
    strata : Strata
        Of the targets.
    threshold : float or None
        The operating point; without it F1 is left out.
    iou_threshold : float

    Returns
    -------
    list of ScoreSpread
        See :class:`irbench.analysis.strata.StratumScores` for what the score of an area is.
    """
    boxes = jittered_boxes(targets.boxes, jitter.displacement)
    matched = jittered_hits(detections, targets, boxes, iou_threshold)
    scorer = StratumScores(detections.scores, len(targets), threshold)
    spreads = []
    for level, members in _levels(strata):
        precisions, f1s = [], []
        n_part = int(members.sum())
        for row in matched:
            hits, member = row[row >= 0], members[row >= 0]
            precisions.append(scorer.average_precision(hits, member, n_part))
            f1s.append(scorer.f1(hits, member, n_part))
        spreads += [_spread("map50", level, precisions), _spread("f1", level, f1s)]
    return [one for one in spreads if one is not None]


def point_spreads(
    kept: Objects, targets: Objects, jitter: Jitter, strata: Strata, distance_px: float
) -> list[ScoreSpread]:
    """Pd under jitter: of all targets and of each area.

    Parameters
    ----------
    kept : Objects
        Detections at or above the operating point.
    targets : Objects
    jitter : Jitter
    strata : Strata
    distance_px : float
    """
    detection, target = pairs_within_images(kept, targets)
    moved = targets.centroids + jitter.centroid_shift
    difference = moved[:, target] - kept.centroids[detection]
    near = np.sqrt((difference**2).sum(axis=-1)) < distance_px
    found = match_near_pairs(kept, targets, detection, target, near) >= 0
    return [
        ScoreSpread("pd", level, found[:, members].mean(axis=1))
        for level, members in _levels(strata)
        if members.any()
    ]


def pixel_spreads(
    kept: Sequence[Detections], truths: Sequence[GroundTruth], masks: PixelSets
) -> list[ScoreSpread]:
    """IoU and nIoU against masks whose targets were moved.

    Parameters
    ----------
    kept : sequence of Detections
        With regions.
    truths : sequence of GroundTruth
        With masks.
    masks : PixelSets
        See :func:`irbench.analysis.jitter.shifted_masks`.

    Returns
    -------
    list of ScoreSpread
        Of all targets only: a false pixel has no area of a target.
    """
    offsets = image_offsets(truths)
    is_kept = np.zeros(int(offsets[-1]), dtype=bool)
    n_kept = np.zeros(len(truths))
    for index, one in enumerate(kept):
        if one.regions is not None and len(one):
            pixels = np.unique(one.regions.pixels)
            is_kept[offsets[index] + pixels] = True
            n_kept[index] = len(pixels)
    shape = (masks.n_variants, masks.n_images)
    both = np.bincount(masks.slot[is_kept[masks.pixels]], minlength=np.prod(shape)).reshape(shape)
    n_target = np.bincount(masks.slot, minlength=np.prod(shape)).reshape(shape)
    union = n_kept + n_target - both
    per_image = np.divide(both, union, out=np.ones(shape), where=union > 0)
    total = union.sum(axis=1)
    spreads = [ScoreSpread("niou", ALL, per_image.mean(axis=1))]
    if (total > 0).all():
        spreads.insert(0, ScoreSpread("iou", ALL, both.sum(axis=1) / total))
    return spreads


def jittered_masks(truths: Sequence[GroundTruth], jitter: Jitter) -> PixelSets | None:
    """The masks under a jitter; None for box labels, and where sides move, which masks lack."""
    if jitter.kind != "shift" or any(truth.targets is None for truth in truths):
        return None
    return shifted_masks(truths, whole_shifts(jitter))


def _levels(strata: Strata) -> list[tuple[str, NDArray[np.bool_]]]:
    everything = (ALL, np.ones(len(strata.level), dtype=bool))
    return [everything, *((name, strata.level == i) for i, name in enumerate(strata.names))]


def _spread(score: str, level: str, values: list[float | None]) -> ScoreSpread | None:
    defined = [value for value in values if value is not None]
    return ScoreSpread(score, level, np.array(defined)) if defined else None
