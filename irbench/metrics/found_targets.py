"""Which targets a method finds at its operating point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections
from irbench.detections.packed_detections import PackedDetections
from irbench.errors import DetectionsError
from irbench.ground_truth import GroundTruth
from irbench.metrics.match_table import MatchTable
from irbench.metrics.packed_components import PackedComponents
from irbench.metrics.point_matching import DISTANCE_PX, packed_in_raster_order


def found_by_iou(table: MatchTable, threshold: float, iou_index: int = 0) -> NDArray[np.bool_]:
    """Whether a kept box hits each target.

    Parameters
    ----------
    table : MatchTable
    threshold : float
        Detections with ``score >= threshold`` are kept.
    iou_index : int
        Column of the table.

    Returns
    -------
    (n_targets,) ndarray of bool
        All targets of the first image, then of the second, …
    """
    found = np.zeros(int(table.n_targets.sum()), dtype=bool)
    rows = np.flatnonzero((table.scores >= threshold) & table.hit[:, iou_index])
    first = np.cumsum(table.n_targets) - table.n_targets
    found[first[table.image_index[rows]] + table.target_index[rows, iou_index]] = True
    return found


def found_by_distance(
    kept: Sequence[Detections], truths: Sequence[GroundTruth], distance_px: float = DISTANCE_PX
) -> NDArray[np.bool_]:
    """Whether a kept detection of its own lies near each target, as Pd counts.

    Parameters
    ----------
    kept : sequence of Detections
        Of each image, only those at or above the threshold.
    truths : sequence of GroundTruth
        As many, in the same order.
    distance_px : float
        Centroids must be nearer than this.

    Returns
    -------
    (n_targets,) ndarray of bool
        All targets of the first image, then of the second, …

    Raises
    ------
    DetectionsError
    """
    if len(kept) != len(truths):
        raise DetectionsError(
            f"kept and truths must be of as many images, got {len(kept)} and {len(truths)}."
        )
    components = PackedComponents.of_detections(PackedDetections.packed(kept), truths)
    targets = PackedComponents.of_truths(truths)
    found = np.zeros(len(targets), dtype=bool)
    found[packed_in_raster_order(components, targets, distance_px)[1]] = True
    return found
