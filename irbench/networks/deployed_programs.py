"""The programs of model directories: what a device runs, without irbench and without torch."""

from __future__ import annotations

_HEAD = '''\
"""Detects by this model: python detect.py FRAME… Needs {packages}."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
{more}
here = Path(__file__).parent
facts = json.loads((here / "model.json").read_text())
session = onnxruntime.InferenceSession(str(here / "model.onnx"))
size = facts["input_size"]
for name in sys.argv[1:]:
    frame = cv2.imread(name, cv2.IMREAD_UNCHANGED)  # keeps 16 bit
    if frame is None or frame.ndim != 2 or not np.isfinite(frame).all():
        sys.exit(f"{{name}} is no grey image of finite values")
    whole = (0, np.iinfo(frame.dtype).max) if frame.dtype.kind == "u" else (0, 1)
    low, high = facts["value_range"] or whole
    if not facts["value_range"] and (frame.min() < low or frame.max() > high):
        sys.exit(f"{{name}} holds values outside {{whole}}: export the model with --value-range")
    grey = np.clip((frame.astype(np.float32) - low) / (high - low), 0, 1).astype(np.float32)
    h, w = grey.shape
'''

OF_BOXES = (
    _HEAD.format(packages="numpy, opencv and onnxruntime", more="")
    + """\
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
"""
)

OF_MAPS = (
    _HEAD.format(
        packages="numpy, scipy, opencv and onnxruntime", more="from scipy import ndimage\n"
    )
    + """\
    grey = cv2.resize(grey, (facts["squash"],) * 2) if facts["squash"] else grey
    if max(grey.shape) > size:
        sys.exit(f"{name} is larger than {size} px: export the model with a greater --imgsz")
    rows, columns = map(slice, grey.shape)
    grey = grey / (grey.max() or 1) if facts["divided_by_maximum"] else grey
    mean, std = (np.array(facts[key], np.float32)[:, None, None] for key in ("mean", "std"))
    canvas = np.zeros((1, facts["channels"], size, size), np.float32)
    canvas[0, :, rows, columns] = (grey - mean) / std
    found = session.run(["probabilities"], {"images": canvas})[0][0, 0, rows, columns].clip(0, 1)
    found = cv2.resize(found, (w, h)) if facts["squash"] else found
    labels, n = ndimage.label(found >= facts["pixel_threshold"], np.ones((3, 3)))
    scores = ndimage.mean(found, labels, range(1, n + 1))
    for (y, x), score in zip(ndimage.find_objects(labels), scores):
        if score >= (facts["threshold"] or 0):
            print(name, facts["classes"][0], x.start, y.start, x.stop, y.stop, score)
"""
)
