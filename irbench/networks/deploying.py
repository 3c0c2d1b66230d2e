"""Writing a model directory: network, facts, card, and a program that runs it without irbench."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import irbench
from irbench.atomic import write_bytes, write_json
from irbench.dataset import Sample
from irbench.errors import UsageError
from irbench.images import ValueRange
from irbench.networks.deployed import (
    CARD_FILE,
    EXAMPLE_FILE,
    FACTS_FILE,
    MODEL_FILE,
    SCHEMA,
    DeployedModel,
)
from irbench.networks.deployed_programs import OF_BOXES, OF_MAPS
from irbench.networks.detector import NetworkDetector
from irbench.networks.export import DEFAULT_OPSET, ExportedFile, export_onnx
from irbench.networks.letterbox import PAD_VALUE
from irbench.networks.segmentation import SegmentationNetworkDetector
from irbench.scoring.calibration import Calibration, threshold_as_json

PIXEL_THRESHOLD = 0.5
"""Of the conversion ``segments/1``."""


def export_model(
    detector: NetworkDetector | SegmentationNetworkDetector,
    folder: Path,
    *,
    value_range: ValueRange | None = None,
    calibration: Calibration | None = None,
    size: int | None = None,
    opset: int = DEFAULT_OPSET,
    check: bool = True,
) -> None:
    """Write a detector as a directory that runs without irbench.

    Parameters
    ----------
    detector : NetworkDetector or SegmentationNetworkDetector
        Without tiles.
    folder : Path
        Made where it is missing; files in it of the same names are replaced.
    value_range : (float, float), optional
        Black and white of the camera; by default those of the pixels' type.
    calibration : Calibration, optional
        The threshold; by default everything above the detector's own confidence is kept.
    size : int, optional
        Of a segmentation network: side of the canvas that frames must fit into, in pixels; by
        default that of its weights.
    opset : int
    check : bool
        See :func:`irbench.networks.export.export_onnx`.

    Raises
    ------
    UsageError
        For a detector with tiles, a threshold that keeps nothing, a folder that is a file, or
        missing packages.
    ExportError
        If the network cannot be exported, or the file computes otherwise.
    """
    of_boxes = isinstance(detector, NetworkDetector)
    if isinstance(detector, NetworkDetector) and detector.tile is not None:
        raise UsageError("a model with tile=… is not exported as a directory; leave tile out.")
    chosen = calibration or Calibration(None, None, "none")
    if chosen.threshold == math.inf:
        raise UsageError(
            f"the threshold of {detector.info.name} is infinite ({chosen.describe()}): nothing was "
            "found there that was worth keeping, and the model would never find anything. Expected "
            "a finite one; calibrate on other images, such as by `irbench calibrate --frames`."
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"cannot write {folder}: it is a file, expected a folder.")
    if size is not None and isinstance(detector, SegmentationNetworkDetector):
        size = detector.canvas_side(size)
    network = export_onnx(
        *(detector, folder / MODEL_FILE),
        batch=1,
        opset=opset,
        nms=of_boxes,
        check=check,
        size=size,
    )
    if isinstance(detector, NetworkDetector):
        own = _box_facts(detector, network)
    else:
        own = _map_facts(detector, network)
    facts = {
        "schema": SCHEMA,
        "kind": detector.kind,
        "irbench": irbench.__version__,
        "method": detector.info.name,
        "title": detector.info.title,
        "reference": detector.info.reference,
        "precision": "fp32",
        "value_range": None if value_range is None else list(value_range),
        "threshold": threshold_as_json(chosen.threshold),
        "threshold_from": chosen.describe(),
        **own,
    }
    write_json(folder / FACTS_FILE, facts)
    if detector.weights_file is not None:
        write_json(folder / CARD_FILE, detector.weights_file.card.as_dict())
    write_bytes(folder / EXAMPLE_FILE, (OF_BOXES if of_boxes else OF_MAPS).encode())


def write_int8(folder: Path, samples: Iterable[Sample]) -> None:
    """Put the convolutions of a model directory into 8-bit integers.

    Parameters
    ----------
    folder : Path
        As :func:`export_model` writes it.
    samples : iterable of Sample
        That the ranges of activations are taken from, prepared as the directory prepares frames.
    """
    from irbench.networks.quantization import quantize_convolutions

    model = DeployedModel(folder=str(folder))
    path = folder / MODEL_FILE
    quantize_convolutions(path, path, model.canvases_of, samples)
    write_json(folder / FACTS_FILE, {**model.facts, "precision": "int8"})


def _box_facts(detector: NetworkDetector, network: ExportedFile) -> dict[str, Any]:
    n_classes = network.outputs["scores"][-1]
    return {
        "input_size": detector.input_size,
        "pad_value": PAD_VALUE,
        "letterbox": "bilinear as cv2.INTER_LINEAR; sides rounded; centred, odd rests right, below",
        "classes": ["target"] if n_classes == 1 else [f"class {n}" for n in range(int(n_classes))],
        "confidence": detector.confidence,
        "nms_iou": detector.nms_iou,
        "max_detections": detector.max_detections,
    }


def _map_facts(detector: SegmentationNetworkDetector, network: ExportedFile) -> dict[str, Any]:
    scaling = detector.applied_scaling
    return {
        "input_size": network.inputs["images"][-1],
        "squash": detector.squash,
        "channels": detector.in_channels_used,
        "divided_by_maximum": scaling.by_maximum,
        "mean": list(scaling.mean),
        "std": list(scaling.std),
        "input": "(grey - mean) / std in every channel, then zeros to the right and at the bottom",
        "pixel_threshold": PIXEL_THRESHOLD,
        "score": "mean probability of an 8-connected component of pixels at pixel_threshold",
        "classes": ["target"],
    }
