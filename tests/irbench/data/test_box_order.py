from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from label_files import read_coco_results

from irbench.data.annotations import read_coco
from irbench.data.annotations.box_order import coco_contradiction, yolo_contradiction
from irbench.datasets.folder import Folder
from irbench.errors import AnnotationError

SHAPE = (480, 640)


def targets(seed, n, largest):
    rng = np.random.default_rng(seed)
    sides = rng.integers(1, largest + 1, (n, 2))
    corner = rng.integers(0, np.array([640, 480]) - sides)
    return np.hstack([corner, sides]).astype(float)


def as_corners(boxes):
    return np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("largest", [3, 20, 400])
@pytest.mark.parametrize("with_areas", [True, False])
def test_sound_boxes_are_not_doubted_and_corners_are_found(seed, largest, with_areas):
    boxes = targets(seed, 12, largest)
    shapes = np.tile(np.array(SHAPE, float), (12, 1))
    areas = boxes[:, 2] * boxes[:, 3] if with_areas else np.full(12, np.nan)
    assert coco_contradiction(boxes, areas, shapes) == ""
    assert "corners" in coco_contradiction(as_corners(boxes), areas, shapes)
    fractions = boxes / np.array([640, 480, 640, 480])
    assert "fractions" in coco_contradiction(fractions, areas, shapes)
    centred = np.hstack([fractions[:, :2] + fractions[:, 2:] / 2, fractions[:, 2:]])
    assert yolo_contradiction(centred) == ""
    assert "corners" in yolo_contradiction(as_corners(fractions))


def test_boxes_that_end_at_their_last_pixel_are_found_by_their_areas():
    boxes, shapes = targets(3, 6, 4), np.tile(np.array(SHAPE, float), (6, 1))
    areas = boxes[:, 2] * boxes[:, 3]
    shrunk = boxes - [0, 0, 1, 1]
    assert "end at the last pixel" in coco_contradiction(shrunk, areas, shapes)
    # Areas of masks are smaller than their boxes, and one sound box is enough.
    assert coco_contradiction(boxes, areas * 0.7, shapes) == ""
    assert coco_contradiction(np.vstack([shrunk[:5], boxes[5:]]), areas, shapes) == ""


def test_few_boxes_prove_nothing_without_their_areas():
    shape = np.array([SHAPE], float)
    box = np.array([[30.0, 40, 63, 43]])
    assert coco_contradiction(box, np.array([np.nan]), shape) == ""
    assert coco_contradiction(box, np.array([63.0 * 43]), shape) == ""
    assert "areas" in coco_contradiction(box, np.array([33.0 * 3]), shape)
    assert yolo_contradiction(np.array([[0.9, 0.8, 0.92, 0.83]])) == ""


def test_a_file_of_corners_is_refused_whole(tmp_path):
    content = {
        "images": [{"id": 1, "file_name": "a.png", "height": 480, "width": 640}],
        "annotations": [
            {"id": i, "image_id": 1, "category_id": 1, "bbox": box}
            for i, box in enumerate(as_corners(targets(1, 9, 5)).tolist())
        ],
        "categories": [{"id": 1, "name": "t"}],
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content))
    with pytest.raises(AnnotationError, match=r"a\.json: expected boxes .* as corners"):
        read_coco(path)


def test_a_folder_of_yolo_corners_is_refused_whole(tmp_path):
    boxes = as_corners(targets(2, 8, 5)) / np.array([640, 480, 640, 480])
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    for index, box in enumerate(boxes):
        cv2.imwrite(str(tmp_path / "images" / f"{index}.png"), np.zeros(SHAPE, np.uint8))
        line = " ".join(f"{value:.6f}" for value in box)
        (tmp_path / "labels" / f"{index}.txt").write_text(f"0 {line}\n")
    for index in range(len(boxes)):
        with pytest.raises(AnnotationError, match="as corners x0 y0 x1 y1"):
            Folder(tmp_path).load(str(index))


def test_json_with_a_byte_order_mark_and_whole_sizes_as_fractions_are_read(tmp_path):
    content = {
        "images": [{"id": 1, "file_name": "a.png", "height": 48.0, "width": 64.0}],
        "annotations": [],
    }
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(content).encode())
    assert read_coco(path).images[0].shape == (48, 64)


def test_results_of_corners_are_refused_whole(tmp_path):
    path = tmp_path / "a.json"
    for boxes, refused in ((targets(3, 9, 5), False), (as_corners(targets(3, 9, 5)), True)):
        results = [
            {"image_id": 1, "category_id": 1, "bbox": box, "score": 0.5} for box in boxes.tolist()
        ]
        path.write_text(json.dumps(results))
        if refused:
            with pytest.raises(AnnotationError, match="as corners"):
                read_coco_results(path, {1: SHAPE})
        else:
            assert len(read_coco_results(path, {1: SHAPE})[1]) == 9
