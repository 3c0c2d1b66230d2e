"""Which region belongs to which target: by overlap first, then by distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irbench.detections.regions import Regions
from irbench.errors import DetectionsError
from irbench.metrics.point_matching import DISTANCE_PX

OVERLAP = 0.5
"""Regions belong together from this IoU, wherever their centroids are."""


@dataclass(frozen=True, eq=False)
class RegionPairs:
    """Every target of an image with every kept region.

    Attributes
    ----------
    shared : (n_targets, n_regions) ndarray of int64
        Pixels in both.
    iou : (n_targets, n_regions) ndarray of float64
        In [0, 1].
    distance : (n_targets, n_regions) ndarray of float64
        Of the centroids, in pixels.
    """

    shared: NDArray[np.int64]
    iou: NDArray[np.float64]
    distance: NDArray[np.float64]


def compare_regions(kept: Regions, targets: Regions) -> RegionPairs:
    """Overlap and distance of every target with every kept region.

    Parameters
    ----------
    kept, targets : Regions
        On one image.

    Returns
    -------
    RegionPairs

    Raises
    ------
    DetectionsError
        For regions on images of different shapes.
    """
    if kept.shape != targets.shape:
        raise DetectionsError(
            f"kept regions and targets must be on one image, got shapes {kept.shape} and "
            f"{targets.shape}."
        )
    shared = _shared_pixels(kept, targets)
    union = targets.areas[:, None] + kept.areas[None] - shared
    difference = targets.centroids[:, None] - kept.centroids[None]
    return RegionPairs(
        shared=shared,
        iou=shared / union,
        distance=np.sqrt((difference**2).sum(axis=-1)),
    )


def match_by_overlap_then_distance(
    pairs: RegionPairs, overlap: float = OVERLAP, distance_px: float = DISTANCE_PX
) -> NDArray[np.int64]:
    """Match by the rule that hIoU was published with [1]_.

    First all targets and regions are assigned one to one with the least total
    distance, and of these pairs those stand whose IoU reaches ``overlap``. Then the
    targets and regions that are left are assigned likewise, and those pairs stand
    that are nearer than ``distance_px``.

    Parameters
    ----------
    pairs : RegionPairs
    overlap : float
        In (0, 1].
    distance_px : float

    Returns
    -------
    (n_targets,) ndarray of int64
        The region of each target; -1 where it is missed.

    Notes
    -----
    Both conditions are applied after the assignment, which therefore also weighs pairs
    that cannot stand: a clutter region far away can move a pair to the second step,
    where overlap no longer helps it.

    References
    ----------
    .. [1] Y. Pang et al., "Rethinking Evaluation of Infrared Small Target Detection",
       NeurIPS 2025, arXiv:2509.16888.
    """
    from scipy.optimize import linear_sum_assignment

    n_targets, n_regions = pairs.iou.shape
    matched = np.full(n_targets, -1, dtype=np.int64)
    for allowed in (pairs.iou >= overlap, pairs.distance < distance_px):
        rows = np.flatnonzero(matched < 0)
        is_free = np.ones(n_regions, dtype=bool)
        is_free[matched[matched >= 0]] = False
        columns = np.flatnonzero(is_free)
        if len(rows) == 0 or len(columns) == 0:
            break
        assigned = linear_sum_assignment(pairs.distance[np.ix_(rows, columns)])
        for row, column in zip(rows[assigned[0]], columns[assigned[1]], strict=True):
            if allowed[row, column]:
                matched[row] = column
    return matched


def _shared_pixels(kept: Regions, targets: Regions) -> NDArray[np.int64]:
    shared = np.zeros((len(targets), len(kept)), dtype=np.int64)
    a, b = targets.boxes[:, None], kept.boxes[None]
    meet = (np.maximum(a[..., :2], b[..., :2]) < np.minimum(a[..., 2:], b[..., 2:])).all(axis=-1)
    if not meet.any():
        return shared
    kept_pixels, target_pixels = _pixels_of_each(kept), _pixels_of_each(targets)
    for target, region in np.argwhere(meet).tolist():
        # The pixels of a region are distinct.
        both = np.intersect1d(target_pixels[target], kept_pixels[region], assume_unique=True)
        shared[target, region] = len(both)
    return shared


def _pixels_of_each(regions: Regions) -> list[NDArray[np.int64]]:
    return np.split(regions.pixels, np.cumsum(regions.areas)[:-1])
