"""A method's output scored: the only place that knows what of it counts.

How empty images, the limit of detections, the operating point and score maps that are missing are
dealt with is decided here, for the rows of a run, comparisons, the gate, reports and figures alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections
from irbench.detections.boxes import outside_image
from irbench.detections.packed_detections import DetectionsById, PackedDetections
from irbench.errors import DetectionsError, MetricError
from irbench.ground_truth import GroundTruth
from irbench.metrics import counting
from irbench.metrics.checked_input import check_threshold, check_truths, checked_detections
from irbench.metrics.counts import Counts
from irbench.metrics.definition import quality_metrics
from irbench.metrics.found_targets import found_by_distance, found_by_iou
from irbench.metrics.ignored_regions import without_ignored
from irbench.metrics.map_statistics import MapStatistics
from irbench.metrics.match_table import COCO_IOU_THRESHOLDS, MatchTable, count_together
from irbench.metrics.operating_point import NO_STANDARD_DEVIATIONS, choose_threshold
from irbench.metrics.pixel_roc import PixelRoc, pixel_roc
from irbench.metrics.pooled_maps import PooledMaps
from irbench.metrics.value import MetricValue
from irbench.protocol import TABLE1, Protocol
from irbench.scoring.counted_output import (
    count_kept,
    count_maps,
    count_own,
    match_images,
    rank_points,
)

if TYPE_CHECKING:
    from irbench.engine.storage.results import Row, RunResults

NO_THRESHOLD = "no threshold: there is neither validation data nor a calibration"
NO_MASKS = "the data has boxes only"
NO_REGIONS = "the method returns boxes only"
NO_SCORE_MAPS = "its score maps were not measured, which only a run does"

_LOW_IOU = 0.3
"""Of a metric beside COCO's; see :data:`irbench.metrics.average_precision.map30`."""

Maps = TypeVar("Maps", bound=Mapping[str, MapStatistics] | PooledMaps)

RULES = ("overlap", "distance")
"""By what a target is found: a kept box that hits it, or a kept detection near it."""


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
    counts: Counts = field(default_factory=Counts, repr=False)
    """Counts of each image behind the values."""
    failed: tuple[str, ...] = ()
    """The metrics whose form failed; ``undefined`` says how."""

    def __getitem__(self, metric: str) -> float | None:
        return self.values[metric]


@dataclass(frozen=True, eq=False)
class ScoredOutput:
    """A method's output on a set of images, scored.

    Attributes
    ----------
    result : Result
    images : PackedDetections
        Of each image, the best-scored ones, as many as the protocol counts; an object is made of
        each whenever it is asked for.
    truths : sequence of GroundTruth
    table : MatchTable
        Over all scores; column ``column`` is that of the protocol's IoU.
    column : int
    protocol : Protocol
    """

    result: Result
    images: PackedDetections
    truths: Sequence[GroundTruth]
    table: MatchTable
    column: int
    protocol: Protocol

    @property
    def threshold(self) -> float | None:
        """The operating point; None where there is none."""
        return self.result.threshold

    @cached_property
    def kept(self) -> PackedDetections:
        """Of each image, the detections at or above the operating point; none without one."""
        return self.images.above(np.inf if self.threshold is None else self.threshold)

    @property
    def is_kept(self) -> NDArray[np.bool_]:
        """``(n_detections,)`` of the rows of the table, the same."""
        threshold = np.inf if self.threshold is None else self.threshold
        return np.asarray(self.table.scores >= threshold)

    @property
    def has_regions(self) -> bool:
        """Whether pixels and regions are scored: with masks on both sides, if only empty ones."""
        return self.result.counts.pixels is not None

    @cached_property
    def found(self) -> dict[str, NDArray[np.bool_]]:
        """By rule of :data:`RULES`, whether it finds each target at its operating point.

        ``(n_targets,)`` of all images in turn; empty without a threshold.
        """
        if self.threshold is None:
            return {}
        return {
            "overlap": found_by_iou(self.table, self.threshold, self.column),
            "distance": found_by_distance(self.kept, self.truths, self.protocol.distance_px),
        }

    @cached_property
    def roc(self) -> PixelRoc | None:
        """The ROC curve of pixels; None without score maps."""
        maps = self.result.counts.maps
        return None if maps is None else pixel_roc(maps.roc, maps.binning)


def score(
    detections: Mapping[str, Detections],
    truths: Sequence[GroundTruth],
    protocol: Protocol = TABLE1,
    *,
    threshold: float | None = None,
    validation: tuple[Mapping[str, Detections], Sequence[GroundTruth]] | None = None,
    map_statistics: Mapping[str, MapStatistics] | PooledMaps | None = None,
    method: str = "",
    kind: str | None = None,
) -> ScoredOutput:
    """Score a method's output; see :func:`irbench.scoring.evaluation.evaluate`.

    Parameters
    ----------
    detections : mapping of str to Detections
    truths : sequence of GroundTruth
    protocol, threshold, validation, method
        As there.
    map_statistics : mapping of str to MapStatistics, or PooledMaps, optional
        As there; or pooled, where values of all images are wanted alone, and no spread of them.
    kind : {"score-map", "segmentation", "box"}, optional
        A method of another kind than ``"box"`` has regions also where it finds nothing at all:
        they are empty. Of an unknown kind only what it found can say so.

    Returns
    -------
    ScoredOutput

    Raises
    ------
    DetectionsError, AnnotationError, UsageError
    """
    check_threshold(threshold)
    found = counted_detections(detections, truths, protocol, method)
    has_boxes = not found.has_regions.all()
    ious = dict.fromkeys((*COCO_IOU_THRESHOLDS, _LOW_IOU, protocol.iou_threshold))
    matched = match_images(found, truths, protocol, tuple(ious))
    table, table30 = matched.at(COCO_IOU_THRESHOLDS), matched.at((_LOW_IOU,))
    ranked_points = rank_points(found, truths, protocol.distance_px)
    count_together((table, table30, ranked_points))
    at_protocol = table
    if protocol.iou_threshold not in COCO_IOU_THRESHOLDS:
        at_protocol = matched.at((protocol.iou_threshold,))
    column = at_protocol.iou_index(protocol.iou_threshold)
    if threshold is None:
        known = kind or ("box" if has_boxes else "score-map")
        point = _operating_point(protocol, known, at_protocol, validation, method)
    else:
        point = MetricValue(threshold)
    parts: dict[str, Any] = {
        "table": table,
        "table30": table30,
        "ranked_points": ranked_points,
    }
    missing: dict[str, str] = {}
    if point.value is None:
        names = ("boxes", "points", "hungarian", "pixels", "regions")
        missing = dict.fromkeys(names, point.reason)
    else:
        parts["boxes"] = counting.count_boxes(at_protocol, point.value, column)
        if reason := _why_no_regions(found, point.value, truths, kind):
            missing = dict.fromkeys(("pixels", "regions"), reason)
        parts |= count_kept(found, truths, point.value, protocol.distance_px, not reason)
    if any(truth.targets is None for truth in truths):
        missing["maps"] = NO_MASKS
    elif map_statistics is None:
        missing["maps"] = NO_REGIONS if has_boxes else NO_SCORE_MAPS
    else:
        parts["maps"] = count_maps(map_statistics, truths)
    own = count_own(found, truths, protocol, point.value, missing, map_statistics)
    parts |= {"own": own.counts, "failed": own.failed}
    missing |= own.missing
    result = _result(Counts(**parts, missing=missing), point.value, truths)
    return ScoredOutput(result, found, truths, at_protocol, column, protocol)


def score_row(
    run: RunResults,
    row: Row,
    truths: Sequence[GroundTruth] | None = None,
    *,
    with_maps: bool = True,
) -> ScoredOutput:
    """Score the output that a run holds of a method, at the operating point of its row.

    Parameters
    ----------
    run : RunResults
    row : dict
    truths : sequence of GroundTruth, optional
        The tested images, in the order wanted; by default that of the run.
    with_maps : bool
        Whether the metrics of score maps are wanted, where the run measured them.

    Raises
    ------
    IrbenchError, OSError, KeyError
        If the detections are not there, or damaged.
    """
    method = row["method"]
    truths = run.ground_truth[run.dataset["split"]] if truths is None else truths
    failed = run.run["methods"].get(method, {}).get("errors") or {}
    return score(
        run.detections(method),
        truths,
        Protocol(**run.protocol),
        threshold=row_threshold(row),
        map_statistics=complete_maps(run.map_statistics(method), truths, failed)
        if with_maps
        else None,
        kind=row.get("kind"),
    )


def counted_detections(
    detections: Mapping[str, Detections],
    truths: Sequence[GroundTruth],
    protocol: Protocol,
    method: str = "",
) -> PackedDetections:
    """The detections that count: of each image the best-scored ones outside ignored regions.

    Parameters
    ----------
    detections : mapping of str to Detections
    truths : sequence of GroundTruth
    protocol : Protocol
    method : str
        For messages.

    Returns
    -------
    PackedDetections
        One of each image, empty where it is absent; objects of all images would take several
        times the memory.

    Raises
    ------
    DetectionsError, AnnotationError, UsageError
        See :func:`irbench.scoring.evaluation.evaluate`.
    """
    check_truths(truths)
    each = checked_detections(detections, truths, method)
    if isinstance(detections, DetectionsById) and _counts_whole(detections, truths, protocol):
        if not _are_of(detections.packed, truths):
            # It says of which image, and why.
            for _ in each:
                pass
        return detections.packed
    return PackedDetections.of(
        without_ignored(one.best(protocol.max_detections), truth.boxes, truth.ignored, protocol)
        for one, truth in zip(each, truths, strict=True)
    )


def _counts_whole(found: DetectionsById, truths: Sequence[GroundTruth], protocol: Protocol) -> bool:
    """Whether these are the images in their order, with no more on each than counts."""
    n_found = np.diff(found.packed.offsets)
    return (
        list(found) == [truth.id for truth in truths]
        and not (n_found > protocol.max_detections).any()
        and not any(len(truth.ignored) for truth in truths)
    )


def _are_of(found: PackedDetections, truths: Sequence[GroundTruth]) -> bool:
    """Whether :func:`checked_detections` refuses none of detections that count whole."""
    try:
        found.check()
    except DetectionsError:
        return False
    shapes = np.array([truth.shape for truth in truths], dtype=np.int64).reshape(-1, 2)
    same = (found.shapes == shapes).all(axis=1) | (found.shapes[:, 0] < 0)
    height, width = np.repeat(shapes, np.diff(found.offsets), axis=0).T
    return bool(same.all() and not outside_image(found.boxes, (height, width)).any())


def row_threshold(row: Row) -> float | None:
    """The operating point of a row: infinity where nothing is kept, which it has as ``inf``."""
    value = row.get("threshold")
    return None if value is None else float(value)


def complete_maps(
    maps: Maps | None,
    truths: Sequence[GroundTruth],
    failed: Iterable[str],
) -> Maps | None:
    """The statistics of score maps if every image that did not fail has some; else None.

    They are incomplete in runs that were begun before score maps were measured.
    """
    wanted = {truth.id for truth in truths} - set(failed)
    return maps if maps is not None and wanted <= maps.keys() else None


def _result(counts: Counts, threshold: float | None, truths: Sequence[GroundTruth]) -> Result:
    values: dict[str, MetricValue] = {}
    failed = []
    for name, metric in quality_metrics().items():
        try:
            values[name] = counts.value(metric)
        except MetricError as error:
            values[name] = MetricValue(None, str(error).removesuffix("."))
            failed.append(name)
    return Result(
        values={name: value.value for name, value in values.items()},
        undefined={name: value.reason for name, value in values.items() if value.reason},
        failed=tuple(failed),
        threshold=threshold,
        n_images=len(truths),
        n_targets=int(sum(len(truth.boxes) for truth in truths)),
        counts=counts,
    )


def _operating_point(
    protocol: Protocol,
    kind: str,
    tested: MatchTable,
    validation: tuple[Mapping[str, Detections], Sequence[GroundTruth]] | None,
    method: str,
) -> MetricValue:
    table = None
    if validation is not None:
        truths = validation[1]
        images = counted_detections(validation[0], truths, protocol, method)
        table = match_images(images, truths, protocol)
    elif protocol.operating_point == "val-f1":
        return MetricValue(None, NO_THRESHOLD)
    found = choose_threshold(protocol, kind, table, tested)
    # A rule without anything to choose from keeps nothing.
    nothing = found.value is None and found.reason != NO_STANDARD_DEVIATIONS
    return MetricValue(float("inf")) if nothing else found


def _why_no_regions(
    found: PackedDetections, threshold: float, truths: Sequence[GroundTruth], kind: str | None
) -> str:
    """Why the metrics of pixels and regions are undefined; empty where they are not."""
    if any(truth.targets is None for truth in truths):
        return NO_MASKS
    has_regions = kind not in (None, "box") or bool((found.shapes[:, 0] >= 0).any())
    # As Detections.above compares.
    is_kept = found.scores.astype(np.float64) >= threshold
    if not has_regions or (is_kept & ~found.has_regions).any():
        return NO_REGIONS
    return ""
