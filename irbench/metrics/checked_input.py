"""What the evaluator refuses, with a message that names method, image and index."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections
from irbench.detections.boxes import outside_image
from irbench.errors import AnnotationError, DetectionsError, UsageError

if TYPE_CHECKING:
    from irbench.ground_truth import GroundTruth


def check_truths(truths: Sequence[GroundTruth]) -> None:
    """Refuse ground truth that cannot be scored against.

    Parameters
    ----------
    truths : sequence of GroundTruth

    Raises
    ------
    UsageError
        If two images have one id: which of them the detections are of is not known.
    AnnotationError
        For boxes that are not ``(x0, y0, x1, y1)`` with x0 < x1 and y0 < y1, finite
        and inside the image, or of another number than the masks' targets.
    """
    seen: dict[str, int] = {}
    for index, truth in enumerate(truths):
        if truth.id in seen:
            raise UsageError(
                f"the images must have distinct ids, got {truth.id!r} at the positions "
                f"{seen[truth.id]} and {index}."
            )
        seen[truth.id] = index
        boxes = np.asarray(truth.boxes)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise AnnotationError(
                f"the true boxes of {truth.id!r} must have shape (N, 4), got {boxes.shape}."
            )
        _refuse_true_boxes(truth, _bad_corners(boxes) | outside_image(boxes, truth.shape))
        if truth.targets is not None and len(truth.targets) != len(boxes):
            raise AnnotationError(
                f"{truth.id!r} must have as many targets as true boxes ({len(boxes)}), "
                f"got {len(truth.targets)}."
            )


def checked_detections(
    detections: Mapping[str, Detections], truths: Sequence[GroundTruth], method: str = ""
) -> Iterator[Detections]:
    """The detections on each image, none where it has no entry; refused if they are not its.

    Parameters
    ----------
    detections : mapping of str to Detections
        By image id.
    truths : sequence of GroundTruth
    method : str
        Whose they are, for the message; empty where it is not known.

    Returns
    -------
    iterator of Detections
        In the order of ``truths``; each is checked when it is drawn.

    Raises
    ------
    DetectionsError
        For detections on images that are not among ``truths``, of another type, on
        an image of another size, or outside of it.
    """
    whose = f"{method}: " if method else ""
    strangers = sorted(detections.keys() - {truth.id for truth in truths}, key=str)
    if strangers:
        raise DetectionsError(
            f"{whose}detections must be on images of the dataset; {len(strangers)} are not, "
            f"such as {strangers[0]!r}."
        )
    return _checked(detections, truths, whose)


def _checked(
    detections: Mapping[str, Detections], truths: Sequence[GroundTruth], whose: str
) -> Iterator[Detections]:
    nothing = Detections.empty()
    for truth in truths:
        # Asked for once: of packed detections an object is made whenever one is.
        one = detections.get(truth.id, nothing)
        if one is not nothing:
            _check_one(one, truth, whose)
        yield one


def check_threshold(threshold: float | None) -> None:
    """Refuse NaN, which would keep nothing without a word.

    Raises
    ------
    UsageError
    """
    if threshold is not None and math.isnan(threshold):
        raise UsageError("threshold must be a number or None, got NaN.")


def _check_one(found: Any, truth: GroundTruth, whose: str) -> None:
    height, width = truth.shape
    if not isinstance(found, Detections):
        raise DetectionsError(
            f"{whose}the detections on {truth.id!r} must be Detections, got "
            f"{type(found).__name__}; Detections(boxes, scores) makes them."
        )
    regions = found.regions
    if regions is not None and regions.shape != truth.shape:
        raise DetectionsError(
            f"{whose}the detections on {truth.id!r} were made on a {regions.shape[0]}x"
            f"{regions.shape[1]} image, the dataset's is {height}x{width}."
        )
    # Checked when they were made; arrays can be replaced all the same.
    boxes, scores = found.boxes, found.scores
    checks = (
        ("scores", scores, ~np.isfinite(scores), "be a finite number"),
        (
            "boxes",
            boxes,
            _bad_corners(boxes),
            "be finite (x0, y0, x1, y1) with x0 < x1 and y0 < y1",
        ),
        (
            "boxes",
            boxes,
            outside_image(boxes, truth.shape),
            f"lie inside the {height}x{width} image",
        ),
    )
    for name, values, bad, expected in checks:
        if bad.any():
            index = int(np.argmax(bad))
            raise DetectionsError(
                f"{whose}{name}[{index}] on {truth.id!r} must {expected}, "
                f"got {values[index].tolist()}."
            )


def _refuse_true_boxes(truth: GroundTruth, bad: NDArray[np.bool_]) -> None:
    if bad.any():
        index = int(np.argmax(bad))
        height, width = truth.shape
        raise AnnotationError(
            f"the true box {index} of {truth.id!r} must be (x0, y0, x1, y1) with x0 < x1 and "
            f"y0 < y1 inside the {height}x{width} image, got {truth.boxes[index].tolist()}."
        )


def _bad_corners(boxes: NDArray[Any]) -> NDArray[np.bool_]:
    # Written so that NaN is bad.
    good = np.isfinite(boxes).all(axis=1) & (boxes[:, :2] < boxes[:, 2:]).all(axis=1)
    return np.asarray(~good)
