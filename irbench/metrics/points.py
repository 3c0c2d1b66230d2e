"""Probability of detection and false-alarm rate, by centroid distance.

Every kept detection is one component, never merged with another. A component is
known by its identity: that its area equals a hit's says nothing about it, except
under the old rule kept as :func:`fa_legacy`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from irbench.boxes import Shape
from irbench.errors import UnknownNameError
from irbench.metrics.components import Components
from irbench.metrics.point_matching import (
    DISTANCE_PX,
    match_by_assignment,
    match_in_raster_order,
)
from irbench.metrics.value import NO_IMAGES, NO_TARGETS, MetricValue, ratio, total

PointMatching = Literal["raster", "hungarian"]
POINT_MATCHINGS = ("raster", "hungarian")


@dataclass(frozen=True, eq=False)
class PointCounts:
    """Counts of each image, of which the point metrics are ratios.

    Attributes
    ----------
    hits, targets : (n_images,) ndarray of int64
        Targets with a component of their own, and all targets.
    false_components, false_pixels : (n_images,) ndarray of int64
        Components without a target, and the pixels in them.
    legacy_false_pixels : (n_images,) ndarray of int64
        Those of them in components whose area no matched component of the image has.
    pixels : (n_images,) ndarray of int64
        Size of the image.
    """

    hits: NDArray[np.int64]
    targets: NDArray[np.int64]
    false_components: NDArray[np.int64]
    false_pixels: NDArray[np.int64]
    legacy_false_pixels: NDArray[np.int64]
    pixels: NDArray[np.int64]


def count_points(
    images: Iterable[tuple[Components, Components, Shape]],
    matching: PointMatching = "raster",
    distance_px: float = DISTANCE_PX,
) -> PointCounts:
    """Match every image and count.

    Parameters
    ----------
    images : iterable of (Components, Components, (int, int))
        Kept detections, targets, and height and width of each image.
    matching : {"raster", "hungarian"}
        BasicIRSTD's, or the assignment of :func:`match_by_assignment`.
    distance_px : float

    Returns
    -------
    PointCounts

    Raises
    ------
    UnknownNameError
    """
    if matching not in POINT_MATCHINGS:
        raise UnknownNameError("point matching", matching, POINT_MATCHINGS)
    match = match_in_raster_order if matching == "raster" else match_by_assignment
    rows = []
    for components, targets, (height, width) in images:
        matched = match(components, targets, distance_px)
        used = matched[matched >= 0]
        false = np.ones(len(components), dtype=bool)
        false[used] = False
        # Few are used: all pairs are sooner compared than sorted.
        legacy = (components.areas[:, None] != components.areas[used]).all(axis=1)
        rows.append(
            (
                len(used),
                len(targets),
                int(false.sum()),
                int(components.areas[false].sum()),
                int(components.areas[legacy].sum()),
                height * width,
            )
        )
    columns = np.array(rows, dtype=np.int64).reshape(len(rows), len(fields(PointCounts))).T
    return PointCounts(*columns)


def pd(counts: PointCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """Probability of detection: targets that are hit, of all targets.

    Parameters
    ----------
    counts : PointCounts
    weights : (n_images,) array_like, optional
        How often each image counts.

    Returns
    -------
    MetricValue
        In [0, 1]; undefined without targets.
    """
    return ratio(total(counts.hits, weights), total(counts.targets, weights), NO_TARGETS)


def fa(counts: PointCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """False-alarm rate: pixels of unmatched components, of all pixels.

    Parameters
    ----------
    counts : PointCounts
    weights : (n_images,) array_like, optional
        How often each image counts.

    Returns
    -------
    MetricValue
        A fraction, printed in 10⁻⁶; undefined without images.
    """
    return ratio(total(counts.false_pixels, weights), total(counts.pixels, weights), NO_IMAGES)


def fa_legacy(counts: PointCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """False-alarm rate by area values, as published tables before 2024 have it.

    As :func:`fa`, but blind to every component whose area equals that of a
    matched component of its image. Only to compare with such tables.

    Parameters
    ----------
    counts : PointCounts
    weights : (n_images,) array_like, optional
        How often each image counts.

    Returns
    -------
    MetricValue
        A fraction, printed in 10⁻⁶; undefined without images.
    """
    pixels = total(counts.legacy_false_pixels, weights)
    return ratio(pixels, total(counts.pixels, weights), NO_IMAGES)
