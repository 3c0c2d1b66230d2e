"""Detectors of a run made again, for what a run does not keep: score maps and networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import IrbenchError, NoFigureError, WeightsError
from irbench.figures.compared_methods import ComparedMethods
from irbench.messages.external_text import error_text
from irbench.plugins.registry import catalogue, load_method, method_class

if TYPE_CHECKING:
    from irbench.dataset import Sample
    from irbench.detector import Detector


def remake_detector(comparison: ComparedMethods, method: str) -> Detector:
    """A method with the parameters that it ran with.

    Raises
    ------
    NoFigureError
        If it cannot be made on this machine.
    UnknownNameError
        For a method that the runs have not.
    """
    comparison.method(method)
    record: dict[str, Any] = {}
    for run in comparison.runs:
        record = run.run.get("methods", {}).get(method) or record
    facts = record.get("facts") or {}
    params = dict(facts.get("params") or {})
    try:
        if facts.get("weights_sha256"):
            params["weights"] = _path_of_weights(method, facts["weights_sha256"], params)
        return load_method(method, **params)
    except IrbenchError as error:
        raise NoFigureError(f"{method} cannot be made again: {error}") from None


def _path_of_weights(method: str, sha256: str, params: dict[str, Any]) -> str:
    """The file of the weights that a network ran with; a run keeps its name and hash alone."""
    from irbench.networks.weights_search import FOLDER_VARIABLE, available_weights

    for one in available_weights(method_class(method)):
        if one.card.sha256 == sha256:
            return str(one.path)
    raise WeightsError(
        f"its weights {params.get('weights')} (sha256 {sha256[:8]}…) are not here; name the folder "
        f"that holds the file by ${FOLDER_VARIABLE}"
    )


def is_network(method: str) -> bool:
    """Whether a method that is installed here is a network that can be trained."""
    cls = catalogue("methods").classes.get(method)
    return cls is not None and cls.info.trainable


def has_maps(comparison: ComparedMethods, method: str) -> bool:
    """Whether a method returns score maps or probability maps, by its row."""
    kinds = {row["method"]: row.get("kind") for row in comparison.rows}
    return kinds.get(method) in ("score-map", "segmentation")


def compute_map(detector: Detector, sample: Sample) -> NDArray[np.float64]:
    """The score map, or probability map, of an image.

    Raises
    ------
    NoFigureError
        For a method that returns boxes, and one that fails on the image.
    """
    from irbench.detector import ScoreMapDetector, SegmentationDetector

    if isinstance(detector, ScoreMapDetector):
        compute = detector.score_map
    elif isinstance(detector, SegmentationDetector):
        compute = detector.probability_map
    else:
        raise NoFigureError(f"{detector.info.name} returns boxes, and has no score map")
    try:
        values = compute(sample.image, value_range=sample.value_range)
    # A method may raise anything; one panel less is no reason to lose the others.
    except Exception as error:
        reason = error_text(error)
        raise NoFigureError(f"{detector.info.name} fails on {sample.id}: {reason}") from error
    return np.asarray(values, dtype=np.float64)
