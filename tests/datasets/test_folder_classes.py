from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from label_files import write_voc

import irbench
from irbench.conventions import Conventions
from irbench.data.annotations import write_yolo
from irbench.data.annotations.coco import DRAWN_MASKS
from irbench.data.predictions import read_predictions
from irbench.data.stats import compute_stats, format_stats
from irbench.data.verify import format_report, verify
from irbench.datasets.folder import Folder
from irbench.errors import DetectionsError, UnknownNameError, UsageError

SHAPE = (96, 128)
PERSON, CARE, BIRD = [60, 40, 63, 43], [10, 10, 30, 30], [90, 70, 96, 78]
NAMES = ("person", "DontCare", "bird")
IGNORE = Conventions(ignore_classes=("DontCare",))


LAYOUTS = ["coco", "voc", "yolo", "yolo with names", "yolo with yaml"]


@pytest.fixture(params=LAYOUTS)
def root(request, tmp_path):
    """Two images with a person, a bird and a region that nobody cares about."""
    layout = request.param.split()[0]
    boxes, numbers = [PERSON, CARE, BIRD], [0, 1, 2]
    (tmp_path / "images").mkdir()
    for stem in "ab":
        cv2.imwrite(str(tmp_path / "images" / f"{stem}.png"), np.zeros(SHAPE, np.uint8))
        if layout == "yolo":
            (tmp_path / "labels").mkdir(exist_ok=True)
            write_yolo(tmp_path / "labels" / f"{stem}.txt", boxes, SHAPE, classes=numbers)
        elif layout == "voc":
            (tmp_path / "annotations").mkdir(exist_ok=True)
            write_voc(tmp_path / "annotations" / f"{stem}.xml", boxes, SHAPE, classes=NAMES)
    if layout == "coco":
        content = {
            "images": [
                {"id": i, "file_name": f"{s}.png", "height": SHAPE[0], "width": SHAPE[1]}
                for i, s in enumerate("ab")
            ],
            "annotations": [
                {
                    "id": 10 * i + n,
                    "image_id": i,
                    "category_id": n,
                    "bbox": [b[0], b[1], b[2] - b[0], b[3] - b[1]],
                    "iscrowd": 0,
                }
                for i in range(2)
                for n, b in zip(numbers, boxes, strict=True)
            ],
            "categories": [{"id": n, "name": name} for n, name in enumerate(NAMES)],
        }
        (tmp_path / "test.json").write_text(json.dumps(content))
    if request.param == "yolo with names":
        (tmp_path / "labels" / "classes.txt").write_text("\n".join(NAMES) + "\n")
    if request.param == "yolo with yaml":
        text = "train: images  # all\nnames:\n  0: person\n  1: 'DontCare'\n  2: bird\nnc: 3\n"
        (tmp_path / "data.yaml").write_text(text)
    return tmp_path


def called(root, name):
    """A class as the labels of this layout call it."""
    named = Folder(root).class_names or Folder(root).layout == "voc"
    return name if named else str(NAMES.index(name))


def test_without_a_word_all_classes_are_targets_and_verify_says_so(root):
    assert len(Folder(root).load("a").boxes) == 3
    text = "\n".join(format_report(verify(Folder(root).with_split("all"))))
    assert f"{called(root, 'person')}: 2" in text
    if called(root, "DontCare") == "DontCare":
        assert "--ignore-classes 'DontCare'" in text
    else:
        assert "labels of 3 classes all count as targets" in text
    shown = "\n".join(format_stats(compute_stats(Folder(root).with_split("all"))))
    assert f"{called(root, 'bird')}: 2" in shown


@pytest.mark.parametrize("by_number", [False, True])
def test_an_ignored_class_is_neither_target_nor_false_alarm(root, by_number):
    name = "1" if by_number and Folder(root).layout != "voc" else called(root, "DontCare")
    dataset = Folder(root, conventions=Conventions(ignore_classes=(name,)))
    sample = dataset.load("a")
    assert sample.boxes.tolist() == [PERSON, BIRD]
    assert sample.ignored.tolist() == [CARE]
    assert dict(sample.label_counts) == {called(root, n): 1 for n in NAMES}
    found = irbench.Detections([PERSON, BIRD, [12, 12, 15, 15]], [0.9, 0.8, 1])
    result = irbench.evaluate(dict.fromkeys("ab", found), dataset, threshold=0.0)
    assert (result["precision"], result["recall"], result["map50"]) == (1, 1, 1)
    stats = "\n".join(format_stats(compute_stats(dataset.with_split("all"))))
    assert f"{called(root, 'DontCare')}: 2 (ignored)" in stats


def test_only_chosen_classes_are_targets(root):
    dataset = Folder(root, conventions=Conventions(classes=(called(root, "person"),)))
    sample = dataset.load("a")
    assert (sample.boxes.tolist(), len(sample.ignored)) == ([PERSON], 0)
    assert verify(dataset.with_split("all")).n_targets == 2


def test_a_class_that_no_label_has_is_refused(root):
    with pytest.raises(UnknownNameError, match=r"unknown class of .*'dontcar'"):
        Folder(root, conventions=Conventions(ignore_classes=("dontcar",)))


# There are no predictions in VOC.
@pytest.mark.parametrize("root", [one for one in LAYOUTS if one != "voc"], indirect=True)
def test_predictions_of_other_classes_do_not_count(root, tmp_path):
    dataset = Folder(root, conventions=Conventions(classes=(called(root, "person"),)))
    folder = tmp_path / "predicted"
    folder.mkdir()
    for stem in "ab":
        write_yolo(folder / f"{stem}.txt", [PERSON, BIRD], SHAPE, scores=[0.9, 0.8], classes=[0, 2])
    found = read_predictions(folder, dataset)
    assert found.detections["a"].boxes.tolist() == [PERSON]
    assert any("classes that are no targets are left out" in one for one in found.notes)
    for stem in "ab":
        write_yolo(folder / f"{stem}.txt", [PERSON], SHAPE, scores=[0.9], classes=[2])
    with pytest.raises(DetectionsError, match="all predictions are of classes that are no targets"):
        read_predictions(folder, dataset)


def test_a_crowd_is_ignored(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros(SHAPE, np.uint8))
    boxes = [[60, 40, 3, 3], [10, 10, 20, 20]]
    content = {
        "images": [{"id": 1, "file_name": "a.png", "height": SHAPE[0], "width": SHAPE[1]}],
        "annotations": [
            {"id": i, "image_id": 1, "category_id": 1, "bbox": box, "iscrowd": i}
            for i, box in enumerate(boxes)
        ],
        "categories": [{"id": 1, "name": "ship"}],
    }
    (tmp_path / "labels.json").write_text(json.dumps(content))
    sample = Folder(tmp_path).load("a")
    assert (sample.boxes.tolist(), sample.ignored.tolist()) == ([PERSON], [CARE])
    assert "crowd" in sample.notes[0]


@pytest.mark.parametrize("crowds", [2, 1])
def test_where_all_labels_are_crowds_they_are_drawn_masks(tmp_path, crowds):
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros(SHAPE, np.uint8))
    content = {
        "images": [{"id": 1, "file_name": "a.png", "height": SHAPE[0], "width": SHAPE[1]}],
        "annotations": [
            {
                "id": i,
                "image_id": 1,
                "category_id": 1,
                "bbox": box,
                "iscrowd": i < crowds,
                "segmentation": {"counts": [0, 1], "size": list(SHAPE)},
            }
            for i, box in enumerate([[60, 40, 3, 3], [10, 10, 20, 20]])
        ],
        "categories": [{"id": 1, "name": "ship"}],
    }
    (tmp_path / "instances.json").write_text(json.dumps(content))
    sample = Folder(tmp_path).load("a")
    if crowds == 2:
        assert (len(sample.boxes), len(sample.ignored), sample.notes) == (2, 0, (DRAWN_MASKS,))
    else:
        assert (sample.boxes.tolist(), sample.ignored.tolist()) == ([CARE], [PERSON])
        assert "every drawn mask" in sample.notes[0]


def test_masks_have_no_classes(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "a.png"), np.full(SHAPE, 0, np.uint8))
    with pytest.raises(UsageError, match="is read as masks"):
        Folder(tmp_path, conventions=IGNORE)


def test_what_is_ignored_is_part_of_the_content_of_a_dataset(root):
    plain, stated = (
        verify(Folder(root, conventions=one).with_split("all")).manifest_hash
        for one in (
            Conventions(classes=(called(root, "person"),)),
            Conventions(
                classes=(called(root, "person"),), ignore_classes=(called(root, "DontCare"),)
            ),
        )
    )
    assert plain != stated
