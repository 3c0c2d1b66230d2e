"""Average precision where a hit is a centroid near a target, not an overlap of boxes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from irbench.errors import DetectionsError, UsageError
from irbench.metrics.average_precision import average_precision_form
from irbench.metrics.components import Components
from irbench.metrics.detection_order import rank_components
from irbench.metrics.match_table import MatchTable
from irbench.metrics.metric import fraction
from irbench.metrics.packed_components import PackedComponents, first_come, near_pairs, places
from irbench.metrics.point_matching import DISTANCE_PX
from irbench.metrics.value import NO_TARGETS


def match_points(
    images: Iterable[tuple[Components, ArrayLike, Components]], distance_px: float = DISTANCE_PX
) -> MatchTable:
    """Match scored components with targets by the distance of their centroids.

    Within an image the components come in order of descending score, equal scores
    in raster order of their first pixel, and each takes the nearest free target
    whose centroid is nearer than ``distance_px``; of equally near ones the first in
    raster order. So the outcome depends on no order of a list.

    Parameters
    ----------
    images : iterable of (Components, (N,) array_like, Components)
        Detections, their scores, and targets of each image.
    distance_px : float
        More than 0. A centroid exactly so far away is no hit.

    Returns
    -------
    MatchTable
        With one column. It has no IoU threshold, and so NaN stands for it.

    Raises
    ------
    DetectionsError
        For scores that are not one finite number per component.
    UsageError
        For a distance that is not positive.

    Notes
    -----
    The points of ``pd`` are matched in raster order of the targets, which needs no
    scores. Here the scores decide, as for boxes: what is kept at a threshold is
    matched as it would be alone.

    Examples
    --------
    >>> target = Components([[5, 5]], [1], [45])
    >>> found = Components([[5, 6], [5, 5]], [1, 1], [53, 45])
    >>> match_points([(found, [0.9, 0.8], target)]).hit[:, 0].tolist()
    [True, False]
    """
    listed = list(images)
    scores = [
        _checked_scores(given, len(components), index)
        for index, (components, given, _) in enumerate(listed)
    ]
    return match_packed_points(
        PackedComponents.of(components for components, _, _ in listed),
        np.concatenate([np.zeros(0), *scores]),
        PackedComponents.of(targets for _, _, targets in listed),
        distance_px,
    )


def match_packed_points(
    found: PackedComponents,
    scores: NDArray[np.float64],
    targets: PackedComponents,
    distance_px: float = DISTANCE_PX,
) -> MatchTable:
    """As :func:`match_points`, of all images at once.

    Parameters
    ----------
    found, targets : PackedComponents
    scores : (n_components,) ndarray of float64
        Finite.
    distance_px : float
        More than 0.

    Returns
    -------
    MatchTable

    Raises
    ------
    UsageError
        For a distance that is not positive.
    """
    if not distance_px > 0:
        raise UsageError(f"distance_px must be more than 0, got {distance_px}.")
    order = rank_components(found, scores)
    place = places(order)
    pairs = near_pairs(found, targets, distance_px)
    raster = places(targets.in_raster_order(np.arange(len(targets))))
    # The best score first, and of its targets the nearest.
    visited = np.lexsort((raster[pairs.target], pairs.distance, place[pairs.found]))
    stands = visited[first_come(pairs.found[visited], pairs.target[visited])]
    hits = np.full(len(found), -1, dtype=np.int32)
    target = pairs.target[stands]
    hits[place[pairs.found[stands]]] = target - targets.offsets[targets.image[target]]
    return MatchTable(
        image_index=found.image,
        detection_index=order - found.offsets[found.image],
        scores=scores[order],
        target_index=hits[:, None],
        n_targets=np.diff(targets.offsets),
        iou_thresholds=np.array([np.nan]),
    )


ap_point = fraction(
    "ap_point",
    "AP (centroids)",
    "points",
    "COCO's estimator; hits by the distance of BasicIRSTD",
    "Average precision where a hit is a centroid less than 3 px from a free target.",
    formula="as mAP@50, with the nearest free target instead of that of greatest IoU",
    dialect="coco-101",
    needs="ranked_points",
    form=lambda table: average_precision_form(table, [0]),
    adds_miss=True,
    reason=NO_TARGETS,
)

METRICS = (ap_point,)


def _checked_scores(given: ArrayLike, n: int, image: int) -> NDArray[np.float64]:
    scores = np.asarray(given, dtype=np.float64)
    if scores.shape != (n,):
        raise DetectionsError(
            f"scores of image {image} must have shape ({n},) as there are {n} components, "
            f"got {scores.shape}."
        )
    if not np.isfinite(scores).all():
        index = int(np.argmin(np.isfinite(scores)))
        raise DetectionsError(
            f"scores[{index}] of image {image} must be finite, got {scores[index]}."
        )
    return scores
