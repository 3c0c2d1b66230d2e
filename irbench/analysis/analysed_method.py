"""One method's detections on a set of images, matched once for all that is reported of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from irbench.analysis.objects import Boxes, Objects, detection_boxes, detection_objects
from irbench.analysis.score_curves import IOU_THRESHOLDS
from irbench.analysis.taxonomy import Errors, classify_errors
from irbench.metrics.match_table import MatchTable
from irbench.ragged_arrays import offsets_of
from irbench.scoring.counted_output import match_images
from irbench.scoring.scored_output import ScoredOutput


@dataclass(frozen=True, eq=False)
class AnalysedMethod:
    """A method's output, scored, as the analysis looks at it.

    Attributes
    ----------
    output : ScoredOutput
    targets : Objects
        Of its images.
    detections : Boxes
        Those that count, end to end.
    table : MatchTable
        At :data:`~irbench.analysis.score_curves.IOU_THRESHOLDS` and the protocol's. Its rows stand
        in the order of ``detections``.
    """

    output: ScoredOutput
    targets: Objects
    detections: Boxes
    table: MatchTable

    @classmethod
    def of(cls, output: ScoredOutput, targets: Objects) -> AnalysedMethod:
        """Match a method's detections at more IoU thresholds.

        Parameters
        ----------
        output : ScoredOutput
        targets : Objects
            Of its images.
        """
        protocol = output.protocol
        ious = sorted({*IOU_THRESHOLDS, protocol.iou_threshold})
        table = match_images(output.images, output.truths, protocol, ious)
        return cls(output, targets, detection_boxes(output.images), table)

    @property
    def iou_index(self) -> int:
        """Column of the table at the protocol's IoU."""
        return self.table.iou_index(self.output.protocol.iou_threshold)

    @cached_property
    def hit_by(self) -> NDArray[np.int64]:
        """``(n_targets,)`` the detection that hits each target at any score; -1 for none."""
        column = self.table.target_index[:, self.iou_index]
        rows = np.flatnonzero(column >= 0)
        first = offsets_of(self.targets.counts)
        hit_by = np.full(len(self.targets), -1, dtype=np.int64)
        hit_by[first[self.table.image_index[rows]] + column[rows]] = rows
        return hit_by

    @cached_property
    def kept(self) -> Objects:
        """The detections at or above the operating point; none without one."""
        return detection_objects(self.output.kept, self.output.truths)

    @cached_property
    def kept_hit_by(self) -> NDArray[np.int64]:
        """``(n_targets,)`` position in :attr:`kept` of the detection that hits; -1 for none."""
        is_kept = self.output.is_kept
        position = np.where(is_kept, np.cumsum(is_kept) - 1, -1)
        return np.append(position, -1)[self.hit_by]

    @property
    def near(self) -> NDArray[np.bool_]:
        """``(n_targets,)`` whether Pd counts each target: a kept detection of its own is near."""
        found = self.output.found.get("distance")
        return np.zeros(len(self.targets), dtype=bool) if found is None else found

    @cached_property
    def errors(self) -> Errors:
        """What became of each target and kept detection."""
        distance_px = self.output.protocol.distance_px
        return classify_errors(self.kept, self.targets, self.kept_hit_by, distance_px)
