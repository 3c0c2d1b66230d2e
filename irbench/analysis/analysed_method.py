"""One method's detections on a set of images, matched once for all that is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from irbench.analysis.objects import Boxes, Objects, detection_boxes, detection_objects
from irbench.analysis.pairs import match_by_distance
from irbench.analysis.score_curves import IOU_THRESHOLDS
from irbench.analysis.taxonomy import Errors, classify_errors
from irbench.calibration import match_images
from irbench.detections import Detections
from irbench.ground_truth import GroundTruth
from irbench.metrics.match_table import MatchTable
from irbench.protocol import Protocol


@dataclass(frozen=True, eq=False)
class AnalysedMethod:
    """A method's detections on a set of images.

    Attributes
    ----------
    name : str
    threshold : float or None
        The operating point; infinite where nothing is kept.
    images : list of Detections
        The best-scored ones of each image.
    truths : sequence of GroundTruth
    targets : Objects
    detections : Boxes
        The same, end to end.
    table : MatchTable
        At :data:`~irbench.analysis.score_curves.IOU_THRESHOLDS` and the protocol's. Its rows stand
        in the order of ``detections``.
    protocol : Protocol
    """

    name: str
    threshold: float | None
    images: list[Detections]
    truths: Sequence[GroundTruth]
    targets: Objects
    detections: Boxes
    table: MatchTable
    protocol: Protocol

    @classmethod
    def of(
        cls,
        name: str,
        found: Mapping[str, Detections],
        truths: Sequence[GroundTruth],
        targets: Objects,
        protocol: Protocol,
        threshold: float | None,
    ) -> AnalysedMethod:
        """Match a method's detections.

        Parameters
        ----------
        name : str
        found : mapping of str to Detections
            By image id; absent where nothing was found.
        truths : sequence of GroundTruth
        targets : Objects
            Of ``truths``.
        protocol : Protocol
        threshold : float or None
        """
        images = [
            found.get(truth.id, Detections.empty()).best(protocol.max_detections)
            for truth in truths
        ]
        ious = sorted({*IOU_THRESHOLDS, protocol.iou_threshold})
        table = match_images(images, truths, protocol, ious)
        detections = detection_boxes(images)
        return cls(name, threshold, images, truths, targets, detections, table, protocol)

    @property
    def iou_index(self) -> int:
        """Column of the table at the protocol's IoU."""
        return self.table.iou_index(self.protocol.iou_threshold)

    @cached_property
    def hit_by(self) -> NDArray[np.int64]:
        """``(n_targets,)`` the detection that hits each target at any score; -1 for none."""
        column = self.table.target_index[:, self.iou_index]
        rows = np.flatnonzero(column >= 0)
        first = np.cumsum(self.targets.counts) - self.targets.counts
        hit_by = np.full(len(self.targets), -1, dtype=np.int64)
        hit_by[first[self.table.image_index[rows]] + column[rows]] = rows
        return hit_by

    @cached_property
    def kept(self) -> Objects:
        """The detections at or above the operating point; none without one."""
        return detection_objects(self.kept_images, self.truths)

    @cached_property
    def kept_images(self) -> list[Detections]:
        """The same by image, with their regions."""
        threshold = np.inf if self.threshold is None else self.threshold
        return [one.above(threshold) for one in self.images]

    @cached_property
    def kept_hit_by(self) -> NDArray[np.int64]:
        """``(n_targets,)`` position in :attr:`kept` of the detection that hits; -1 for none."""
        is_kept = self.detections.scores >= (np.inf if self.threshold is None else self.threshold)
        position = np.where(is_kept, np.cumsum(is_kept) - 1, -1)
        return np.append(position, -1)[self.hit_by]

    @cached_property
    def near(self) -> NDArray[np.bool_]:
        """``(n_targets,)`` whether Pd counts each target: a kept detection of its own is near."""
        distances = np.array([self.protocol.distance_px])
        return np.asarray(match_by_distance(self.kept, self.targets, distances)[0] >= 0)

    @cached_property
    def errors(self) -> Errors:
        """What became of each target and kept detection."""
        return classify_errors(self.kept, self.targets, self.kept_hit_by, self.protocol.distance_px)

    @property
    def has_regions(self) -> bool:
        """Whether pixel metrics are defined: masks on both sides, and something was found."""
        known = any(one.regions is not None for one in self.images)
        unknown = any(one.regions is None and len(one) for one in self.images)
        return known and not unknown and all(truth.targets is not None for truth in self.truths)
