"""Network detectors as files that run without irbench and without PyTorch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import irbench
from irbench.atomic import replacing
from irbench.errors import UsageError
from irbench.extras import require_packages
from irbench.networks.detector import NetworkDetector
from irbench.networks.letterbox import PAD_VALUE
from irbench.networks.onnx_check import Difference, check_file
from irbench.networks.onnx_graph import (
    CanvasesToBoxes,
    CanvasesToProbabilities,
    append_suppression,
    onnx_graph,
    shapes_of,
    sign,
)
from irbench.networks.segmentation import SegmentationNetworkDetector

Format = Literal["onnx"]
FORMATS: tuple[str, ...] = get_args(Format)

_EXPORT = "the export to ONNX"

DEFAULT_OPSET = 18
"""The exporter's own, which it translates to without converting; of December 2022."""

Shapes = Mapping[str, tuple[int | str, ...]]


@dataclass(frozen=True)
class ExportedFile:
    """What was written.

    Attributes
    ----------
    path : Path
    n_bytes : int
    opset : int
    inputs, outputs : mapping of str to tuple
        Shapes by name; an axis of any length by its name, such as ``"batch"``.
    metadata : mapping of str to str
        As stored in the file.
    difference : Difference or None
        None: not checked.
    """

    path: Path
    n_bytes: int
    opset: int
    inputs: Shapes
    outputs: Shapes
    metadata: Mapping[str, str]
    difference: Difference | None


def export_onnx(
    detector: NetworkDetector | SegmentationNetworkDetector,
    path: Path | str,
    *,
    batch: int | None = None,
    opset: int = DEFAULT_OPSET,
    nms: bool = False,
    check: bool = True,
    size: int | None = None,
) -> ExportedFile:
    """Write a detector as an ONNX file.

    Its input ``images`` is ``(B, 1, S, S)`` float32 in [0, 1]: one grey channel, as a
    thermal camera gives it, letterboxed. Its outputs are ``boxes``, ``(B, N, 4)`` in
    pixels of that canvas, and ``scores``, ``(B, N, n_classes)``, of all N anchors.

    Of a segmentation network the input is ``(B, C, S, S)``, scaled as the metadata say and
    filled up with zeros to the right and at the bottom, and the output ``probabilities``,
    ``(B, 1, S, S)``.

    Parameters
    ----------
    detector : NetworkDetector or SegmentationNetworkDetector
        Not modified.
    path : path-like
        Replaced as a whole, or left as it is if anything fails.
    batch : int, optional
        Images at a time; by default any number.
    opset : int
    nms : bool
        Add a third output, ``selected``: the rows (image, class, box) that outlast
        suppression with the detector's thresholds; see
        :func:`irbench.networks.onnx_graph.append_suppression`.
    check : bool
        Compare with the network by onnxruntime; see :func:`irbench.networks.onnx_check.check_file`.
    size : int, optional
        Side of the canvas, in pixels, which fits the network; by default the detector's.

    Returns
    -------
    ExportedFile

    Raises
    ------
    UsageError
        If a package is missing, or the path cannot be written.
    ExportError
        If the network cannot be exported, or the file computes otherwise.
    WeightsError
        If the weights are not those of this network.
    """
    if batch is not None and batch < 1:
        raise UsageError(f"batch must be at least 1 image, got {batch}.")
    require_packages(_EXPORT, "onnx", "onnx", "onnxscript")
    if check:
        hint = "; or write it unchecked by --no-check"
        require_packages(_EXPORT, "onnx", "onnxruntime", hint=hint)
    path = Path(path)
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a folder.")
    size = detector.input_size if size is None else size
    module: CanvasesToBoxes | CanvasesToProbabilities
    if isinstance(detector, SegmentationNetworkDetector):
        if nms:
            raise UsageError(f"{detector.info.name} returns no boxes: nothing is to be suppressed.")
        module, metadata = CanvasesToProbabilities(detector), _map_metadata(detector, size)
    else:
        module, metadata = CanvasesToBoxes(detector), _metadata(detector, size, nms=nms)
    difference = None
    try:
        with replacing(path) as temporary:
            temporary.touch()  # what cannot be written fails before the work
            model = onnx_graph(module, size, batch=batch, opset=opset)
            if nms and isinstance(detector, NetworkDetector):
                append_suppression(
                    model,
                    confidence=detector.confidence,
                    iou_threshold=detector.nms_iou,
                    max_detections=detector.max_detections,
                )
            sign(model, metadata)
            temporary.write_bytes(model.SerializeToString())
            if check:
                difference = check_file(temporary, module, size, batch)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}.") from error
    return ExportedFile(
        path=path,
        n_bytes=path.stat().st_size,
        opset=opset,
        inputs=shapes_of(model.graph.input),
        outputs=shapes_of(model.graph.output),
        metadata=metadata,
        difference=difference,
    )


def _map_metadata(detector: SegmentationNetworkDetector, size: int) -> dict[str, str]:
    """What an engineer needs who has the file and nothing else."""
    scaling = detector.applied_scaling
    return {
        **_common_facts(detector, size),
        "input": f"images (B, {detector.in_channels_used}, {size}, {size}) float32, scaled",
        "scaling": json.dumps(
            {
                "grey": "0 black to 1 white, the same in every channel",
                "divided_by_maximum_of_image": scaling.by_maximum,
                "mean": scaling.mean,
                "std": scaling.std,
                "input": "(grey - mean) / std, then zeros to the right and at the bottom",
            }
        ),
        "probabilities": f"(B, 1, {size}, {size}) in [0, 1]",
    }


def _common_facts(
    detector: NetworkDetector | SegmentationNetworkDetector, size: int
) -> dict[str, str]:
    return {
        "irbench_version": irbench.__version__,
        "method": detector.info.name,
        "title": detector.info.title,
        "reference": detector.info.reference,
        **_weights_facts(detector),
        "input_size": str(size),
    }


def _metadata(detector: NetworkDetector, size: int, *, nms: bool) -> dict[str, str]:
    """What an engineer needs who has the file and nothing else."""
    suppression = (
        "output selected (K, 3): image, class, box; the thresholds below are in the graph"
        if nms
        else "not in the graph: greedy, with the thresholds below"
    )
    return {
        **_common_facts(detector, size),
        "input": f"images (B, 1, {size}, {size}) float32, grey, 0 black to 1 white",
        "letterbox": json.dumps(
            {
                "interpolation": "bilinear, as cv2.INTER_LINEAR",
                "scale": "min(size / height, size / width), sides rounded",
                "pad_value": PAD_VALUE,
                "position": "centred; odd remainders to the right and below",
            }
        ),
        "boxes": f"(B, N, 4) x0, y0, x1, y1 in pixels of the {size} px canvas, not clipped",
        "scores": "(B, N, n_classes) in [0, 1]",
        "suppression": suppression,
        "confidence": repr(detector.confidence),
        "nms_iou": repr(detector.nms_iou),
        "max_detections": str(detector.max_detections),
    }


def _weights_facts(detector: NetworkDetector | SegmentationNetworkDetector) -> dict[str, str]:
    file = detector.weights_file
    if file is None:
        return {"weights": "none: not from a file"}
    card = file.card
    facts = {
        "weights": card.dataset,
        "weights_sha256": card.sha256,
        "weights_licence": card.licence,
    }
    if card.threshold is not None:
        facts["threshold_of_best_f1"] = f"{card.threshold!r} on the validation images"
    return facts
