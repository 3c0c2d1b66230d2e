"""Which component belongs to which target, by centroid distance: two dialects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.components import Components
from irbench.metrics.packed_components import (
    PackedComponents,
    first_come,
    near_pairs,
    without_rivals,
)
from irbench.ragged_arrays import inverse_permutation

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Rows of the components, and of the targets, that belong to each other."""

DISTANCE_PX = 3.0
"""Centroids must be nearer than this."""


def match_in_raster_order(
    components: Components, targets: Components, distance_px: float = DISTANCE_PX
) -> NDArray[np.int64]:
    """Match as BasicIRSTD does.

    For each target in raster order of its first pixel, the first component not
    yet used, in raster order of its first pixel, whose centroid is nearer than
    ``distance_px``; the first, not the nearest.

    Parameters
    ----------
    components : Components
    targets : Components
    distance_px : float

    Returns
    -------
    (n_targets,) ndarray of int64
        The component of each target; -1 where it is missed.

    Examples
    --------
    >>> target = Components([[5, 5]], [1], [45])
    >>> match_in_raster_order(Components([[9, 9], [5, 7.5]], [1, 4], [81, 64]), target).tolist()
    [1]
    """
    matched = np.full(len(targets), -1, dtype=np.int64)
    near = _distances(components, targets) < distance_px
    order = components.raster_order
    near = near[:, order]
    for target in targets.raster_order:
        first = int(np.argmax(near[target])) if len(order) else 0
        if len(order) and near[target, first]:
            matched[target] = order[first]
            near[:, first] = False
    return matched


def match_by_assignment(
    components: Components, targets: Components, distance_px: float = DISTANCE_PX
) -> NDArray[np.int64]:
    """Match by the Hungarian method.

    Of all one-to-one assignments of pairs nearer than ``distance_px``, one with
    most pairs, and of those one with the least total distance.

    Parameters
    ----------
    components, targets, distance_px
        As for :func:`match_in_raster_order`.

    Returns
    -------
    (n_targets,) ndarray of int64
        Likewise.

    References
    ----------
    .. [1] H. W. Kuhn, "The Hungarian Method for the Assignment Problem", Naval
       Research Logistics Quarterly 2, 1955.
    """
    from scipy.optimize import linear_sum_assignment

    matched = np.full(len(targets), -1, dtype=np.int64)
    if len(targets) == 0 or len(components) == 0:
        return matched
    # In raster order, so that which of several best assignments it is depends on no list.
    rows, columns = targets.raster_order, components.raster_order
    distances = _distances(components, targets)[np.ix_(rows, columns)]
    near = distances < distance_px
    # One more pair is worth more than any saving of distance.
    reward = distance_px * (min(near.shape) + 1)
    chosen = linear_sum_assignment(np.where(near, distances - reward, 0.0))
    for row, column in zip(*chosen, strict=True):
        if near[row, column]:
            matched[rows[row]] = columns[column]
    return matched


def packed_in_raster_order(
    found: PackedComponents, targets: PackedComponents, distance_px: float = DISTANCE_PX
) -> Pairs:
    """As :func:`match_in_raster_order`, of many images at once; in order of the targets."""
    pairs = near_pairs(found, targets, distance_px)
    rank = inverse_permutation(targets.in_raster_order(np.arange(len(targets))))[pairs.target]
    order = found.in_raster_order(pairs.found, rank)
    stands = order[first_come(pairs.found[order], pairs.target[order])]
    return pairs.found[stands], pairs.target[stands]


def packed_by_assignment(
    found: PackedComponents, targets: PackedComponents, distance_px: float = DISTANCE_PX
) -> Pairs:
    """As :func:`match_by_assignment`, of many images; in no order."""
    pairs = near_pairs(found, targets, distance_px)
    alone, contested = without_rivals(found, pairs)
    rows, columns = [pairs.found[alone]], [pairs.target[alone]]
    for image in contested.tolist():
        matched = match_by_assignment(found.of_image(image), targets.of_image(image), distance_px)
        hit = np.flatnonzero(matched >= 0)
        rows.append(found.offsets[image] + matched[hit])
        columns.append(targets.offsets[image] + hit)
    return np.concatenate(rows), np.concatenate(columns)


def _distances(components: Components, targets: Components) -> NDArray[np.float64]:
    difference = targets.centroids[:, None] - components.centroids[None]
    return np.asarray(np.sqrt((difference**2).sum(axis=-1)))
