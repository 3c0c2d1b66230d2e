"""What is true of one image, without its pixels: enough to score, small enough to keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from irbench.dataset import Sample
from irbench.detections import box_areas, box_centroids
from irbench.detections.boxes import no_boxes
from irbench.detections.regions import Regions


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """The targets of one image.

    Attributes
    ----------
    id : str
    shape : (int, int)
        Height and width.
    boxes : (N, 4) ndarray of float32
        Half-open, in pixels.
    targets : Regions or None
        The pixels of each target, in the order of ``boxes``; None for box labels.
    ignored : (K, 4) ndarray of float32
        Boxes in which a detection that hits no target is no false alarm.
    """

    id: str
    shape: tuple[int, int]
    boxes: NDArray[np.float32]
    targets: Regions | None
    ignored: NDArray[np.float32] = field(default_factory=no_boxes)

    @classmethod
    def of(cls, sample: Sample) -> GroundTruth:
        """The ground truth of a sample."""
        return cls(sample.id, sample.shape, sample.boxes, sample.targets, sample.ignored)

    @property
    def n_pixels(self) -> int:
        """Number of pixels of the image."""
        return self.shape[0] * self.shape[1]

    @property
    def centroids(self) -> NDArray[np.float64]:
        """``(N, 2)`` centroids ``(x, y)`` of the targets; box centres for box labels."""
        if self.targets is not None:
            return self.targets.centroids
        return box_centroids(self.boxes)

    @property
    def areas(self) -> NDArray[np.float64]:
        """``(N,)`` areas of the targets in pixels; of the boxes for box labels."""
        if self.targets is not None:
            return self.targets.areas.astype(np.float64)
        return box_areas(self.boxes)


def ground_truths(samples: Iterable[Sample]) -> list[GroundTruth]:
    """The ground truth of each sample, in their order."""
    return [GroundTruth.of(sample) for sample in samples]
