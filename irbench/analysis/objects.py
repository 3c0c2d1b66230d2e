"""Targets and detections of a whole set of images, end to end in arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections, box_areas
from irbench.detections.regions import Regions
from irbench.ground_truth import GroundTruth
from irbench.metrics.components import components_of


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
    return _join(
        [(truth.boxes, np.zeros(len(truth.boxes)), truth.targets) for truth in truths], truths
    )


def detection_boxes(found: Sequence[Detections]) -> Boxes:
    """The boxes of the detections of a set of images, best score first within each."""
    counts = np.array([len(one) for one in found], dtype=np.int64)
    image = np.repeat(np.arange(len(found)), counts)
    boxes = np.concatenate([np.zeros((0, 4), np.float32), *(one.boxes for one in found)])
    scores = np.concatenate([np.zeros(0, np.float32), *(one.scores for one in found)])
    x0, y0, x1, y1 = boxes.T
    order = np.lexsort((y1, x1, y0, x0, -scores, image))
    return Boxes(counts, boxes[order].astype(np.float64), scores[order].astype(np.float64))


def detection_objects(found: Sequence[Detections], truths: Sequence[GroundTruth]) -> Objects:
    """The detections of a set of images, best score first within each.

    Parameters
    ----------
    found : sequence of Detections
        One of each image.
    truths : sequence of GroundTruth
        As many, in the same order.
    """
    parts = []
    for one in found:
        x0, y0, x1, y1 = one.boxes.T
        ranked = one.take(np.lexsort((y1, x1, y0, x0, -one.scores)))
        parts.append((ranked.boxes, ranked.scores, ranked.regions))
    return _join(parts, truths)


def _join(
    parts: Sequence[tuple[NDArray[np.float32], NDArray[np.floating], Regions | None]],
    truths: Sequence[GroundTruth],
) -> Objects:
    boxes, scores, centroids, areas, places = [], [], [], [], []
    for (box, score, regions), truth in zip(parts, truths, strict=True):
        components = components_of(box, regions, truth)
        place = np.empty(len(box), dtype=np.int64)
        place[components.raster_order] = np.arange(len(box))
        boxes.append(box.astype(np.float64))
        scores.append(score)
        centroids.append(components.centroids)
        areas.append(box_areas(box) if regions is None else regions.areas)
        places.append(place)
    return Objects(
        counts=np.array([len(part) for part in boxes], dtype=np.int64),
        boxes=np.concatenate([np.zeros((0, 4)), *boxes]),
        scores=np.concatenate([np.zeros(0), *scores]),
        centroids=np.concatenate([np.zeros((0, 2)), *centroids]),
        areas=np.concatenate([np.zeros(0), *areas]),
        raster_place=np.concatenate([np.zeros(0, np.int64), *places]),
    )
