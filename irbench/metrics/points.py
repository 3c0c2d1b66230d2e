"""Probability of detection, false-alarm rate and alarms per frame, by centroid distance.

Every kept detection is one component, never merged with another. A component is
known by its identity: that its area equals a hit's says nothing about it, except
under the old rule kept as ``fa_legacy``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UnknownNameError
from irbench.metrics.metric import TOOLKIT, Metric, fraction
from irbench.metrics.packed_components import PackedComponents
from irbench.metrics.point_matching import (
    DISTANCE_PX,
    packed_by_assignment,
    packed_in_raster_order,
)
from irbench.metrics.value import NO_IMAGES, NO_TARGETS
from irbench.metrics.weighted import Ratio

_BASICIRSTD = "BasicIRSTD, metrics.py, as of 2024"
_KUHN = "H. W. Kuhn, Naval Research Logistics Quarterly 2, 1955"

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

    @property
    def n_images(self) -> int:
        """Number of images."""
        return len(self.targets)


def count_points(
    found: PackedComponents,
    targets: PackedComponents,
    n_pixels: NDArray[np.int64],
    matching: PointMatching = "raster",
    distance_px: float = DISTANCE_PX,
) -> PointCounts:
    """Match the kept detections and the targets of every image, and count.

    Parameters
    ----------
    found, targets : PackedComponents
        Kept detections and targets of the same images.
    n_pixels : (n_images,) ndarray of int64
        Size of each image.
    matching : {"raster", "hungarian"}
        BasicIRSTD's, or the assignment of
        :func:`~irbench.metrics.point_matching.match_by_assignment`.
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
    match = packed_in_raster_order if matching == "raster" else packed_by_assignment
    used = match(found, targets, distance_px)[0]
    false = np.ones(len(found), dtype=bool)
    false[used] = False
    # One number for each area on each image.
    areas = found.image * (found.areas.max(initial=0) + 1) + found.areas
    legacy = ~np.isin(areas, areas[used])

    def components(which: NDArray[Any]) -> NDArray[np.int64]:
        return np.bincount(found.image[which], minlength=found.n_images)

    def pixels(which: NDArray[Any]) -> NDArray[np.int64]:
        sums = np.bincount(found.image[which], found.areas[which], found.n_images)
        return sums.astype(np.int64)

    return PointCounts(
        hits=components(used),
        targets=np.diff(targets.offsets),
        false_components=components(false),
        false_pixels=pixels(false),
        legacy_false_pixels=pixels(legacy),
        pixels=n_pixels,
    )


def _false_alarm(
    name: str, title: str, pixels: str, reference: str, description: str, **more: Any
) -> Metric:
    return Metric(
        name=name,
        title=title,
        kind="points",
        higher_is_better=False,
        # Filled boxes may overlap, and each is counted whole: 1 is no bound.
        bounds=(0.0, math.inf),
        unit="10⁻⁶",
        scale=1e6,
        decimals=2,
        reference=reference,
        description=description,
        form=lambda counts: Ratio(getattr(counts, pixels), counts.pixels),
        reason=NO_IMAGES,
        clause="distance",
        **more,
    )


def _detection(name: str, title: str, reference: str, description: str, **more: Any) -> Metric:
    return fraction(
        name,
        title,
        "points",
        reference,
        description,
        formula="matched targets / targets",
        form=lambda counts: Ratio(counts.hits, counts.targets),
        reason=NO_TARGETS,
        clause="distance",
        **more,
    )


pd = _detection(
    "pd",
    "Pd",
    _BASICIRSTD,
    "Targets with a component of their own whose centroid is less than 3 px away.",
    dialect="raster order",
    equals=TOOLKIT,
    needs="points",
)

fa = _false_alarm(
    "fa",
    "Fa",
    "false_pixels",
    _BASICIRSTD,
    "Pixels of unmatched components, each component counted once, of all pixels.",
    formula="Σ area of unmatched components / Σ pixels of all images",
    dialect="raster order",
    equals=TOOLKIT,
    needs="points",
)

# Only to compare with published tables of before 2024.
fa_legacy = _false_alarm(
    "fa_legacy",
    "Fa (area-value rule)",
    "legacy_false_pixels",
    "BasicIRSTD and DNANet, metrics.py, before 2024",
    "As Fa, but a component as large as any matched one of its image is never counted.",
    formula="as Fa, over components whose area no matched one of the image has",
    dialect="area value",
    needs="points",
)

pd_hungarian = _detection(
    "pd_hungarian",
    "Pd (Hungarian)",
    _KUHN,
    "As Pd, with the assignment that has most pairs under 3 px, then least distance.",
    dialect="hungarian",
    equals="SciPy 1.17 maximum_bipartite_matching, exactly",
    needs="hungarian",
)

fa_hungarian = _false_alarm(
    "fa_hungarian",
    "Fa (Hungarian)",
    "false_pixels",
    _KUHN,
    "As Fa, with the assignment that has most pairs under 3 px, then least distance.",
    formula="Σ area of unmatched components / Σ pixels of all images",
    dialect="hungarian",
    needs="hungarian",
)


def _alarms(name: str, title: str, description: str, **more: Any) -> Metric:
    return Metric(
        name=name,
        title=title,
        kind="points",
        higher_is_better=False,
        bounds=(0.0, math.inf),
        decimals=3,
        description=description,
        needs="points",
        clause="distance",
        **more,
    )


alarms_per_frame = _alarms(
    "alarms_per_frame",
    "Alarms/frame",
    "Kept detections without a target of their own, matched as for Fa, of a frame or image.",
    formula="unmatched components / images",
    form=lambda counts: Ratio(counts.false_components, np.ones(counts.n_images, np.int64)),
    reason=NO_IMAGES,
)

alarms_free = _alarms(
    "alarms_free",
    "Alarms/free frame",
    "Kept detections of a frame, over the frames without any target.",
    formula="components on images without targets / such images",
    form=lambda counts: Ratio(
        counts.false_components * (counts.targets == 0), (counts.targets == 0).astype(np.int64)
    ),
    reason="no image without targets",
)

METRICS = (pd, fa, fa_legacy, pd_hungarian, fa_hungarian, alarms_per_frame, alarms_free)
