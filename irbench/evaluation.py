"""One evaluator for every detector: from detections and ground truth to numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from irbench.boxes import Shape
from irbench.calibration import match_images
from irbench.dataset import Dataset
from irbench.detections import Detections
from irbench.errors import DetectionsError
from irbench.ground_truth import GroundTruth, ground_truths
from irbench.metrics import (
    average_precision,
    counting,
    hierarchical_iou,
    pixels,
    point_average_precision,
    points,
    yolo_average_precision,
)
from irbench.metrics.checked_input import check_threshold, check_truths, checked_detections
from irbench.metrics.components import Components
from irbench.metrics.map_statistics import (
    MAP_METRICS,
    STANDARDISED,
    MapCounts,
    MapStatistics,
    constant_map,
    map_values,
)
from irbench.metrics.matching import COCO_IOU_THRESHOLDS, MatchTable
from irbench.metrics.operating_point import NO_STANDARD_DEVIATIONS, operating_point_rule
from irbench.metrics.value import MetricValue
from irbench.protocol import TABLE1, Protocol
from irbench.regions import Regions

NO_THRESHOLD = "no threshold: there is neither validation data nor a calibration"
NO_MASKS = "the data has boxes only"
NO_REGIONS = "the method answers boxes only"
NO_SCORE_MAPS = "its score maps were not measured, which only a run does"


@dataclass(frozen=True, eq=False)
class Result:
    """What the evaluator says of one detector on one split.

    Attributes
    ----------
    values : dict of str to (float or None)
        By metric name (:data:`irbench.metrics.definition.METRICS`): fractions in
        [0, 1] and SI units; None where undefined.
    undefined : dict of str to str
        The reason of each None.
    threshold : float or None
        The operating point: detections with ``score >= threshold`` were kept.
    n_images, n_targets : int
    """

    values: dict[str, float | None]
    undefined: dict[str, str]
    threshold: float | None
    n_images: int
    n_targets: int
    counts: dict[str, Any] = field(default_factory=dict, repr=False)
    """Per-image counts by kind behind the values: ``boxes``, ``points``, ``pixels``, ``regions``
    and ``maps``; ``table``, ``table30`` and ``ranked_points`` are match tables over all scores."""

    def __getitem__(self, metric: str) -> float | None:
        return self.values[metric]


def evaluate(
    detections: Mapping[str, Detections],
    dataset: Dataset | Sequence[GroundTruth],
    protocol: Protocol = TABLE1,
    *,
    threshold: float | None = None,
    validation: tuple[Mapping[str, Detections], Dataset | Sequence[GroundTruth]] | None = None,
    map_statistics: Mapping[str, MapStatistics] | None = None,
    method: str = "",
    kind: str | None = None,
) -> Result:
    """Score a detector's output.

    Parameters
    ----------
    detections : mapping of str to Detections
        By image id. An image that is missing counts as one without detections.
    dataset : Dataset or sequence of GroundTruth
    protocol : Protocol
    threshold : float, optional
        The operating point, where it is known; else the protocol's rule finds it.
    validation : (mapping, Dataset), optional
        Detections and ground truth of the validation split, for ``val-f1``.
    map_statistics : mapping of str to MapStatistics, optional
        By image id, what :func:`irbench.metrics.map_statistics.measure_map` says of each
        score map, for the metrics of score maps. An image that is missing counts as one
        whose map is 0 everywhere.
    method : str
        Whose detections they are, for messages.
    kind : {"score-map", "segmentation", "box"}, optional
        What the method answers. Only scores of score maps are in standard deviations, which
        ``mean-kstd`` needs; by default they are, unless detections come without regions.

    Returns
    -------
    Result
        P, R, F1, Pd, Fa and the pixel metrics are undefined where no threshold can
        be found; AP needs none.

    Raises
    ------
    DetectionsError
        For detections on an image that the dataset does not have, or outside it.
    AnnotationError
        For true boxes that are none.
    UsageError
        If two images have one id, or the threshold is NaN.

    Examples
    --------
    >>> import irbench
    >>> dataset = irbench.load_dataset("synth", split="val")
    >>> detector = irbench.load_method("tophat")
    >>> found = {sample.id: detector.detect(sample.image) for sample in dataset}
    >>> result = irbench.evaluate(found, dataset, threshold=10.0)
    >>> 0 < result["map50"] < 1
    True
    """
    check_threshold(threshold)
    truths = _truths(dataset)
    found = _aligned(detections, truths, protocol.max_detections, method)
    components = [
        components_of(one.boxes, one.regions, truth)
        for one, truth in zip(found, truths, strict=True)
    ]
    targets = [components_of(truth.boxes, truth.targets, truth) for truth in truths]
    table = match_images(found, truths, protocol, COCO_IOU_THRESHOLDS)
    # The same table unless the protocol asks for another IoU than COCO's.
    at_protocol = table
    if protocol.iou_threshold not in COCO_IOU_THRESHOLDS:
        at_protocol = match_images(found, truths, protocol)
    if threshold is None:
        is_boxes = any(one.regions is None and len(one) for one in found)
        kind = kind or ("box" if is_boxes else "score-map")
        point = _operating_point(protocol, kind, at_protocol, validation, method)
    else:
        point = MetricValue(threshold)
    threshold = point.value
    values = {
        "map50": average_precision.average_precision(table, 0.5),
        "map50_95": average_precision.mean_average_precision(table),
        "ap_all_point": average_precision.average_precision(table, 0.5, estimator="all-point"),
    }
    counts: dict[str, Any] = {"table": table}
    values.update(_ranked_values(found, truths, protocol, counts))
    counts["ranked_points"] = point_average_precision.match_points(
        zip(components, (one.scores for one in found), targets, strict=True),
        protocol.distance_px,
    )
    values["ap_point"] = point_average_precision.point_average_precision(counts["ranked_points"])
    if threshold is None:
        names = (*_BOX_METRICS, *_POINT_METRICS, *_PIXEL_METRICS, *_REGION_METRICS)
        names = (*names, "pd_hungarian", "fa_hungarian", "hiou_toolkit")
        values.update(dict.fromkeys(names, point))
    else:
        chosen = [one.indices_above(threshold) for one in found]
        kept = [one.take(indices) for one, indices in zip(found, chosen, strict=True)]
        points_kept = [one.take(some) for one, some in zip(components, chosen, strict=True)]
        iou_index = at_protocol.iou_index(protocol.iou_threshold)
        counts["boxes"] = counting.count_boxes(at_protocol, threshold, iou_index)
        values.update({name: metric(counts["boxes"]) for name, metric in _BOX_METRICS.items()})
        shapes = [truth.shape for truth in truths]
        images = list(zip(points_kept, targets, shapes, strict=True))
        values.update(_point_values(images, protocol, counts))
        values.update(_pixel_values(kept, truths, protocol, counts))
    values.update(_map_values(map_statistics, found, truths, counts))
    return Result(
        values={name: value.value for name, value in values.items()},
        undefined={name: value.reason for name, value in values.items() if value.reason},
        threshold=threshold,
        n_images=len(truths),
        n_targets=int(sum(len(truth.boxes) for truth in truths)),
        counts=counts,
    )


_BOX_METRICS = {
    "precision": counting.precision,
    "recall": counting.recall,
    "f1": counting.f1,
}
_POINT_METRICS = {"pd": points.pd, "fa": points.fa, "fa_legacy": points.fa_legacy}
_PIXEL_METRICS = {"iou": pixels.iou, "niou": pixels.niou, "pixel_recall": pixels.pixel_recall}
_REGION_METRICS = {
    "hiou": hierarchical_iou.hiou,
    "hiou_segmentation": hierarchical_iou.segmentation_iou,
    "hiou_localisation": hierarchical_iou.localisation_iou,
}


def _truths(dataset: Dataset | Sequence[GroundTruth]) -> Sequence[GroundTruth]:
    return ground_truths(dataset) if isinstance(dataset, Dataset) else dataset


def _aligned(
    detections: Mapping[str, Detections],
    truths: Sequence[GroundTruth],
    max_detections: int,
    method: str = "",
) -> list[Detections]:
    """One entry per image of the dataset, each inside it and cut to the best-scored ones."""
    check_truths(truths)
    found = checked_detections(detections, truths, method)
    return [one.best(max_detections) for one in found]


def _operating_point(
    protocol: Protocol,
    kind: str,
    tested: MatchTable,
    validation: tuple[Mapping[str, Detections], Dataset | Sequence[GroundTruth]] | None,
    method: str,
) -> MetricValue:
    rule = operating_point_rule(protocol, kind)
    table = None
    if validation is not None:
        truths = _truths(validation[1])
        images = _aligned(validation[0], truths, protocol.max_detections, method)
        table = match_images(images, truths, protocol)
    elif protocol.operating_point == "val-f1":
        return MetricValue(None, NO_THRESHOLD)
    found = rule.threshold(table, tested)
    # A rule without anything to choose from keeps nothing.
    nothing = found.value is None and found.reason != NO_STANDARD_DEVIATIONS
    return MetricValue(float("inf")) if nothing else found


def _ranked_values(
    found: Sequence[Detections],
    truths: Sequence[GroundTruth],
    protocol: Protocol,
    counts: dict[str, Any],
) -> dict[str, MetricValue]:
    """The metrics over all scores that go beyond COCO's."""
    # A table of its own: the mean over the columns of the other one is AP@50:95.
    counts["table30"] = match_images(found, truths, protocol, (0.3,))
    best = yolo_average_precision.best_f1_point(counts["table"], 0.5)
    return {
        "map30": average_precision.average_precision(counts["table30"], 0.3),
        "map75": average_precision.average_precision(counts["table"], 0.75),
        "ap_yolo": yolo_average_precision.ap_yolo(counts["table"], 0.5),
        "precision_yolo": best.precision,
        "recall_yolo": best.recall,
    }


def _point_values(
    images: Sequence[tuple[Components, Components, Shape]],
    protocol: Protocol,
    counts: dict[str, Any],
) -> dict[str, MetricValue]:
    counts["points"] = points.count_points(images, "raster", protocol.distance_px)
    values = {name: metric(counts["points"]) for name, metric in _POINT_METRICS.items()}
    hungarian = points.count_points(images, "hungarian", protocol.distance_px)
    values["pd_hungarian"] = points.pd(hungarian)
    values["fa_hungarian"] = points.fa(hungarian)
    return values


def components_of(boxes: Any, regions: Regions | None, truth: GroundTruth) -> Components:
    """What the point metrics see: regions as they are, boxes filled."""
    if regions is not None:
        return Components.from_regions(regions)
    return Components.from_boxes(boxes, truth.shape)


def _pixel_values(
    kept: Sequence[Detections],
    truths: Sequence[GroundTruth],
    protocol: Protocol,
    counts: dict[str, Any],
) -> dict[str, MetricValue]:
    names = (*_PIXEL_METRICS, *_REGION_METRICS, "hiou_toolkit")
    if any(truth.targets is None for truth in truths):
        return dict.fromkeys(names, MetricValue(None, NO_MASKS))
    # An image without any detection may come from a method of either kind.
    has_regions = any(one.regions is not None for one in kept)
    if not has_regions or any(one.regions is None and len(one) for one in kept):
        return dict.fromkeys(names, MetricValue(None, NO_REGIONS))
    counts["pixels"] = pixels.count_pixels(_masks(kept, truths))
    values = {name: metric(counts["pixels"]) for name, metric in _PIXEL_METRICS.items()}
    return {**values, **_region_values(kept, truths, protocol, counts)}


def _region_values(
    kept: Sequence[Detections],
    truths: Sequence[GroundTruth],
    protocol: Protocol,
    counts: dict[str, Any],
) -> dict[str, MetricValue]:
    images = [
        (
            _in_raster_order(one.regions or Regions.empty(truth.shape)),
            _in_raster_order(truth.targets),
        )
        for one, truth in zip(kept, truths, strict=True)
        if truth.targets is not None
    ]
    counts["regions"] = hierarchical_iou.count_hierarchical(
        images, distance_px=protocol.distance_px
    )
    values = {name: metric(counts["regions"]) for name, metric in _REGION_METRICS.items()}
    toolkit = hierarchical_iou.with_padding(counts["regions"])
    return {**values, "hiou_toolkit": hierarchical_iou.hiou(toolkit)}


def _in_raster_order(regions: Regions) -> Regions:
    """Of equal distances the assignment takes the first; the order of a list must not decide."""
    return regions.take(Components.from_regions(regions).raster_order())


def _masks(kept: Sequence[Detections], truths: Sequence[GroundTruth]) -> Iterable[Any]:
    for one, truth in zip(kept, truths, strict=True):
        assert truth.targets is not None
        empty = np.zeros(truth.shape, dtype=bool)
        yield (empty if one.regions is None else one.regions.to_mask()), truth.targets.to_mask()


def _map_values(
    statistics: Mapping[str, MapStatistics] | None,
    found: Sequence[Detections],
    truths: Sequence[GroundTruth],
    counts: dict[str, Any],
) -> dict[str, MetricValue]:
    if any(truth.targets is None for truth in truths):
        return dict.fromkeys(MAP_METRICS, MetricValue(None, NO_MASKS))
    if statistics is None:
        is_boxes = any(one.regions is None and len(one) for one in found)
        reason = NO_REGIONS if is_boxes else NO_SCORE_MAPS
        return dict.fromkeys(MAP_METRICS, MetricValue(None, reason))
    strangers = sorted(statistics.keys() - {truth.id for truth in truths})
    if strangers:
        raise DetectionsError(
            f"score maps must be of images of the dataset; {len(strangers)} are not, "
            f"such as {strangers[0]!r}."
        )
    binning = next((one.binning for one in statistics.values()), STANDARDISED)
    images = []
    for truth in truths:
        assert truth.targets is not None
        one = statistics.get(truth.id)
        images.append(constant_map(truth.shape, truth.targets, binning) if one is None else one)
    counts["maps"] = MapCounts.of(images)
    return map_values(counts["maps"])
