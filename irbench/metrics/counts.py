"""What an evaluation counts in each image: all that the metrics are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np

from irbench.errors import MetricError
from irbench.metrics.clutter_suppression import Gains
from irbench.metrics.counting import BoxCounts
from irbench.metrics.hierarchical_iou import HierarchicalCounts
from irbench.metrics.image_counting import Counting, OwnCounts
from irbench.metrics.map_statistics import MapCounts
from irbench.metrics.match_table import MatchTable
from irbench.metrics.metric import MAP_PARTS, Metric
from irbench.metrics.pixel_roc import RocCounts
from irbench.metrics.pixels import PixelCounts
from irbench.metrics.points import PointCounts
from irbench.metrics.roc_3d import Roc3dCounts
from irbench.metrics.value import MetricValue

NOT_COUNTED = "what it is computed from was not counted"


@dataclass(frozen=True, eq=False, kw_only=True)
class Counts:
    """Counts of each image, by what they are of; None where an evaluation lacks them.

    Attributes
    ----------
    table : MatchTable or None
        Of boxes over all scores, at COCO's ten IoU thresholds.
    table30 : MatchTable or None
        The same at IoU 0.3.
    ranked_points : MatchTable or None
        Of centroids over all scores.
    boxes : BoxCounts or None
        Of the kept detections, as the following.
    points, hungarian : PointCounts or None
        Matched in raster order, and by the assignment.
    pixels : PixelCounts or None
    regions : HierarchicalCounts or None
    maps : MapCounts or None
        Of score maps.
    own : mapping of str to OwnCounts
        Of plug-ins, by the key of a counting.
    missing : mapping of str to str
        Why each of the attributes that are None, and of the keys that ``own`` lacks, is missing.
    failed : mapping of str to str
        Why a counting failed, by its key.
    """

    table: MatchTable | None = None
    table30: MatchTable | None = None
    ranked_points: MatchTable | None = None
    boxes: BoxCounts | None = None
    points: PointCounts | None = None
    hungarian: PointCounts | None = None
    pixels: PixelCounts | None = None
    regions: HierarchicalCounts | None = None
    maps: MapCounts | None = None
    own: Mapping[str, OwnCounts] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A form that wrote into them would change every metric that is computed after it.
        for one in fields(self):
            _lock(getattr(self, one.name))

    @property
    def roc(self) -> RocCounts | None:
        """Pixels of standardised score maps."""
        return None if self.maps is None else self.maps.roc

    @property
    def roc_3d(self) -> Roc3dCounts | None:
        """Pixels of normalised score maps."""
        return None if self.maps is None else self.maps.roc_3d

    @property
    def gains(self) -> Gains | None:
        """Gains of all targets."""
        return None if self.maps is None else self.maps.gains

    def of(self, metric: Metric) -> Any:
        """What a metric is computed from; None where it is missing.

        Raises
        ------
        MetricError
            If it is a counting that failed.
        """
        needs = metric.needs
        if not isinstance(needs, Counting):
            return getattr(self, needs)
        if needs.key in self.failed:
            raise MetricError(self.failed[needs.key])
        return self.own.get(needs.key)

    def has(self, metric: Metric) -> bool:
        """Whether a metric can be computed, and resampled, or fails to be."""
        needs = metric.needs
        if isinstance(needs, Counting):
            return needs.key in self.own or needs.key in self.failed
        return getattr(self, needs) is not None

    def value(self, metric: Metric) -> MetricValue:
        """The value of a metric; undefined, with the reason, where what it needs is missing.

        Raises
        ------
        MetricError
            If its counting or its form failed.
        """
        counted = self.of(metric)
        if counted is not None:
            return metric(counted)
        part = "maps" if metric.needs in MAP_PARTS else metric.part
        return MetricValue(None, self.missing.get(part, NOT_COUNTED))


def _lock(part: Any) -> None:
    """Make the arrays of a part read-only."""
    if isinstance(part, np.ndarray):
        part.flags.writeable = False
    elif isinstance(part, tuple):
        for member in part:
            _lock(member)
    elif isinstance(part, Mapping):
        _lock(tuple(part.values()))
    elif is_dataclass(part):
        for one in fields(part):
            _lock(getattr(part, one.name))
