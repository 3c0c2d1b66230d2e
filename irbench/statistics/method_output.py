"""A method's output on a set of images, scored once for all draws of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irbench.calibration import match_images
from irbench.detections import Detections
from irbench.evaluation import Result, evaluate
from irbench.ground_truth import GroundTruth
from irbench.metrics.map_statistics import MapStatistics
from irbench.metrics.match_table import COCO_IOU_THRESHOLDS
from irbench.protocol import Protocol
from irbench.statistics.found_targets import found_by_distance, found_by_iou

RULES = ("overlap", "distance")
"""By what a target is found: a kept box that hits it, or a kept detection near it."""


@dataclass(frozen=True, eq=False)
class MethodOutput:
    """A method's output on a set of images, scored.

    Attributes
    ----------
    result : Result
    found : dict of str to (n_targets,) ndarray of bool
        By rule of :data:`RULES`, whether it finds each target at its operating
        point, image by image; empty without a threshold.
    """

    result: Result
    found: dict[str, NDArray[np.bool_]]

    @classmethod
    def score(
        cls,
        detections: Mapping[str, Detections],
        truths: Sequence[GroundTruth],
        protocol: Protocol,
        threshold: float | None,
        map_statistics: Mapping[str, MapStatistics] | None = None,
        kind: str | None = None,
    ) -> MethodOutput:
        """Score a method's detections.

        Parameters
        ----------
        detections : mapping of str to Detections
            By image id.
        truths : sequence of GroundTruth
        protocol : Protocol
        threshold : float or None
            The operating point; None as for :func:`irbench.evaluation.evaluate`.
        map_statistics : mapping of str to MapStatistics, optional
            By image id, for the metrics of score maps.
        kind : {"score-map", "segmentation", "box"}, optional
            Of the method, as for :func:`irbench.evaluation.evaluate`.

        Raises
        ------
        DetectionsError
        """
        result = evaluate(
            detections,
            truths,
            protocol,
            threshold=threshold,
            map_statistics=map_statistics,
            kind=kind,
        )
        if result.threshold is None:
            return cls(result, {})
        images = [detections.get(truth.id, Detections.empty()) for truth in truths]
        table = result.counts["table"]
        if protocol.iou_threshold not in COCO_IOU_THRESHOLDS:
            table = match_images(images, truths, protocol)
        kept = [one.best(protocol.max_detections).above(result.threshold) for one in images]
        column = table.iou_index(protocol.iou_threshold)
        found = {
            "overlap": found_by_iou(table, result.threshold, column),
            "distance": found_by_distance(kept, truths, protocol.distance_px),
        }
        return cls(result, found)
