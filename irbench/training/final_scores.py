"""The scores that go onto a card: of the weights as they are on disk, by the whole benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from irbench.data.manifest import usable_samples
from irbench.dataset import Dataset
from irbench.detections import Detections
from irbench.ground_truth import GroundTruth
from irbench.messages.progress import Progress
from irbench.metrics.ignored_regions import without_ignored
from irbench.networks.neural import NeuralDetector
from irbench.networks.weights_file import WeightsFile
from irbench.protocol import TABLE1
from irbench.scoring.calibration import calibrate
from irbench.scoring.evaluation import evaluate

Scores = dict[str, float | None]


def score_splits(
    weights: WeightsFile,
    detector: NeuralDetector,
    splits: Mapping[str, Dataset | None],
    progress: Progress | None = None,
) -> dict[str, Scores | None]:
    """Score weights on validation and, where asked for, on test images.

    Under the protocol ``table1``, image by image as ``irbench run`` does it. The threshold
    is the one of best F1 on validation, for both.

    Parameters
    ----------
    weights : WeightsFile
    detector : NeuralDetector
        Whose parameters apply.
    splits : mapping of str to (Dataset or None)
        ``"val"`` and perhaps ``"test"``.
    progress : Progress, optional

    Returns
    -------
    dict of str to (dict or None)
        Values by metric for ``"val"`` and ``"test"``, ``threshold`` among them; empty for
        no validation split, None for no test split.
    """
    params = {**detector.params, "weights": str(weights.path)}
    scored = type(detector)(**params).to(detector.device)
    progress = progress or Progress()
    scores: dict[str, Scores | None] = {"val": {}, "test": None}
    threshold: float | None = None
    if (val := splits.get("val")) is not None:
        detections, truths = _detect(scored, val, progress)
        threshold = calibrate({None: list(detections.values())}, truths, TABLE1).threshold
        scores["val"] = _values(detections, truths, threshold)
    if (test := splits.get("test")) is not None:
        scores["test"] = _values(*_detect(scored, test, progress), threshold)
    return scores


def _detect(
    detector: NeuralDetector, dataset: Dataset, progress: Progress
) -> tuple[dict[str, Detections], list[GroundTruth]]:
    by_id: dict[str, Detections] = {}
    truths: list[GroundTruth] = []
    title = f"{detector.info.title} ({dataset.split})"
    for sample_id, sample in usable_samples(dataset, {}, progress, title=title):
        detections = detector.detect(sample.image, value_range=sample.value_range)
        by_id[sample_id] = without_ignored(detections, sample.boxes, sample.ignored, TABLE1)
        truths.append(GroundTruth.of(sample))
    return by_id, truths


def _values(
    detections: Mapping[str, Detections], truths: list[GroundTruth], threshold: float | None
) -> Scores:
    result = evaluate(detections, truths, TABLE1, threshold=threshold)
    values: dict[str, Any] = {name: _finite(value) for name, value in result.values.items()}
    return {**values, "threshold": _finite(result.threshold)}


def _finite(value: float | None) -> float | None:
    return value if value is not None and abs(value) != float("inf") else None
