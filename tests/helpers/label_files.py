"""Label files as other programs write them, which irbench only reads."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

import numpy as np

from irbench.data.annotations._coco_fields import read_json
from irbench.data.annotations.coco import parse_coco_results


def write_voc(path, boxes, shape, *, filename=None, classes=None, origin=1, inclusive=True):
    """PASCAL VOC XML of half-open boxes in pixels; conventions as of ``read_voc``."""
    root = Element("annotation")
    SubElement(root, "filename").text = filename or f"{Path(path).stem}.png"
    size = SubElement(root, "size")
    for name, side in zip(("width", "height", "depth"), (shape[1], shape[0], 1), strict=True):
        SubElement(size, name).text = str(side)
    end = origin - int(inclusive)
    corners = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    for index, (x0, y0, x1, y1) in enumerate(corners.tolist()):
        item = SubElement(root, "object")
        SubElement(item, "name").text = "target" if classes is None else classes[index]
        box = SubElement(item, "bndbox")
        sides = {"xmin": x0 + origin, "ymin": y0 + origin, "xmax": x1 + end, "ymax": y1 + end}
        for name, value in sides.items():
            SubElement(box, name).text = f"{value:.10g}"
    indent(root)
    ElementTree(root).write(path, encoding="utf-8")


def write_coco_results(path, detections):
    """Detections by image id as COCO's evaluator reads them."""
    results = []
    for image_id, found in detections.items():
        double = np.asarray(found.boxes, dtype=np.float64)
        bboxes = np.hstack([double[:, :2], double[:, 2:] - double[:, :2]]).tolist()
        for bbox, score in zip(bboxes, found.scores.tolist(), strict=True):
            result = {"image_id": image_id, "category_id": 1, "bbox": bbox, "score": score}
            results.append(result)
    Path(path).write_text(json.dumps(results))


def read_coco_results(path, shapes):
    """What the file says, by image id."""
    return parse_coco_results(read_json(path), shapes, path)
