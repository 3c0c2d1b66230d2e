"""One evaluator for every detector: from detections and ground truth to numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from irbench.dataset import Dataset
from irbench.detections import Detections
from irbench.errors import UsageError
from irbench.ground_truth import GroundTruth, ground_truths
from irbench.metrics.map_statistics import MapStatistics
from irbench.protocol import TABLE1, Protocol
from irbench.scoring.scored_output import Result, score


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
        What the method returned. Only scores of score maps are in standard deviations, which
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
        If two images have one id, the threshold is NaN, or the protocol squashes images and a
        dataset of images as they are is given.

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
    if protocol.squash is not None and isinstance(dataset, Dataset):
        raise UsageError(
            f"protocol {protocol.name} measures on squares of {protocol.squash} px, the dataset's "
            "images are as they are: give the GroundTruth of "
            f"irbench.images.squashing.squash(sample, {protocol.squash})."
        )
    if validation is not None:
        validation = validation[0], _truths(validation[1])
    return score(
        detections,
        _truths(dataset),
        protocol,
        threshold=threshold,
        validation=validation,
        map_statistics=map_statistics,
        method=method,
        kind=kind,
    ).result


def _truths(dataset: Dataset | Sequence[GroundTruth]) -> Sequence[GroundTruth]:
    return ground_truths(dataset) if isinstance(dataset, Dataset) else dataset
