"""Average precision where a hit is a centroid near a target, not an overlap of boxes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from irbench.errors import DetectionsError, UsageError
from irbench.metrics.average_precision import average_precision_form
from irbench.metrics.components import Components
from irbench.metrics.match_table import MatchTable
from irbench.metrics.metric import fraction
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
    if not distance_px > 0:
        raise UsageError(f"distance_px must be more than 0, got {distance_px}.")
    ranks, hits, ranked_scores, n_targets = [], [], [], []
    for index, (components, given, targets) in enumerate(images):
        scores = _checked_scores(given, len(components), index)
        order = _ranking(components, scores)
        ranks.append(order)
        hits.append(_nearest_free(components.centroids[order], targets, distance_px))
        ranked_scores.append(scores[order])
        n_targets.append(len(targets))
    n_found = np.array([len(order) for order in ranks], dtype=np.int64)
    empty = np.zeros(0, dtype=np.int64)
    return MatchTable(
        image_index=np.repeat(np.arange(len(ranks)), n_found),
        detection_index=np.concatenate([empty, *ranks]),
        scores=np.concatenate([np.zeros(0), *ranked_scores]),
        target_index=np.concatenate([empty, *hits]).astype(np.int32)[:, None],
        n_targets=np.array(n_targets, dtype=np.int64),
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


def _ranking(components: Components, scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices by descending score; equal ones in raster order."""
    raster = components.raster_order()
    return np.asarray(raster[np.argsort(-scores[raster], kind="stable")])


def _nearest_free(
    centroids: NDArray[np.float64], targets: Components, distance_px: float
) -> NDArray[np.int64]:
    """The target of each centroid, best score first; -1 for none."""
    matched = np.full(len(centroids), -1, dtype=np.int64)
    order = targets.raster_order()
    difference = centroids[:, None] - targets.centroids[order][None]
    distances = np.sqrt((difference**2).sum(axis=-1))
    distances[distances >= distance_px] = np.inf
    for row in np.flatnonzero(np.isfinite(distances).any(axis=1)):
        # argmin returns the first of equally near ones.
        nearest = int(np.argmin(distances[row]))
        if np.isfinite(distances[row, nearest]):
            matched[row] = order[nearest]
            distances[:, nearest] = np.inf
    return matched
