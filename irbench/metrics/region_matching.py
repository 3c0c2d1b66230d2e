"""Which region belongs to which target: by overlap first, then by distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.packed_components import PackedComponents
from irbench.metrics.point_matching import DISTANCE_PX
from irbench.ragged_arrays import inverse_permutation, offsets_of, ranges

OVERLAP = 0.5
"""Regions belong together from this IoU, wherever their centroids are."""


@dataclass(frozen=True, eq=False)
class RegionPairs:
    """Every target of every image with every kept region of it.

    Image by image: the first target in raster order with every region in raster order, then the
    second target.

    Attributes
    ----------
    offsets : (n_images + 1,) ndarray of int64
        Image ``i`` has the pairs ``offsets[i]:offsets[i + 1]``.
    n_targets, n_regions : (n_images,) ndarray of int64
    target, region : (n_pairs,) ndarray of int64
        Rows of the packed components.
    shared : (n_pairs,) ndarray of int64
        Pixels in both.
    iou : (n_pairs,) ndarray of float64
        In [0, 1].
    distance : (n_pairs,) ndarray of float64
        Of the centroids, in pixels.
    """

    offsets: NDArray[np.int64]
    n_targets: NDArray[np.int64]
    n_regions: NDArray[np.int64]
    target: NDArray[np.int64]
    region: NDArray[np.int64]
    shared: NDArray[np.int64]
    iou: NDArray[np.float64]
    distance: NDArray[np.float64]

    @classmethod
    def of(cls, kept: PackedComponents, targets: PackedComponents) -> RegionPairs:
        """Those of regions on the same images."""
        n_targets, n_regions = np.diff(targets.offsets), np.diff(kept.offsets)
        offsets = offsets_of(n_targets * n_regions)
        image = np.repeat(np.arange(len(n_targets)), np.diff(offsets))
        orders = [one.in_raster_order(np.arange(len(one))) for one in (targets, kept)]
        # Of each pair the position of the target in its image, and that of the region.
        at = np.divmod(np.arange(len(image)) - offsets[image], np.maximum(n_regions, 1)[image])
        target = orders[0][targets.offsets[image] + at[0]]
        region = orders[1][kept.offsets[image] + at[1]]
        of_target, of_region = _shared_pixels(targets, kept)
        images = kept.image[of_region]
        row = inverse_permutation(orders[0])[of_target] - targets.offsets[images]
        column = inverse_permutation(orders[1])[of_region] - kept.offsets[images]
        shared = np.bincount(offsets[images] + row * n_regions[images] + column, None, len(image))
        union = targets.areas[target] + kept.areas[region] - shared
        difference = targets.centroids[target] - kept.centroids[region]
        distance = np.sqrt((difference**2).sum(axis=-1))
        return cls(offsets, n_targets, n_regions, target, region, shared, shared / union, distance)

    def matched(self, distance_px: float) -> NDArray[np.int64]:
        """The pairs that :func:`match_by_overlap_then_distance` makes, ascending."""
        image = np.repeat(np.arange(len(self.n_targets)), np.diff(self.offsets))
        single = (self.n_targets == 1) | (self.n_regions == 1)
        # One target, or one region, is assigned to the nearest of the others in either step.
        some = np.flatnonzero(single[image])
        nearest = np.full(len(single), np.inf)
        np.minimum.at(nearest, image[some], self.distance[some])
        some = some[self.distance[some] == nearest[image[some]]]
        _, first = np.unique(image[some], return_index=True)
        some = some[first]
        found = [some[(self.iou[some] >= OVERLAP) | (self.distance[some] < distance_px)]]
        for one in np.flatnonzero((self.n_targets > 1) & (self.n_regions > 1)).tolist():
            own = slice(self.offsets[one], self.offsets[one + 1])
            iou, distance = (
                part[own].reshape(self.n_targets[one], -1) for part in (self.iou, self.distance)
            )
            regions = match_by_overlap_then_distance(iou, distance, distance_px)
            targets = np.flatnonzero(regions >= 0)
            found.append(self.offsets[one] + targets * self.n_regions[one] + regions[targets])
        return np.sort(np.concatenate(found))


def match_by_overlap_then_distance(
    iou: NDArray[np.float64],
    distance: NDArray[np.float64],
    distance_px: float = DISTANCE_PX,
) -> NDArray[np.int64]:
    """Match by the rule that hIoU was published with [1]_.

    First all targets and regions are assigned one to one with the least total
    distance, and of these pairs those stand whose IoU reaches :data:`OVERLAP`. Then the
    targets and regions that are left are assigned likewise, and those pairs stand
    that are nearer than ``distance_px``.

    Parameters
    ----------
    iou, distance : (n_targets, n_regions) ndarray of float64
        Of the targets and kept regions of one image; see :class:`RegionPairs`.
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

    n_targets, n_regions = iou.shape
    matched = np.full(n_targets, -1, dtype=np.int64)
    for allowed in (iou >= OVERLAP, distance < distance_px):
        rows = np.flatnonzero(matched < 0)
        is_free = np.ones(n_regions, dtype=bool)
        is_free[matched[matched >= 0]] = False
        columns = np.flatnonzero(is_free)
        if len(rows) == 0 or len(columns) == 0:
            break
        assigned = linear_sum_assignment(distance[np.ix_(rows, columns)])
        for row, column in zip(rows[assigned[0]], columns[assigned[1]], strict=True):
            if allowed[row, column]:
                matched[row] = column
    return matched


def _shared_pixels(
    targets: PackedComponents, kept: PackedComponents
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The target and the region of each pixel that two have in common, one after another."""
    pixels = targets.pixel_keys
    order = np.argsort(pixels, kind="stable")
    # A region may be as large as its image; only the pixels of targets are looked at one by one.
    first, end = np.searchsorted(pixels[order], kept.run_keys).T
    # Regions may overlap: a pixel can be in several of either.
    times = end - first
    found = order[ranges(first, times)]
    rows = np.repeat(np.arange(len(targets)), targets.areas)
    columns = np.repeat(np.arange(len(kept)), np.diff(kept.run_offsets))
    return rows[found], np.repeat(columns, times)
