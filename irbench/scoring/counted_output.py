"""Matches and counts of what a method found, as the metrics take them.

What of it counts, and why some counts are missing, :mod:`irbench.scoring.scored_output` decides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from irbench.detections import Detections
from irbench.detections.packed_detections import PackedDetections
from irbench.ground_truth import GroundTruth
from irbench.metrics import hierarchical_iou, pixels, point_average_precision, points
from irbench.metrics.definition import own_countings
from irbench.metrics.map_statistics import STANDARDISED, MapCounts, MapStatistics, constant_map
from irbench.metrics.match_table import MatchTable
from irbench.metrics.matching import match_detections
from irbench.metrics.own_counts import REQUIRED_PARTS, OwnParts
from irbench.metrics.packed_components import PackedComponents
from irbench.metrics.pooled_maps import PooledMaps, check_images
from irbench.protocol import Protocol

_BLOCK_IMAGES = 512


def match_images(
    found: Sequence[Detections],
    truths: Sequence[GroundTruth],
    protocol: Protocol,
    iou_thresholds: Sequence[float] | None = None,
) -> MatchTable:
    """The match table of detections with the ground truth, image by image.

    Parameters
    ----------
    found : sequence of Detections
    truths : sequence of GroundTruth
        As many, in the same order.
    protocol : Protocol
    iou_thresholds : sequence of float, optional
        By default the protocol's one.
    """
    packed = PackedDetections.packed(found)
    return match_detections(
        packed.boxes_per_image,
        packed.scores_per_image,
        [truth.boxes for truth in truths],
        (protocol.iou_threshold,) if iou_thresholds is None else iou_thresholds,
        protocol.max_detections,
    )


def rank_points(
    found: PackedDetections, truths: Sequence[GroundTruth], distance_px: float
) -> MatchTable:
    """Matches of centroids over all scores."""
    return point_average_precision.match_points(
        PackedComponents.of_detections(found, truths),
        found.scores.astype(np.float64),
        PackedComponents.of_truths(truths),
        distance_px,
    )


def count_kept(
    found: PackedDetections,
    truths: Sequence[GroundTruth],
    threshold: float,
    distance_px: float,
    with_regions: bool,
) -> dict[str, Any]:
    """The counts of what is kept, by what they are of.

    Some images at a time: every target is compared with every kept region.
    """
    blocks: dict[str, list[Any]] = {}
    for first in range(0, max(len(truths), 1), _BLOCK_IMAGES):
        images = range(len(truths))[first : first + _BLOCK_IMAGES]
        own = truths[first : first + _BLOCK_IMAGES]
        kept = PackedComponents.of_detections(found.take(images).above(threshold), own)
        targets = PackedComponents.of_truths(own)
        n_pixels = np.array([math.prod(truth.shape) for truth in own], dtype=np.int64)
        counted: dict[str, Any] = {
            "points": points.count_points(kept, targets, n_pixels, "raster", distance_px),
            "hungarian": points.count_points(kept, targets, n_pixels, "hungarian", distance_px),
        }
        if with_regions:
            counted["pixels"] = pixels.count_packed_pixels(kept, targets)
            counted["regions"] = hierarchical_iou.count_hierarchical(
                kept, targets, distance_px=distance_px
            )
        for name, counts in counted.items():
            blocks.setdefault(name, []).append(counts)
    return {name: _joined(some) for name, some in blocks.items()}


def count_own(
    found: PackedDetections,
    truths: Sequence[GroundTruth],
    protocol: Protocol,
    threshold: float | None,
    missing: Mapping[str, str],
    maps: Mapping[str, MapStatistics] | PooledMaps | None,
) -> OwnParts:
    """What metrics of plug-ins count themselves, missing where irbench's own counts are."""
    own = OwnParts()
    of_all, of_kept = [], []
    for counting in own_countings():
        if (reason := missing.get(REQUIRED_PARTS.get(counting.of, ""))) is not None:
            own.missing[counting.key] = reason
        elif counting.of == "detections":
            of_all.append(counting)
        elif counting.of != "score map":
            of_kept.append(counting)
        elif isinstance(maps, Mapping):
            own.collect_maps(counting, maps, [truth.id for truth in truths])
    own.count_detections(of_all, found, truths, protocol)
    if threshold is not None:
        kept = (one.above(threshold) for one in found)
        own.count_detections(of_kept, kept, truths, protocol)
    return own


def count_maps(
    statistics: Mapping[str, MapStatistics] | PooledMaps, truths: Sequence[GroundTruth]
) -> MapCounts:
    """The counts of score maps; an image without one has a map that is 0 everywhere."""
    if isinstance(statistics, PooledMaps):
        return statistics.counts(truths)
    check_images(statistics.keys(), truths)
    binning = next((one.binning for one in statistics.values()), STANDARDISED)
    images = []
    for truth in truths:
        assert truth.targets is not None
        one = statistics.get(truth.id)
        images.append(constant_map(truth.shape, truth.targets, binning) if one is None else one)
    return MapCounts.of(images)


def _joined(blocks: Sequence[Any]) -> Any:
    """Counts of each image, those of one block behind those of another."""
    columns = (
        np.concatenate([getattr(block, one.name) for block in blocks]) for one in fields(blocks[0])
    )
    return type(blocks[0])(*columns)
