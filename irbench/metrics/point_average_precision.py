"""Average precision where a hit is a centroid near a target, not an overlap of boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError
from irbench.metrics.average_precision import average_precision_form
from irbench.metrics.detection_order import rank_components
from irbench.metrics.match_table import MatchTable
from irbench.metrics.metric import fraction
from irbench.metrics.packed_components import PackedComponents, first_come, near_pairs
from irbench.metrics.point_matching import DISTANCE_PX
from irbench.metrics.value import NO_TARGETS
from irbench.ragged_arrays import inverse_permutation


def match_points(
    found: PackedComponents,
    scores: NDArray[np.float64],
    targets: PackedComponents,
    distance_px: float = DISTANCE_PX,
) -> MatchTable:
    """Match scored components with targets by the distance of their centroids.

    Within an image the components come in order of descending score, equal scores
    in raster order of their first pixel, and each takes the nearest free target
    whose centroid is nearer than ``distance_px``; of equally near ones the first in
    raster order. So the outcome depends on no order of a list.

    Parameters
    ----------
    found, targets : PackedComponents
        Detections and targets of the same images.
    scores : (n_components,) ndarray of float64
        Of the detections; finite.
    distance_px : float
        More than 0. A centroid exactly so far away is no hit.

    Returns
    -------
    MatchTable
        With one column. It has no IoU threshold, and so NaN stands for it.

    Raises
    ------
    UsageError
        For a distance that is not positive.

    Notes
    -----
    The points of ``pd`` are matched in raster order of the targets, which needs no
    scores. Here the scores decide, as for boxes: what is kept at a threshold is
    matched as it would be alone.

    Examples
    --------
    >>> from irbench.metrics.components import Components
    >>> target = PackedComponents.of([Components([[5, 5]], [1], [45])])
    >>> found = PackedComponents.of([Components([[5, 6], [5, 5]], [1, 1], [53, 45])])
    >>> match_points(found, np.array([0.9, 0.8]), target).hit[:, 0].tolist()
    [True, False]
    """
    if not distance_px > 0:
        raise UsageError(f"distance_px must be more than 0, got {distance_px}.")
    order = rank_components(found, scores)
    rank = inverse_permutation(order)
    pairs = near_pairs(found, targets, distance_px)
    raster = inverse_permutation(targets.in_raster_order(np.arange(len(targets))))
    # The best score first, and of its targets the nearest.
    visited = np.lexsort((raster[pairs.target], pairs.distance, rank[pairs.found]))
    stands = visited[first_come(pairs.found[visited], pairs.target[visited])]
    hits = np.full(len(found), -1, dtype=np.int32)
    target = pairs.target[stands]
    hits[rank[pairs.found[stands]]] = target - targets.offsets[targets.image[target]]
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
