"""The definitions of all metrics.

Tables, bold face and the regression gate read direction, bounds and format from
:data:`METRICS`; none of them names a metric itself.
"""

from __future__ import annotations

import math

from irbench.errors import UnknownNameError
from irbench.metrics.metric import MetricDefinition, MetricKind

__all__ = ["METRICS", "MetricDefinition", "get_metric"]

_PAPER = "LE-IRSTD, Eq."
_COCO = "COCO detection evaluation (T.-Y. Lin et al., ECCV 2014; pycocotools), maxDets 300"
_BASICIRSTD = "BasicIRSTD, metrics.py, as of 2024"


def _fraction(
    name: str, title: str, kind: MetricKind, reference: str, description: str
) -> MetricDefinition:
    return MetricDefinition(
        name=name,
        title=title,
        kind=kind,
        higher_is_better=True,
        bounds=(0.0, 1.0),
        unit="%",
        scale=100.0,
        decimals=2,
        reference=reference,
        description=description,
    )


def _false_alarm(name: str, title: str, reference: str, description: str) -> MetricDefinition:
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
    _fraction(
        "precision",
        "P",
        "boxes",
        f"{_PAPER} (19)",
        "Kept detections that are hits, of all kept detections.",
    ),
    _fraction(
        "recall",
        "R",
        "boxes",
        f"{_PAPER} (20)",
        "Targets that a kept detection hits, of all targets.",
    ),
    _fraction(
        "f1",
        "F1",
        "boxes",
        f"{_PAPER} (23)",
        "Harmonic mean of precision and recall.",
    ),
    _fraction(
        "map50",
        "mAP@50",
        "boxes",
        _COCO,
        "Average precision at IoU 0.5, 101 recall points; equal scores form one point.",
    ),
    _fraction(
        "map50_95",
        "mAP@50:95",
        "boxes",
        _COCO,
        "Mean of the average precision at IoU 0.50, 0.55, …, 0.95.",
    ),
    _fraction(
        "ap_all_point",
        "AP (all points)",
        "boxes",
        f"{_PAPER} (21); PASCAL VOC 2010",
        "Area under the envelope of the precision-recall curve at IoU 0.5, at all its points.",
    ),
    _fraction(
        "pd",
        "Pd",
        "points",
        _BASICIRSTD,
        "Targets with a component of their own whose centroid is less than 3 px away.",
    ),
    _false_alarm(
        "fa",
        "Fa",
        _BASICIRSTD,
        "Pixels of unmatched components, each component counted once, of all pixels.",
    ),
    _false_alarm(
        "fa_legacy",
        "Fa (area-value rule)",
        "BasicIRSTD and DNANet, metrics.py, before 2024",
        "As Fa, but a component as large as any matched one of its image is never counted.",
    ),
    _fraction(
        "pd_hungarian",
        "Pd (Hungarian)",
        "points",
        "H. W. Kuhn, Naval Research Logistics Quarterly 2, 1955",
        "As Pd, with the assignment that has most pairs under 3 px, then least distance.",
    ),
    _false_alarm(
        "fa_hungarian",
        "Fa (Hungarian)",
        "H. W. Kuhn, Naval Research Logistics Quarterly 2, 1955",
        "As Fa, with the assignment that has most pairs under 3 px, then least distance.",
    ),
    _fraction(
        "iou",
        "IoU",
        "pixels",
        "Y. Dai et al., WACV 2021",
        "Foreground intersection over union, both summed over the whole set.",
    ),
    _fraction(
        "niou",
        "nIoU",
        "pixels",
        "Y. Dai et al., WACV 2021",
        "Mean over images of the foreground IoU of each; 1 where both masks are empty.",
    ),
    _fraction(
        "pixel_recall",
        "Pixel recall",
        "pixels",
        "",
        "Target pixels that a kept region covers, of all target pixels.",
    ),
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
