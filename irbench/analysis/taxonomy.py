"""What became of each target and of each detection at the operating point.

All rules look at boxes, as recall does, and so hits are the hits of recall. A detection and
a target *touch* where their centroids are less than 3 px apart (the protocol's distance), or
their IoU is at least 0.1, or at least half of one lies in the other. A detection *covers* a
target of which at least half lies in its box, and is *within* a target in whose box at
least half of it lies.

Each target is the first of these that applies:

hit
    The detection that matching gives it has the protocol's IoU, 0.5.
merged
    A detection covers it and another target as well.
split
    At least two detections, none of them a hit, are within it.
shifted
    A detection that is no hit touches it: found, but too far off or of another size.
missed
    Nothing of the above.

Each detection is the first of these that applies:

hit
    Matching gives it a target.
merged
    It covers at least two targets, one of them called merged.
split
    It is within a target called split.
shifted
    It touches a target called shifted.
duplicate
    It touches a target of another kind, which is accounted for already.
clutter
    It touches no target.

So each target and each detection has exactly one kind, and there are as many targets hit as
detections that hit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irbench.analysis.objects import Objects
from irbench.analysis.pairs import centroid_distances, pairs_within_images
from irbench.detections import box_areas
from irbench.detections.boxes import iou_pairs

TARGET_KINDS = ("hit", "shifted", "merged", "split", "missed")
DETECTION_KINDS = ("hit", "shifted", "merged", "split", "duplicate", "clutter")

LEAST_IOU = 0.1
"""From this IoU on, two boxes touch."""

LEAST_SHARE = 0.5
"""A box with so large a share of its area in another lies in it."""


@dataclass(frozen=True, eq=False)
class Errors:
    """The kind of each target and detection.

    Attributes
    ----------
    targets : (n_targets,) ndarray of int64
        Position in :data:`TARGET_KINDS`.
    detections : (n_detections,) ndarray of int64
        Position in :data:`DETECTION_KINDS`.
    """

    targets: NDArray[np.int64]
    detections: NDArray[np.int64]

    @property
    def target_counts(self) -> dict[str, int]:
        """Number of targets of each kind."""
        return _count(self.targets, TARGET_KINDS)

    @property
    def detection_counts(self) -> dict[str, int]:
        """Number of detections of each kind."""
        return _count(self.detections, DETECTION_KINDS)


def classify_errors(
    kept: Objects, targets: Objects, hit_by: NDArray[np.int64], distance_px: float = 3.0
) -> Errors:
    """Say what became of each target and of each kept detection.

    Parameters
    ----------
    kept : Objects
        Detections at or above the operating point.
    targets : Objects
    hit_by : (n_targets,) ndarray of int64
        The kept detection that hits each target by matching; -1 where none does.
    distance_px : float
        Centroids nearer than this touch.

    Returns
    -------
    Errors
        See the module for the rules.
    """
    detection, target = pairs_within_images(kept, targets)
    is_target_hit = hit_by >= 0
    is_hit = np.zeros(len(kept), dtype=bool)
    is_hit[hit_by[is_target_hit]] = True
    box, truth = kept.boxes[detection], targets.boxes[target]
    shared = _intersection(box, truth)
    covers = shared >= LEAST_SHARE * box_areas(truth)
    within = shared >= LEAST_SHARE * box_areas(box)
    near = centroid_distances(kept, targets, detection, target) < distance_px
    touches = near | (iou_pairs(box, truth) >= LEAST_IOU) | covers | within
    free = ~is_hit[detection]

    covers_several = covers & (_tally(detection, covers, len(kept)) >= 2)[detection]
    merged = _any(target, covers_several, len(targets))
    split = _tally(target, within & free, len(targets)) >= 2
    shifted = _any(target, touches & free, len(targets))
    target_kind = _first_of(
        TARGET_KINDS, {"hit": is_target_hit, "merged": merged, "split": split, "shifted": shifted}
    )
    kind = target_kind[target]
    of = {name: kind == TARGET_KINDS.index(name) for name in TARGET_KINDS}
    flags = {
        "hit": is_hit,
        "merged": _any(detection, covers_several & of["merged"], len(kept)),
        "split": _any(detection, within & of["split"], len(kept)),
        "shifted": _any(detection, touches & of["shifted"], len(kept)),
        "duplicate": _any(detection, touches, len(kept)),
    }
    return Errors(target_kind, _first_of(DETECTION_KINDS, flags))


def _first_of(kinds: tuple[str, ...], flags: dict[str, NDArray[np.bool_]]) -> NDArray[np.int64]:
    """The kind whose flag comes first; the last kind where none is set."""
    conditions = list(flags.values())
    places = [kinds.index(name) for name in flags]
    return np.asarray(np.select(conditions, places, default=len(kinds) - 1), dtype=np.int64)


def _tally(index: NDArray[np.int64], flags: NDArray[np.bool_], n: int) -> NDArray[np.int64]:
    return np.bincount(index[flags], minlength=n)


def _any(index: NDArray[np.int64], flags: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
    return _tally(index, flags, n) > 0


def _intersection(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    return np.asarray(np.maximum(sides, 0).prod(axis=1))


def _count(kinds: NDArray[np.int64], names: tuple[str, ...]) -> dict[str, int]:
    counts = np.bincount(kinds, minlength=len(names))
    return {name: int(count) for name, count in zip(names, counts, strict=True)}
