"""Targets and detections of a whole set of images, end to end in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections
from irbench.detections.boxes import no_boxes
from irbench.detections.packed_detections import PackedDetections
from irbench.ground_truth import GroundTruth
from irbench.metrics.detection_order import rank_detections
from irbench.metrics.packed_components import PackedComponents
from irbench.ragged_arrays import inverse_permutation


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes on a set of images: those of the first image, then of the second, and so on.

    Attributes
    ----------
    counts : (n_images,) ndarray of int64
        Boxes of each image.
    boxes : (N, 4) ndarray of float64
        Half-open, in pixels.
    scores : (N,) ndarray of float64
        Of detections, which stand within their image in order of (score descending, x0,
        y0, x1, y1); 0 for targets.
    """

    counts: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.boxes)

    @cached_property
    def image(self) -> NDArray[np.int64]:
        """``(N,)`` index of the image of each."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


@dataclass(frozen=True, eq=False)
class Objects(Boxes):
    """Targets, or detections, as the point metrics see them too.

    Attributes
    ----------
    counts, boxes, scores
        See :class:`Boxes`.
    centroids : (N, 2) ndarray of float64
        Of the region, else of the filled box.
    areas : (N,) ndarray of float64
        In pixels: of the region, else of the box.
    raster_place : (N,) ndarray of int64
        Place of each within its image in raster order of the first pixel.
    """

    centroids: NDArray[np.float64]
    areas: NDArray[np.float64]
    raster_place: NDArray[np.int64]


def target_objects(truths: Sequence[GroundTruth]) -> Objects:
    """The targets of a set of images, in their order."""
    boxes = np.concatenate([no_boxes(), *(truth.boxes for truth in truths)]).astype(np.float64)
    areas = np.concatenate([np.zeros(0), *(truth.areas for truth in truths)])
    components = PackedComponents.of_truths(truths)
    return _objects(components, boxes, np.zeros(len(boxes)), areas, np.arange(len(boxes)))


def detection_boxes(found: Sequence[Detections]) -> Boxes:
    """The boxes of the detections of a set of images, best score first within each."""
    packed = PackedDetections.packed(found)
    boxes, scores = packed.boxes.astype(np.float64), packed.scores.astype(np.float64)
    counts = np.diff(packed.offsets)
    order = rank_detections(np.repeat(np.arange(len(counts)), counts), scores, boxes)
    return Boxes(counts, boxes[order], scores[order])


def detection_objects(found: Sequence[Detections], truths: Sequence[GroundTruth]) -> Objects:
    """The detections of a set of images, best score first within each.

    Parameters
    ----------
    found : sequence of Detections
        One of each image.
    truths : sequence of GroundTruth
        As many, in the same order.
    """
    packed = PackedDetections.packed(found)
    components = PackedComponents.of_detections(packed, truths)
    boxes, scores = packed.boxes.astype(np.float64), packed.scores.astype(np.float64)
    order = rank_detections(components.image, scores, boxes)
    return _objects(components, boxes, scores, packed.areas, order)


def _objects(
    components: PackedComponents,
    boxes: NDArray[np.float64],
    scores: NDArray[np.float64],
    areas: NDArray[np.float64],
    order: NDArray[np.int64],
) -> Objects:
    """Objects in an ``order`` that leaves those of an image together."""
    x, y = components.centroids[order].T
    first_pixels, n_pixels = components.first_pixels[order], components.areas[order]
    # The order keeps the images, so that each position still has the image that it had.
    raster = np.lexsort((n_pixels, y, x, first_pixels, components.image))
    return Objects(
        counts=np.diff(components.offsets),
        boxes=boxes[order],
        scores=scores[order],
        centroids=components.centroids[order],
        areas=areas[order],
        raster_place=inverse_permutation(raster) - components.offsets[components.image],
    )
