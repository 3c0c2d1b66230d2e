"""The definitions of all metrics.

Tables, bold face and the regression gate read direction, bounds and format from
:data:`METRICS`; none of them names a metric itself.
"""

from __future__ import annotations

import math

from irbench.errors import UnknownNameError
from irbench.metrics.box_definitions import BOX_DEFINITIONS
from irbench.metrics.map_definitions import MAP_DEFINITIONS
from irbench.metrics.metric import MetricDefinition, fraction

__all__ = ["METRICS", "MetricDefinition", "get_metric"]

_BASICIRSTD = "BasicIRSTD, metrics.py, as of 2024"
_KUHN = "H. W. Kuhn, Naval Research Logistics Quarterly 2, 1955"
_HIOU = "Y. Pang et al., NeurIPS 2025, arXiv:2509.16888"
_TOOLKIT = "PyIRSTDMetrics 1.0.2, to 1e-9"


def _false_alarm(
    name: str, title: str, reference: str, description: str, **more: str
) -> MetricDefinition:
    return MetricDefinition(
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
        **more,
    )


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
        reference="",
        description=description,
    )


_DEFINITIONS = (
    *BOX_DEFINITIONS,
    fraction(
        "pd",
        "Pd",
        "points",
        _BASICIRSTD,
        "Targets with a component of their own whose centroid is less than 3 px away.",
        formula="matched targets / targets",
        dialect="raster order",
        equals=_TOOLKIT,
    ),
    _false_alarm(
        "fa",
        "Fa",
        _BASICIRSTD,
        "Pixels of unmatched components, each component counted once, of all pixels.",
        formula="Σ area of unmatched components / Σ pixels of all images",
        dialect="raster order",
        equals=_TOOLKIT,
    ),
    _false_alarm(
        "fa_legacy",
        "Fa (area-value rule)",
        "BasicIRSTD and DNANet, metrics.py, before 2024",
        "As Fa, but a component as large as any matched one of its image is never counted.",
        formula="as Fa, over components whose area no matched one of the image has",
        dialect="area value",
    ),
    fraction(
        "pd_hungarian",
        "Pd (Hungarian)",
        "points",
        _KUHN,
        "As Pd, with the assignment that has most pairs under 3 px, then least distance.",
        formula="matched targets / targets",
        dialect="hungarian",
        equals="SciPy 1.17 maximum_bipartite_matching, exactly",
    ),
    _false_alarm(
        "fa_hungarian",
        "Fa (Hungarian)",
        _KUHN,
        "As Fa, with the assignment that has most pairs under 3 px, then least distance.",
        formula="Σ area of unmatched components / Σ pixels of all images",
        dialect="hungarian",
    ),
    fraction(
        "ap_point",
        "AP (centroids)",
        "points",
        "COCO's estimator; hits by the distance of BasicIRSTD",
        "Average precision where a hit is a centroid less than 3 px from a free target.",
        formula="as mAP@50, with the nearest free target instead of that of greatest IoU",
        dialect="coco-101",
    ),
    fraction(
        "iou",
        "IoU",
        "pixels",
        "Y. Dai et al., WACV 2021",
        "Foreground intersection over union, both summed over the whole set.",
        formula="Σ |kept ∩ mask| / Σ |kept ∪ mask|",
        equals=_TOOLKIT,
    ),
    fraction(
        "niou",
        "nIoU",
        "pixels",
        "Y. Dai et al., WACV 2021",
        "Mean over images of the foreground IoU of each; 1 where both masks are empty.",
        formula="mean of |kept ∩ mask| / |kept ∪ mask|",
        equals=f"{_TOOLKIT}, but where both masks are empty: 0 there",
    ),
    fraction(
        "pixel_recall",
        "Pixel recall",
        "pixels",
        "",
        "Target pixels that a kept region covers, of all target pixels.",
        formula="Σ |kept ∩ mask| / Σ |mask|",
        equals=_TOOLKIT,
    ),
    fraction(
        "hiou",
        "hIoU",
        "pixels",
        _HIOU,
        "Mean IoU of the regions paired with a target, times pairs over pairs, FP and FN.",
        formula="(Σ IoU of pairs / TP) · TP / (TP + FP + FN)",
        dialect="unpadded",
        equals=f"{_TOOLKIT}, where every image has a target and a kept region",
    ),
    fraction(
        "hiou_segmentation",
        "hIoU, segmentation",
        "pixels",
        _HIOU,
        "Mean IoU of the regions paired with a target, the first factor of hIoU.",
        formula="Σ IoU of pairs / TP",
        equals=_TOOLKIT,
    ),
    fraction(
        "hiou_localisation",
        "hIoU, localisation",
        "pixels",
        _HIOU,
        "Pairs of regions and targets over pairs, FP and FN, the second factor of hIoU.",
        formula="TP / (TP + FP + FN)",
        dialect="unpadded",
        equals=f"{_TOOLKIT}, where every image has a target and a kept region",
    ),
    fraction(
        "hiou_toolkit",
        "hIoU (PyIRSTDMetrics)",
        "pixels",
        f"{_HIOU}; PyIRSTDMetrics 1.0.2",
        "As hIoU, with one FN for each image without targets and one FP for each without regions.",
        formula="(Σ IoU of pairs / TP) · TP / (TP + FP + FN)",
        dialect="pyirstdmetrics",
        equals=_TOOLKIT,
    ),
    *MAP_DEFINITIONS,
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
        unit="",
        scale=1.0,
        decimals=3,
        reference="",
        description="The operating point: a detection is kept where its score is at least this.",
    ),
)

METRICS: dict[str, MetricDefinition] = {metric.name: metric for metric in _DEFINITIONS}
"""Every metric by name, in the order of a results table."""


def get_metric(name: str) -> MetricDefinition:
    """The definition of the metric called ``name``.

    Raises
    ------
    UnknownNameError
    """
    if name not in METRICS:
        raise UnknownNameError("metric", name, METRICS)
    return METRICS[name]
