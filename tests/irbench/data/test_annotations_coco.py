from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_files import read_coco_results, write_coco_results
from pycocotools.coco import COCO

from irbench.data.annotations import CocoImage, numbers_of, read_coco, write_coco
from irbench.data.annotations.coco import REPEATED_IDS
from irbench.detections import Detections
from irbench.errors import AnnotationError

DATASET: dict[str, Any] = {
    "images": [
        {"id": 5, "file_name": "a.png", "height": 20, "width": 30},
        {"id": "b", "file_name": "b.png", "height": 40, "width": 50},
    ],
    "annotations": [
        {"id": 0, "image_id": 5, "category_id": 1, "bbox": [3, 4, 3, 5]},
        {"id": 1, "image_id": 5, "category_id": 2, "bbox": [0.5, 0, 29.5, 20], "iscrowd": 0},
    ],
    "categories": [{"id": 1, "name": "ship"}, {"id": 2}],
}
RESULT = {"image_id": 5, "category_id": 1, "bbox": [3, 4, 3, 5], "score": 0.5}
SHAPES = {5: (20, 30), "b": (40, 50)}


@pytest.fixture
def write(tmp_path):
    def to_file(content: Any):
        path = tmp_path / "a.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return to_file


def changed(where: str, value: Any) -> dict[str, Any]:
    """The data set with one field replaced, or dropped where the value is ``...``."""
    content = copy.deepcopy(DATASET)
    *path, last = where.split(".")
    target: Any = content
    for key in path:
        target = target[int(key) if key.isdigit() else key]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return content


def test_reads_what_the_format_says(write):
    read = read_coco(write(DATASET))
    assert read.images == (
        CocoImage(id=5, file_name="a.png", shape=(20, 30)),
        CocoImage(id="b", file_name="b.png", shape=(40, 50)),
    )
    # Annotation id 0 is tolerated, and an image without annotations has no targets.
    assert read.labels[5].boxes.tolist() == [[3, 4, 6, 9], [0.5, 0, 30, 20]]
    assert read.labels[5].classes == ("ship", "2")
    assert read.labels[5].scores is None
    assert read.labels["b"].boxes.shape == (0, 4)


def test_scores_of_annotations(write):
    content = changed("annotations.0.score", 0.25)
    with pytest.raises(AnnotationError, match=r"annotations\[1\]: expected the field 'score'"):
        read_coco(write(content))
    content["annotations"][1]["score"] = 1
    assert read_coco(write(content)).labels[5].scores.tolist() == [0.25, 1.0]


@pytest.mark.parametrize(
    ("where", "value", "expected"),
    [
        ("images", ..., ": expected the field 'images'"),
        ("annotations", ..., ": expected the field 'annotations'"),
        ("annotations", {}, "annotations: expected a list"),
        ("annotations", [3], "annotations[0]: expected an object, got 3"),
        ("images.0.id", ..., "images[0]: expected the field 'id'"),
        ("images.0.id", 1.5, "images[0].id: expected a whole number or a name, got 1.5"),
        ("images.0.id", True, "images[0].id: expected a whole number or a name"),
        ("images.0.id", "b", "images[1].id: expected one that occurs once, got 'b'"),
        ("images.0.file_name", "b.png", "images[1].file_name: expected one that occurs once"),
        ("images.0.file_name", "", "images[0].file_name: expected a file name"),
        ("images.0.file_name", 3, "images[0].file_name: expected a file name"),
        ("images.0.height", ..., "images[0]: expected the field 'height'"),
        ("images.0.height", 0, "images[0].height: expected a whole number of pixels, got 0"),
        ("images.0.width", 30.5, "images[0].width: expected a whole number of pixels"),
        ("images.0.height", None, "images[0].height: expected a whole number of pixels"),
        ("annotations.1.id", 0.5, "annotations[1].id: expected a whole number or a name"),
        ("annotations.0.image_id", 9, "annotations[0].image_id: expected one that the file"),
        ("annotations.0.image_id", [], "annotations[0].image_id: expected a whole number or a"),
        ("annotations.0.category_id", 3, "annotations[0].category_id: expected one that the"),
        ("annotations.0.category_id", {}, "annotations[0].category_id: expected a whole number"),
        ("categories.1.id", 1, "categories[1].id: expected one that occurs once"),
        ("annotations.0.iscrowd", 2, "annotations[0].iscrowd: expected 0"),
        ("annotations.0.bbox", ..., "annotations[0]: expected the field 'bbox'"),
        ("annotations.0.bbox", [1, 2, 3], "annotations[0].bbox: expected [x, y, width, height]"),
        ("annotations.0.bbox", "1234", "annotations[0].bbox: expected [x, y, width, height]"),
        ("annotations.0.bbox", [1, 2, "3", 4], "annotations[0].bbox: expected a number, got '3'"),
        ("annotations.0.bbox", [1, 2, None, 4], "annotations[0].bbox: expected a number"),
        ("annotations.0.bbox", [1, 2, True, 4], "annotations[0].bbox: expected a number"),
        ("annotations.0.bbox", [1, 2, -3, 4], "annotations[0].bbox: expected a box of positive"),
        ("annotations.0.bbox", [1, 2, 3, 0], "annotations[0].bbox: expected a box of positive"),
        ("annotations.0.bbox", [1, 2, 30, 4], "annotations[0].bbox: expected a box inside the"),
        ("annotations.0.bbox", [1, 2, 1e30, 4], "annotations[0].bbox: expected pixels up to"),
    ],
)
def test_refuses_what_is_malformed(write, where, value, expected):
    path = write(changed(where, value))
    with pytest.raises(AnnotationError) as caught:
        read_coco(path)
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)
    assert ", got " in str(caught.value)


def test_labels_without_ids_and_unlabelled_images_without_a_size_are_read(write):
    content = changed("annotations.0.id", ...)
    del content["annotations"][1]["id"]
    content["images"][1] |= {"height": None, "width": None}
    found, plain = read_coco(write(content)), read_coco(write(DATASET))
    assert [image.shape for image in found.images] == [(20, 30), (0, 0)]
    for image_id, labels in plain.labels.items():
        np.testing.assert_array_equal(found.labels[image_id].boxes, labels.boxes)
        assert not found.labels[image_id].notes


def test_ids_that_repeat_are_as_good_as_any_and_said(write):
    plain, found = (read_coco(write(changed("annotations.1.id", n))).labels for n in (77, 0))
    for image_id, labels in plain.items():
        np.testing.assert_array_equal(found[image_id].boxes, labels.boxes)
    assert [labels.notes for labels in found.values() if labels.notes] == [(REPEATED_IDS,)]


@pytest.mark.parametrize(
    "text",
    [
        *(json.dumps(DATASET)[:-20], "", "[" * 3000),
        json.dumps(changed("annotations.0.bbox", [float("nan"), 1, 2, 3])),
        json.dumps(changed("annotations.0.bbox", [float("inf"), 1, 2, 3])),
    ],
)
def test_refuses_what_is_no_json(write, text):
    with pytest.raises(AnnotationError, match=r"a\.json, line \d+, column \d+: expected complete"):
        read_coco(write(text))


def test_refuses_files_that_cannot_be_read(tmp_path, write):
    with pytest.raises(AnnotationError, match="cannot read the labels"):
        read_coco(tmp_path / "none.json")
    with pytest.raises(AnnotationError, match="expected an object with 'images'"):
        read_coco(write([RESULT]))
    with pytest.raises(AnnotationError, match="cannot write"):
        write_coco(tmp_path / "none" / "a.json", [], {})


def test_reads_results(write):
    far = {**RESULT, "image_id": "b", "bbox": [-2, -1, 60, 50], "score": -3}
    read = read_coco_results(write([RESULT, far]), SHAPES)
    assert read[5].boxes.tolist() == [[3, 4, 6, 9]]
    assert read[5].scores.tolist() == [0.5]
    # Detectors overhang the image; what lies outside of it is cut off.
    height, width = SHAPES["b"]
    assert read["b"].boxes.tolist() == [[0, 0, min(58, width), min(49, height)]]
    assert read_coco_results(write([]), SHAPES)["b"].scores.shape == (0,)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"image_id": 6}, "[0].image_id: expected one that"),
        ({"score": None}, "[0].score: expected a number, got None"),
        ({"score": "high"}, "[0].score: expected a number, got 'high'"),
        ({"score": 1e99}, "[0].score: expected a number within single precision"),
        ({"bbox": [40, 4, 3, 5]}, "[0].bbox: expected a box that meets the 20x30 image"),
        ({"bbox": [3, 4, -3, 5]}, "[0].bbox: expected a box of positive width and height"),
    ],
)
def test_refuses_malformed_results(write, change, expected):
    with pytest.raises(AnnotationError) as caught:
        read_coco_results(write([{**RESULT, **change}]), SHAPES)
    assert expected in str(caught.value)
    of_mask = {**{k: v for k, v in RESULT.items() if k != "bbox"}, "segmentation": {}}
    with pytest.raises(AnnotationError, match="a segmentation alone; write its box too"):
        read_coco_results(write([of_mask]), SHAPES)
    for name in ("image_id", "bbox", "score"):
        incomplete = {key: value for key, value in RESULT.items() if key != name}
        with pytest.raises(AnnotationError, match=rf"\[0\]: expected the field '{name}'"):
            read_coco_results(write([incomplete]), SHAPES)


@st.composite
def boxes_in(draw, shape):
    height, width = shape
    boxes = []
    for _ in range(draw(st.integers(0, 4))):
        # Three boxes under a pixel in the corner are refused as fractions.
        x0 = draw(st.floats(0, width - 2, width=32))
        y0 = draw(st.floats(0, height - 2, width=32))
        x1, y1 = draw(st.floats(x0 + 1.5, width)), draw(st.floats(y0 + 1.5, height))
        boxes.append((x0, y0, x1, y1))
    return np.array(boxes, dtype=np.float32).reshape(-1, 4)


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_boxes_survive_exactly(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("coco") / "a.json"
    shapes = {1: (20, 30), 2: (700, 900)}
    images = [CocoImage(id=i, file_name=f"{i}.png", shape=shape) for i, shape in shapes.items()]
    boxes = {image.id: data.draw(boxes_in(image.shape)) for image in images}
    write_coco(path, images, boxes)
    read = read_coco(path)
    assert read.images == tuple(images)
    for image_id, expected in boxes.items():
        np.testing.assert_array_equal(read.labels[image_id].boxes, expected)
    scores = {i: np.linspace(0, 1, len(b), dtype=np.float32) for i, b in boxes.items()}
    found = {i: Detections(b, scores[i]) for i, b in boxes.items()}
    write_coco_results(path, found)
    results = read_coco_results(path, shapes)
    for image_id, expected in found.items():
        assert Detections(results[image_id].boxes, results[image_id].scores) == expected


def test_pycocotools_reads_what_is_written(tmp_path, capsys):
    images = [CocoImage(id=i, file_name=f"{i}.png", shape=(20, 30)) for i in (3, 4)]
    path = tmp_path / "a.json"
    write_coco(path, images, {3: np.array([[3, 4, 6, 9], [1, 1, 2, 2]])}, {3: np.array([11, 1])})
    coco = COCO(path)
    capsys.readouterr()
    assert coco.getAnnIds() == [1, 2]  # from 1: 0 would never be matched
    assert coco.getImgIds() == [3, 4]
    assert coco.anns[1]["bbox"] == [3, 4, 3, 5]
    assert [coco.anns[i]["area"] for i in (1, 2)] == [11, 1]
    assert coco.getAnnIds(imgIds=[4]) == []
    write_coco(path, images, {3: np.array([[3, 4, 6, 9]])})
    assert json.loads(path.read_text())["annotations"][0]["area"] == 15


def test_refuses_to_write_boxes_of_unlisted_images(tmp_path):
    with pytest.raises(AnnotationError, match=r"images that are not listed: .'7'"):
        write_coco(tmp_path / "a.json", [], {7: np.zeros((0, 4))})


def test_numbers_of():
    assert numbers_of(["000", "12"]) == {"000": 0, "12": 12}
    assert numbers_of(["1", "01"]) is None
    assert numbers_of(["1", "x"]) is None
    assert numbers_of(["1", "²"]) is None
