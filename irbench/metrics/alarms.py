"""Alarms per frame: kept detections without a target of their own, as an engineer counts them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from irbench.metrics.metric import Metric
from irbench.metrics.points import PointCounts
from irbench.metrics.value import NO_IMAGES
from irbench.metrics.weighted import Ratio

NO_FREE_IMAGES = "no image without targets"


def _alarms(name: str, title: str, description: str, **more: Any) -> Metric:
    return Metric(
        name=name,
        title=title,
        kind="points",
        higher_is_better=False,
        bounds=(0.0, math.inf),
        unit="",
        scale=1.0,
        decimals=3,
        reference="",
        description=description,
        needs="points",
        clause="distance",
        **more,
    )


def _per_frame(counts: PointCounts) -> Ratio:
    return Ratio(counts.false_components, np.ones(counts.n_images, np.int64))


def _on_free_frames(counts: PointCounts) -> Ratio:
    free = counts.targets == 0
    return Ratio(counts.false_components * free, free.astype(np.int64))


alarms_per_frame = _alarms(
    "alarms_per_frame",
    "Alarms/frame",
    "Kept detections without a target of their own, matched as for Fa, of a frame or image.",
    formula="unmatched components / images",
    form=_per_frame,
    reason=NO_IMAGES,
)

alarms_free = _alarms(
    "alarms_free",
    "Alarms/free frame",
    "Kept detections of a frame, over the frames without any target.",
    formula="components on images without targets / such images",
    form=_on_free_frames,
    reason=NO_FREE_IMAGES,
)

METRICS = (alarms_per_frame, alarms_free)
