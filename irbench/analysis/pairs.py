"""Pairs of a detection and a target of the same image, and greedy matching along a list of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irbench.analysis.objects import Boxes, Objects
from irbench.ragged_arrays import offsets_of, ranges, rounds


def pairs_within_images(
    detections: Boxes, targets: Boxes
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every detection with every target of its image.

    Parameters
    ----------
    detections, targets : Boxes
        Of the same images.

    Returns
    -------
    detection, target : (n_pairs,) ndarray of int64
        In order of detection, then target.
    """
    per_detection = targets.counts[detections.image]
    detection = np.repeat(np.arange(len(detections)), per_detection)
    return detection, ranges(offsets_of(targets.counts)[detections.image], per_detection)


def centroid_distances(
    detections: Objects,
    targets: Objects,
    detection: NDArray[np.int64],
    target: NDArray[np.int64],
) -> NDArray[np.float64]:
    """``(n_pairs,)`` distances between the centroids of each pair, in pixels."""
    difference = targets.centroids[target] - detections.centroids[detection]
    return np.asarray(np.sqrt((difference**2).sum(axis=-1)))


def take_greedily(
    group: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Go down a list of pairs and take each whose two members are both still free.

    Parameters
    ----------
    group : (n_pairs,) ndarray of int64
        Pairs of different groups have no member in common; those of one group stand in
        order of preference.
    left, right : (n_pairs,) ndarray of int64
        The two members of each pair.

    Returns
    -------
    (n_pairs,) ndarray of bool

    Notes
    -----
    The r-th pair of every group is decided in one step, so that hundreds of images, and of
    repetitions of them, cost what the longest one costs.

    Examples
    --------
    >>> import numpy as np
    >>> group, left, right = np.zeros(3, int), np.array([0, 0, 1]), np.array([0, 1, 1])
    >>> take_greedily(group, left, right).tolist()
    [True, False, True]
    """
    taken = np.zeros(len(group), dtype=bool)
    if not len(group):
        return taken
    left_free = np.ones(int(left.max()) + 1, dtype=bool)
    right_free = np.ones(int(right.max()) + 1, dtype=bool)
    for step in rounds(group):
        takes = left_free[left[step]] & right_free[right[step]]
        chosen = step[takes]
        left_free[left[chosen]] = False
        right_free[right[chosen]] = False
        taken[chosen] = True
    return taken


def match_by_distance(
    detections: Objects, targets: Objects, distances_px: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Which detection is matched with each target, as Pd counts, at several distances.

    For each target in raster order the first free detection in raster order whose centroid
    is nearer than the distance; see
    :func:`irbench.metrics.point_matching.match_in_raster_order`.

    Parameters
    ----------
    detections : Objects
        Those that are kept.
    targets : Objects
    distances_px : (D,) ndarray of float64

    Returns
    -------
    (D, n_targets) ndarray of int64
        Index of the detection; -1 where the target is missed.
    """
    detection, target = pairs_within_images(detections, targets)
    distance = centroid_distances(detections, targets, detection, target)
    return match_near_pairs(
        detections, targets, detection, target, distance[None] < distances_px[:, None]
    )


def match_near_pairs(
    detections: Objects,
    targets: Objects,
    detection: NDArray[np.int64],
    target: NDArray[np.int64],
    near: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Match in raster order among pairs that are near, for several ideas of near.

    Parameters
    ----------
    detections, targets : Objects
    detection, target : (n_pairs,) ndarray of int64
        Pairs of one image each.
    near : (V, n_pairs) ndarray of bool
        Which of them may match, in each variant.

    Returns
    -------
    (V, n_targets) ndarray of int64
        Index of the detection; -1 where the target is missed.
    """
    preference = np.lexsort((detections.raster_place[detection], targets.raster_place[target]))
    detection, target, near = detection[preference], target[preference], near[:, preference]
    variant, pair = np.nonzero(near)
    image = targets.image[target[pair]]
    taken = take_greedily(
        variant * max(len(targets.counts), 1) + image,
        variant * max(len(detections), 1) + detection[pair],
        variant * max(len(targets), 1) + target[pair],
    )
    matched = np.full((len(near), len(targets)), -1, dtype=np.int64)
    matched[variant[taken], target[pair[taken]]] = detection[pair[taken]]
    return matched
