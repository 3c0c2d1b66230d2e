"""Pd against Fa: what a method reaches at every threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections
from irbench.ground_truth import GroundTruth
from irbench.metrics.components import components_of
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
    scores: list[NDArray[np.float64]] = [np.zeros(0)]
    steps: list[NDArray[np.float64]] = [np.zeros((0, 2))]
    for found, truth in zip(images, truths, strict=True):
        if len(found):
            own = found.scores.astype(np.float64)
            scores.append(own)
            steps.append(_steps(found, own, truth, distance_px))
    all_scores, all_steps = np.concatenate(scores), np.concatenate(steps)
    order = np.argsort(-all_scores, kind="stable")
    ranked = all_scores[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)[: len(ranked)])
    hits, false_pixels = np.cumsum(all_steps[order], axis=0)[last].T
    n_targets = sum(len(truth.boxes) for truth in truths)
    n_pixels = max(sum(truth.n_pixels for truth in truths), 1)
    pd = hits / n_targets if n_targets else np.full(len(hits), np.nan)
    return PointCurve(ranked[last], pd, false_pixels / n_pixels)


def _steps(
    found: Detections, scores: NDArray[np.float64], truth: GroundTruth, distance_px: float
) -> NDArray[np.float64]:
    """``(N, 2)``: by how much hits and false pixels change when each detection enters.

    Of equal scores the last to enter has the change of all of them.
    """
    components = components_of(found.boxes, found.regions, truth)
    targets = components_of(truth.boxes, truth.targets, truth)
    steps = np.zeros((len(found), 2))
    steps[:, 1] = components.areas
    gaps = components.centroids[:, None] - targets.centroids[None]
    near = np.flatnonzero((np.hypot(gaps[..., 0], gaps[..., 1]) <= distance_px).any(axis=1))
    hits = matched_area = 0.0
    for threshold in np.unique(scores[near])[::-1]:
        kept = near[scores[near] >= threshold]
        chosen = components.take(kept)
        match = match_in_raster_order(chosen, targets, distance_px)
        used = match[match >= 0]
        area = float(chosen.areas[used].sum())
        entering = kept[scores[kept] == threshold][-1]
        steps[entering] += (len(used) - hits, matched_area - area)
        hits, matched_area = float(len(used)), area
    return steps
