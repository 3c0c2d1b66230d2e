"""Pd against Fa: what a method reaches at every threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections
from irbench.detections.packed_detections import PackedDetections
from irbench.ground_truth import GroundTruth
from irbench.metrics.packed_components import PackedComponents, near_pairs, without_rivals
from irbench.metrics.point_matching import match_in_raster_order


@dataclass(frozen=True, eq=False)
class PointCurve:
    """Pd and Fa at every threshold.

    Attributes
    ----------
    thresholds : (n_points,) ndarray of float64
        The distinct scores, descending; a point keeps ``score >= threshold``.
    pd, fa : (n_points,) ndarray of float64
        Fractions of targets and of pixels; ``pd`` is NaN without targets.
    """

    thresholds: NDArray[np.float64]
    pd: NDArray[np.float64]
    fa: NDArray[np.float64]


def point_curve(
    images: Sequence[Detections], truths: Sequence[GroundTruth], distance_px: float
) -> PointCurve:
    """Pd against Fa over all thresholds, at each as the metrics ``pd`` and ``fa`` count.

    Parameters
    ----------
    images : sequence of Detections
        Of each image, those that count.
    truths : sequence of GroundTruth
        As many, in the same order.
    distance_px : float
        Centroids must be nearer than this.

    Returns
    -------
    PointCurve

    Notes
    -----
    Matching at a threshold depends only on the kept components near a target, which are
    few: only when one of these enters is an image matched again.
    """
    packed = PackedDetections.packed(images)
    all_scores = packed.scores.astype(np.float64)
    components = PackedComponents.of_detections(packed, truths)
    all_steps = _steps(components, all_scores, PackedComponents.of_truths(truths), distance_px)
    order = np.argsort(-all_scores, kind="stable")
    ranked = all_scores[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)[: len(ranked)])
    hits, false_pixels = np.cumsum(all_steps[order], axis=0)[last].T
    n_targets = sum(len(truth.boxes) for truth in truths)
    n_pixels = max(sum(truth.n_pixels for truth in truths), 1)
    pd = hits / n_targets if n_targets else np.full(len(hits), np.nan)
    return PointCurve(ranked[last], pd, false_pixels / n_pixels)


def _steps(
    found: PackedComponents,
    scores: NDArray[np.float64],
    targets: PackedComponents,
    distance_px: float,
) -> NDArray[np.float64]:
    """``(N, 2)``: by how much hits and false pixels change when each detection enters.

    Of equal scores of an image the last to enter has the change of all of them.
    """
    steps = np.zeros((len(found), 2))
    steps[:, 1] = found.areas
    pairs = near_pairs(found, targets, distance_px)
    alone, contested = without_rivals(found, pairs)
    steps[pairs.found[alone], 0] = 1
    steps[pairs.found[alone], 1] = 0
    rows = np.unique(pairs.found[~alone])
    # The rows of an image stand together.
    ends = np.searchsorted(rows, found.offsets)
    for image in contested.tolist():
        start = found.offsets[image]
        own, its_targets = found.of_image(image), targets.of_image(image)
        near = rows[ends[image] : ends[image + 1]] - start
        its_scores = scores[start + near]
        hits = matched_area = 0.0
        for threshold in np.unique(its_scores)[::-1]:
            kept = near[its_scores >= threshold]
            chosen = own.take(kept)
            match = match_in_raster_order(chosen, its_targets, distance_px)
            used = match[match >= 0]
            area = float(chosen.areas[used].sum())
            entering = start + near[its_scores == threshold][-1]
            steps[entering] += (len(used) - hits, matched_area - area)
            hits, matched_area = float(len(used)), area
    return steps
