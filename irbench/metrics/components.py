"""Components: what the point metrics see of detections and targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from irbench.detections.boxes import Shape, filled_area, filled_first_pixel
from irbench.detections.regions import Regions
from irbench.errors import DetectionsError

if TYPE_CHECKING:
    from irbench.ground_truth import GroundTruth


@dataclass(frozen=True, eq=False)
class Components:
    """What the point metrics see of the detections, or of the targets, of one image.

    Parameters
    ----------
    centroids : (N, 2) array_like of float
        ``(x, y)`` in pixels.
    areas : (N,) array_like of int
        In pixels.
    first_pixels : (N,) array_like of int
        Raster index of the first pixel of each.

    Raises
    ------
    DetectionsError
        For wrong shapes, centroids that are not finite, areas that are no counts.
    """

    centroids: NDArray[np.float64]
    areas: NDArray[np.int64]
    first_pixels: NDArray[np.int64]

    def __post_init__(self) -> None:
        centroids = np.asarray(self.centroids, dtype=np.float64)
        centroids = centroids.reshape(0, 2) if centroids.size == 0 else centroids
        if centroids.ndim != 2 or centroids.shape[1] != 2:
            raise DetectionsError(f"centroids must have shape (N, 2), got {centroids.shape}.")
        if not np.isfinite(centroids).all():
            index = int(np.argmin(np.isfinite(centroids).all(axis=1)))
            raise DetectionsError(
                f"centroids[{index}] must be finite, got {centroids[index].tolist()}."
            )
        object.__setattr__(self, "centroids", centroids)
        for name in ("areas", "first_pixels"):
            object.__setattr__(self, name, _counts(name, getattr(self, name), len(centroids)))

    @classmethod
    def from_regions(cls, regions: Regions) -> Components:
        """The components that the regions of detections, or of a mask, are."""
        return cls(regions.centroids, regions.areas, regions.first_pixels)

    @classmethod
    def from_boxes(cls, boxes: ArrayLike, shape: Shape) -> Components:
        """The components that filled boxes are.

        Parameters
        ----------
        boxes : (N, 4) array_like
            ``(x0, y0, x1, y1)`` in pixels, half-open.
        shape : (int, int)
            Height and width of the image. Areas are of the part inside it.
        """
        corners = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
        # Pixel x covers [x, x + 1), so the pixels of a half-open box are centred half lower.
        centroids = (corners[:, :2] + corners[:, 2:] - 1) / 2
        return cls(centroids, filled_area(corners, shape), filled_first_pixel(corners, shape))

    def __len__(self) -> int:
        return len(self.areas)

    def take(self, indices: NDArray[Any] | Sequence[int]) -> Components:
        """The chosen components, in the order of ``indices``."""
        chosen = np.asarray(indices, dtype=np.int64)
        return Components(self.centroids[chosen], self.areas[chosen], self.first_pixels[chosen])

    # One matching after another asks for it.
    @cached_property
    def raster_order(self) -> NDArray[np.int64]:
        """``(N,)`` indices in raster order of the first pixel; equal ones by x, y and area."""
        # Filled boxes may share their first pixel; the order of a list must not decide.
        x, y = self.centroids.T
        order = np.lexsort((self.areas, y, x, self.first_pixels))
        order.setflags(write=False)
        return order


def _counts(name: str, values: Any, n: int) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.shape != (n,):
        raise DetectionsError(
            f"{name} must have shape ({n},) as there are {n} centroids, got {array.shape}."
        )
    counts = array.astype(np.int64)
    bad = (counts != array) | (counts < 0)
    if bad.any():
        index = int(np.argmax(bad))
        raise DetectionsError(f"{name}[{index}] must be a whole number, got {array[index]}.")
    return counts


def components_of(boxes: Any, regions: Regions | None, truth: GroundTruth) -> Components:
    """What the point metrics see: regions as they are, boxes filled."""
    if regions is not None:
        return Components.from_regions(regions)
    return Components.from_boxes(boxes, truth.shape)
