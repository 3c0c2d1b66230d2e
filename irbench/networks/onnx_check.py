"""Whether an ONNX file computes the same as the network it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from irbench.networks.nms import non_maximum_suppression
from irbench.networks.onnx_graph import (
    BOXES,
    INPUT,
    PROBABILITIES,
    SCORES,
    SELECTED,
    CanvasesToBoxes,
    Exported,
    ExportError,
)

if TYPE_CHECKING:
    import onnxruntime

TOLERANCE = 1e-4
"""Largest difference of scores, and of box sides in sides of the canvas."""

SUPPRESSION_TOLERANCE = 0.01
"""Part of the selected boxes that may differ: IoUs that equal the threshold but for rounding."""

BATCHES = (1, 3)


class Difference(NamedTuple):
    """How far an exported file is from its network.

    Attributes
    ----------
    scores : float
        Largest absolute difference of a score or probability.
    boxes : float or None
        Largest absolute difference of a coordinate, in sides of the canvas; None for a
        network without boxes.
    """

    scores: float
    boxes: float | None = None


def check_file(path: Path, module: Exported, size: int, batch: int | None) -> Difference:
    """Check that a file is sound and computes the same as its network, on random images.

    Parameters
    ----------
    path : Path
    module : CanvasesToBoxes or CanvasesToProbabilities
        What the file was made from.
    size : int
        Side of the canvases, in pixels.
    batch : int or None
        Images at a time; None: any number, of which 1 and 3 are tried.

    Returns
    -------
    Difference

    Raises
    ------
    ExportError
        If ONNX's checker or onnxruntime refuses the file, or it computes otherwise.
    """
    import onnx

    try:
        onnx.checker.check_model(str(path), full_check=True)
        session = open_session(path)
    # Neither names its errors in a way that is the same in all versions.
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise ExportError(f"the exported file is refused, and was not kept: {reason}") from error
    rng = np.random.default_rng(0)
    found = []
    for n_images in BATCHES if batch is None else (batch,):
        images = rng.random((n_images, module.channels, size, size), dtype=np.float32)
        outputs = run(session, images)
        with torch.inference_mode():
            own = module(torch.from_numpy(images))
        if not isinstance(module, CanvasesToBoxes):
            found.append(Difference(_largest(outputs[PROBABILITIES], own.numpy(), PROBABILITIES)))
            continue
        boxes, scores = (one.numpy() for one in own)
        found.append(
            Difference(
                _largest(outputs[SCORES], scores, SCORES),
                _largest(outputs[BOXES], boxes, BOXES) / size,
            )
        )
        if SELECTED in outputs:
            _check_suppression(outputs, module)
    of_boxes = [one.boxes for one in found if one.boxes is not None]
    worst = Difference(max(one.scores for one in found), max(of_boxes) if of_boxes else None)
    # Written so that NaN fails.
    if not all(one <= TOLERANCE for one in worst if one is not None):
        boxes_too = (
            "" if worst.boxes is None else f", boxes by {worst.boxes:.2g} of the canvas' side"
        )
        raise ExportError(
            "the exported file computes otherwise than the network, and was not kept: scores "
            f"by up to {worst.scores:.2g}{boxes_too}; at most {TOLERANCE:g} is accepted."
        )
    return worst


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """Load a file into onnxruntime, on the CPU, with as many threads as torch."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(
    session: onnxruntime.InferenceSession, images: NDArray[np.float32]
) -> dict[str, NDArray[Any]]:
    """The outputs by name."""
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {INPUT: images}), strict=True))


def _largest(outputs: NDArray[Any], expected: NDArray[Any], name: str) -> float:
    if outputs.shape != expected.shape or outputs.dtype != expected.dtype:
        raise ExportError(
            f"the exported file returns {name} of {outputs.dtype} {outputs.shape}, "
            f"the network with {expected.dtype} {expected.shape}."
        )
    return float(np.abs(outputs - expected).max(initial=0.0))


def _check_suppression(outputs: dict[str, NDArray[Any]], module: CanvasesToBoxes) -> None:
    """Compare what is selected with irbench's own suppression of the same boxes."""
    detector = module.detector
    boxes, scores, selected = outputs[BOXES], outputs[SCORES], outputs[SELECTED]
    n_expected = n_missed = n_selected = 0
    for label in range(scores.shape[2]):
        kept = non_maximum_suppression(
            torch.from_numpy(boxes),
            torch.from_numpy(scores[..., label : label + 1]),
            confidence=detector.confidence,
            iou_threshold=detector.nms_iou,
            max_detections=detector.max_detections,
        )
        for image, one in enumerate(kept):
            rows = selected[(selected[:, 0] == image) & (selected[:, 1] == label), 2]
            ours = set(map(tuple, one.boxes.tolist()))
            n_expected += len(one.boxes)
            n_selected += len(rows)
            n_missed += len(ours ^ set(map(tuple, boxes[image, rows].tolist())))
    allowed = SUPPRESSION_TOLERANCE * max(n_expected, n_selected)
    if n_missed > allowed:
        raise ExportError(
            f"the exported file selects {n_selected} boxes and irbench {n_expected}; "
            f"{n_missed} are not common, at most {allowed:.0f} is accepted."
        )
