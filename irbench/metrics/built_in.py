"""The metrics that irbench brings, in the order of a results table."""

from __future__ import annotations

import math
from collections.abc import Mapping

from irbench.metrics import (
    average_precision,
    counting,
    hierarchical_iou,
    pixels,
    point_average_precision,
    points,
    yolo_average_precision,
)
from irbench.metrics.map_statistics import MAP_METRICS
from irbench.metrics.metric import Metric, MetricDefinition


def _cost(
    name: str, title: str, higher: bool, unit: str, scale: float, decimals: int, description: str
) -> MetricDefinition:
    return MetricDefinition(
        name=name,
        title=title,
        kind="cost",
        higher_is_better=higher,
        bounds=(0.0, math.inf),
        unit=unit,
        scale=scale,
        decimals=decimals,
        description=description,
    )


_MEASURED: tuple[Metric, ...] = (
    *counting.METRICS,
    *average_precision.METRICS,
    *yolo_average_precision.METRICS,
    *points.METRICS,
    *point_average_precision.METRICS,
    *pixels.METRICS,
    *hierarchical_iou.METRICS,
    *MAP_METRICS.values(),
    *yolo_average_precision.LATER,
    *pixels.LATER,
)

_NOT_MEASURED = (
    _cost("params", "Params", False, "M", 1e-6, 2, "Learned parameters of the network."),
    _cost("flops", "FLOPs", False, "G", 1e-9, 2, "Twice the multiply-accumulates of one image."),
    _cost("fps", "FPS", True, "1/s", 1.0, 1, "Images per second, end to end."),
    _cost("ms_median", "Time", False, "ms", 1.0, 2, "Median time per image, end to end."),
    MetricDefinition(
        name="threshold",
        title="Threshold",
        kind="setting",
        higher_is_better=None,
        bounds=(-math.inf, math.inf),
        decimals=3,
        description="The operating point: a detection is kept where its score is at least this.",
    ),
)

BUILT_IN: Mapping[str, MetricDefinition] = {
    metric.name: metric for metric in (*_MEASURED, *_NOT_MEASURED)
}
"""By name. Costs and settings, the last ones, have no form."""
