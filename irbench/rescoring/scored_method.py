"""The detections of one method of a run scored again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from irbench.calibration import match_images
from irbench.detections import Detections
from irbench.engine.storage.results import Row, RunResults, row_threshold
from irbench.ground_truth import GroundTruth
from irbench.metrics.map_statistics import STANDARDISED, constant_map
from irbench.metrics.match_table import COCO_IOU_THRESHOLDS, MatchTable
from irbench.metrics.pixel_roc import PixelRoc, RocCounts, pixel_roc
from irbench.protocol import Protocol
from irbench.statistics.bootstrap import Interval, Values, confidence_interval, resample
from irbench.statistics.image_statistics import ImageStatistics
from irbench.statistics.method_output import MethodOutput
from irbench.statistics.resamples import Resamples


@dataclass(frozen=True, eq=False)
class ScoredMethod:
    """A method's output on the tested images.

    Attributes
    ----------
    row : dict
    images : list of Detections
        Of each image, the best-scored ones that count.
    table : MatchTable
        Over all scores; column ``column`` is that of the protocol's IoU.
    column : int
    output : MethodOutput
    roc : PixelRoc or None
        None without score maps.
    spread : dict of str to (n_resamples,) ndarray
        By metric, the values on the draws of the bootstrap; empty for a single image.
    """

    row: Row
    images: list[Detections]
    table: MatchTable
    column: int
    output: MethodOutput
    roc: PixelRoc | None
    spread: Values

    @property
    def threshold(self) -> float | None:
        """The operating point; None where there is none."""
        return self.output.result.threshold

    def interval(self, metric: str) -> Interval | None:
        """The 95 % interval of a metric; None where it is not resampled, or undefined."""
        values = self.spread.get(metric)
        if values is None or self.row.get(metric) is None:
            return None
        found = confidence_interval(self.output.result.values[metric], values)
        return None if found.lower is None else found


_Key = tuple[str, float | None, Protocol]
_kept: WeakKeyDictionary[RunResults, dict[_Key, tuple[Sequence[GroundTruth], ScoredMethod]]] = (
    WeakKeyDictionary()
)
"""By run, method, threshold and protocol: reports of several formats score a run once."""


def score_method(
    row: Row,
    run: RunResults,
    truths: Sequence[GroundTruth],
    protocol: Protocol,
    draws: Resamples | None,
) -> ScoredMethod:
    """Score a method of a run; a second time only its spread is found anew.

    Parameters
    ----------
    row : dict
    run : RunResults
        That holds the method's detections.
    truths : sequence of GroundTruth
    protocol : Protocol
    draws : Resamples or None
        None for no spread.

    Raises
    ------
    IrbenchError, OSError, KeyError
        If the detections are not there, or damaged.
    """
    threshold = row_threshold(row)
    kept = _kept.setdefault(run, {})
    key = (row["method"], threshold, protocol)
    of, one = kept.get(key, (None, None))
    if one is None or of is not truths:
        one = _score_anew(row, run, truths, protocol)
        kept[key] = (truths, one)
    spread: Values = {}
    if draws is not None:
        statistics = ImageStatistics.of(one.output.result)
        spread = resample({row["method"]: statistics}, draws)[row["method"]]
    return replace(one, row=row, spread=spread)


def _score_anew(
    row: Row, run: RunResults, truths: Sequence[GroundTruth], protocol: Protocol
) -> ScoredMethod:
    detections = run.detections(row["method"])
    output = MethodOutput.score(
        detections, truths, protocol, row_threshold(row), kind=row.get("kind")
    )
    found = [detections.get(truth.id, Detections.empty()) for truth in truths]
    images = [one.best(protocol.max_detections) for one in found]
    table = output.result.counts["table"]
    if protocol.iou_threshold not in COCO_IOU_THRESHOLDS:
        table = match_images(images, truths, protocol)
    column = table.iou_index(protocol.iou_threshold)
    return ScoredMethod(row, images, table, column, output, _roc(row, run, truths), {})


def _roc(row: Row, run: RunResults, truths: Sequence[GroundTruth]) -> PixelRoc | None:
    maps = run.map_statistics(row["method"])
    if not maps:
        return None
    binning = next((one.binning for one in maps.values()), STANDARDISED)
    histograms = []
    for truth in truths:
        if truth.targets is None:
            return None
        one = maps.get(truth.id) or constant_map(truth.shape, truth.targets, binning)
        histograms.append(one.histograms)
    return pixel_roc(RocCounts.of(histograms), binning)
