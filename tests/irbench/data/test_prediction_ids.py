"""Which images the numbers of COCO results mean."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from irbench.data.annotations import CocoImage, write_coco
from irbench.data.predictions import read_predictions
from irbench.datasets.folder import Folder
from irbench.errors import DetectionsError


def numbered_folder(root, numbers):
    """Images called by numbers, in a COCO file that numbers them otherwise."""
    images = []
    for index, number in enumerate(numbers):
        (root / "images").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / "images" / f"{index:04d}.png"), np.zeros((20, 30), np.uint8))
        images.append(CocoImage(id=number, file_name=f"{index:04d}.png", shape=(20, 30)))
    write_coco(root / "labels.json", images, {numbers[0]: [[3, 3, 6, 6]]})
    return Folder(root)


def results(path, *ids, **more):
    bbox = [3, 3, 3, 3]
    content = [{"image_id": i, "category_id": 1, "bbox": bbox, "score": 0.5} | more for i in ids]
    path.write_text(json.dumps(content))
    return path


def test_numbers_of_images_are_those_of_the_labels_or_of_the_names_and_said(tmp_path):
    dataset = numbered_folder(tmp_path / "data", [101, 102, 103])
    found = read_predictions(results(tmp_path / "a.json", 101), dataset)
    assert len(found.detections["0000"]) == 1
    assert "image ids are those of the dataset's COCO labels" in found.notes
    found = read_predictions(results(tmp_path / "b.json", 0, 2), dataset)
    assert [len(found.detections[f"000{i}"]) for i in range(3)] == [1, 0, 1]
    assert any("numbers in the images' names: 0 is '0000'" in note for note in found.notes)


def test_numbers_that_mean_two_images_are_not_guessed(tmp_path):
    dataset = numbered_folder(tmp_path / "data", [1, 2, 3])
    with pytest.raises(DetectionsError, match=r"image id 1 is '0001' by .* '0000' by .*--images"):
        read_predictions(results(tmp_path / "a.json", 1, 2), dataset)
    found = read_predictions(
        results(tmp_path / "a.json", 1), dataset, images=tmp_path / "data" / "labels.json"
    )
    assert len(found.detections["0000"]) == 1
    # What stands beside the number decides.
    found = read_predictions(results(tmp_path / "b.json", 1, file_name="0001.png"), dataset)
    assert len(found.detections["0001"]) == 1
    # All of them the same by both: nothing to decide.
    same = numbered_folder(tmp_path / "same", [0, 1, 2])
    assert len(read_predictions(results(tmp_path / "c.json", 1), same).detections["0001"]) == 1
