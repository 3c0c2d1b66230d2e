"""Writing a model directory: network, facts, card, and a program that runs it without irbench."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import irbench
from irbench.atomic import write_bytes, write_json
from irbench.calibration import Calibration, threshold_as_json
from irbench.errors import UsageError
from irbench.images import ValueRange
from irbench.networks.deployed import (
    CARD_FILE,
    EXAMPLE_FILE,
    FACTS_FILE,
    MODEL_FILE,
    SCHEMA,
)
from irbench.networks.detector import NetworkDetector
from irbench.networks.export import DEFAULT_OPSET, ExportedFile, export_onnx
from irbench.networks.letterbox import PAD_VALUE

EXAMPLE = '''\
"""Detects targets by this model: python detect.py FRAME… Needs numpy, opencv and onnxruntime."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

here = Path(__file__).parent
facts = json.loads((here / "model.json").read_text())
session = onnxruntime.InferenceSession(str(here / "model.onnx"))
size = facts["input_size"]
for name in sys.argv[1:]:
    frame = cv2.imread(name, cv2.IMREAD_UNCHANGED)  # keeps 16 bit
    if frame is None or frame.ndim != 2:
        sys.exit(f"{name} is no grey image")
    whole = (0, np.iinfo(frame.dtype).max) if frame.dtype.kind == "u" else (0, 1)
    low, high = facts["value_range"] or whole
    grey = np.clip((frame.astype(np.float32) - low) / (high - low), 0, 1).astype(np.float32)
    h, w = grey.shape
    ratio = min(size / h, size / w)
    nh, nw = max(1, round(h * ratio)), max(1, round(w * ratio))
    y, x = (size - nh) // 2, (size - nw) // 2
    canvas = np.full((1, 1, size, size), facts["pad_value"], np.float32)
    canvas[0, 0, y : y + nh, x : x + nw] = cv2.resize(grey, (nw, nh))
    boxes, scores, found = session.run(["boxes", "scores", "selected"], {"images": canvas})
    scale = (nw / w, nh / h) * 2
    for _, label, row in found:
        box = ((boxes[0, row] - (x, y, x, y)) / scale).clip(0, (w, h) * 2)
        if scores[0, row, label] >= (facts["threshold"] or 0) and (box[2:] - box[:2] >= 1e-3).all():
            print(name, facts["classes"][label], *box.tolist(), scores[0, row, label].item())
'''


@dataclass(frozen=True)
class ExportedModel:
    """What was written.

    Attributes
    ----------
    folder : Path
    network : ExportedFile
    """

    folder: Path
    network: ExportedFile


def export_model(
    detector: NetworkDetector,
    folder: Path,
    *,
    value_range: ValueRange | None = None,
    calibration: Calibration | None = None,
    opset: int = DEFAULT_OPSET,
    check: bool = True,
) -> ExportedModel:
    """Write a detector as a directory that runs without irbench.

    Parameters
    ----------
    detector : NetworkDetector
        Without tiles.
    folder : Path
        Made where it is missing; files in it of the same names are replaced.
    value_range : (float, float), optional
        Black and white of the camera; by default those of the pixels' type.
    calibration : Calibration, optional
        The threshold; by default everything above the detector's own confidence is kept.
    opset : int
    check : bool
        See :func:`irbench.networks.export.export_onnx`.

    Raises
    ------
    UsageError
        For a detector with tiles, a folder that is a file, or missing packages.
    ExportError
        If the network cannot be exported, or the file computes otherwise.
    """
    if detector.tile is not None:
        raise UsageError("a model with tile=… is not exported as a directory; leave tile out.")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"cannot write {folder}: it is a file, expected a folder.")
    network = export_onnx(
        detector, folder / MODEL_FILE, batch=1, opset=opset, nms=True, check=check
    )
    classes = network.outputs["scores"][-1]
    chosen = calibration or Calibration(None, None, "none")
    facts = {
        "schema": SCHEMA,
        "irbench": irbench.__version__,
        "method": detector.info.name,
        "title": detector.info.title,
        "reference": detector.info.reference,
        "input_size": detector.input_size,
        "pad_value": PAD_VALUE,
        "letterbox": "bilinear as cv2.INTER_LINEAR; sides rounded; centred, odd rests right, below",
        "value_range": None if value_range is None else list(value_range),
        "threshold": threshold_as_json(chosen.threshold),
        "threshold_from": chosen.describe(),
        "classes": ["target"] if classes == 1 else [f"class {n}" for n in range(int(classes))],
        "confidence": detector.confidence,
        "nms_iou": detector.nms_iou,
        "max_detections": detector.max_detections,
    }
    write_json(folder / FACTS_FILE, facts)
    if detector.weights_file is not None:
        write_json(folder / CARD_FILE, detector.weights_file.card.as_dict())
    write_bytes(folder / EXAMPLE_FILE, EXAMPLE.encode())
    return ExportedModel(folder, network)
