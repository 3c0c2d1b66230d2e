"""What is recorded of an image, and of the time it took."""

from __future__ import annotations

from dataclasses import dataclass

from irbench.detections import Detections
from irbench.metrics.map_statistics import MapStatistics


@dataclass(frozen=True)
class StageTimes:
    """Milliseconds that an image took, by stage."""

    pre_ms: float
    compute_ms: float
    post_ms: float


@dataclass(frozen=True)
class TimingOutcome:
    """What the timing pass measured, image by image."""

    times: dict[str, StageTimes]
    peak_memory_bytes: int | None


@dataclass(frozen=True, eq=False)
class ImageRecord:
    """What is recorded of one image.

    Attributes
    ----------
    split, image : str
    found : dict of (float or None) to Detections
        By extent; None where the conversion has none. Empty for a failed image.
    times : StageTimes or None
    error : str
        Empty for an image that is done.
    map_statistics : MapStatistics or None
        Of the method's score map, on the tested split of data with masks.
    """

    split: str
    image: str
    found: dict[float | None, Detections]
    times: StageTimes | None = None
    error: str = ""
    map_statistics: MapStatistics | None = None
