"""How lists and label files of other tools name images."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from irbench.datasets.folder import Folder
from irbench.errors import AnnotationError, MissingDataError

SHAPE = (12, 16)
BOX = [3, 4, 3, 2]


def put_images(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / name), np.zeros(SHAPE, np.uint8))


def put_coco(path, names, boxes=True, **changes):
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [
        {"id": i, "file_name": name, "height": SHAPE[0], "width": SHAPE[1]}
        for i, name in enumerate(names)
    ]
    annotations = [
        {"id": i + 1, "image_id": i, "category_id": 1, "bbox": BOX, **changes}
        for i in range(len(names))
    ]
    categories = [{"id": 1, "name": "target"}]
    content = {"images": images, "annotations": annotations if boxes else []}
    path.write_text(json.dumps({**content, "categories": categories}))


def check(folder):
    assert len(folder) > 0
    for name in folder.ids:
        assert folder.load(name).boxes.tolist() == [[3, 4, 6, 6]]


@pytest.mark.parametrize(
    ("image", "file_name"),
    [
        ("train2017/a.png", "a.png"),
        ("data/a.png", "a.png"),
        ("images/default/a.png", "a.png"),
        ("images/a.png", "1/a.png"),
        ("thermal_8_bit/a.png", "thermal_8_bit/a.png"),
        ("frames/x/a.png", "C:\\\\somebody\\\\x\\\\a.png"),
        ("images/a.png", "/data/local-files/?d=up/a.png"),
    ],
)
def test_coco_finds_the_images(tmp_path, image, file_name):
    put_images(tmp_path, image)
    put_coco(tmp_path / "annotations" / "labels.json", [file_name])
    check(Folder(tmp_path, split="all"))


def test_coco_of_the_same_names_in_two_splits(tmp_path):
    for split in ("train", "val"):
        put_images(tmp_path, f"{split}2017/a.png")
        put_coco(tmp_path / "annotations" / f"instances_{split}2017.json", ["a.png"])
    for split in ("train", "val"):
        folder = Folder(tmp_path, split=split)
        assert folder.ids == (f"{split}2017/a",)
        check(folder)


@pytest.mark.parametrize("pattern", ["images/{}/a.png", "{}/images/a.png"])
def test_one_name_in_two_split_folders_is_two_images(tmp_path, pattern):
    for split, text in (("train", "0 0.25 0.25 0.25 0.5\n"), ("test", "")):
        image = pattern.format(split)
        put_images(tmp_path, image)
        label = tmp_path / image.replace("images", "labels").replace("png", "txt")
        label.parent.mkdir(parents=True)
        label.write_text(text)
    assert Folder(tmp_path, split="all").ids == ("test/a", "train/a")
    assert Folder(tmp_path, split="train")[0].boxes.shape == (1, 4)
    assert Folder(tmp_path, split="test")[0].boxes.shape == (0, 4)


def test_a_name_that_means_two_images_is_refused(tmp_path):
    put_images(tmp_path, "x/a.png", "y/a.png")
    put_coco(tmp_path / "labels.json", ["a.png"])
    with pytest.raises(AnnotationError, match=r"one image, not 'x/a' or 'y/a', got 'a\.png'"):
        Folder(tmp_path)


def test_several_coco_files_of_the_same_images(tmp_path):
    put_images(tmp_path, "images/default/a.png")
    put_coco(tmp_path / "annotations" / "image_info_default.json", ["a.png"], boxes=False)
    put_coco(tmp_path / "annotations" / "instances_default.json", ["a.png"])
    put_coco(tmp_path / "annotations" / "stuff_default.json", ["a.png"], bbox=[0, 0, 16, 12])
    check(Folder(tmp_path))
    put_coco(tmp_path / "annotations" / "instances_other.json", ["a.png"])
    with pytest.raises(AnnotationError, match="listed once"):
        Folder(tmp_path)


def test_a_damaged_record_costs_its_image(tmp_path):
    put_images(tmp_path, *(f"images/{name}.png" for name in "abcd"))
    put_coco(tmp_path / "test.json", [f"{name}.png" for name in "abcd"])
    content = json.loads((tmp_path / "test.json").read_text())
    content["annotations"][0]["bbox"] = [3, 4, 3, 0]
    content["annotations"][1]["category_id"] = 9
    content["images"][2]["width"] = -1
    (tmp_path / "test.json").write_text(json.dumps(content))
    folder = Folder(tmp_path)
    for name, message in (("a", "positive width"), ("b", "category_id"), ("c", "pixels")):
        with pytest.raises(AnnotationError, match=message):
            folder.load(name)
    assert folder.load("d").boxes.tolist() == [[3, 4, 6, 6]]


def test_what_does_not_pair_is_named(tmp_path):
    put_images(tmp_path, "images/a.png")
    put_coco(tmp_path / "labels.json", ["b.png"])
    match = r"1 images such as images/a\.png.*labels\.json lists 1 images such as \['b\.png'\]"
    with pytest.raises(MissingDataError, match=match):
        Folder(tmp_path)


def test_folders_of_any_name_pair(tmp_path):
    put_images(tmp_path, "thermal/a.png", "thermal/b.png")
    (tmp_path / "txt").mkdir()
    for name in "ab":
        (tmp_path / "txt" / f"{name}.txt").write_text("0 0.25 0.25 0.25 0.5\n")
    folder = Folder(tmp_path)
    assert (folder.layout, folder.ids) == ("yolo", ("a", "b"))
    assert len(folder[0].boxes) == 1


@pytest.mark.parametrize(
    "lists",
    [
        {"50_50/train.txt": "ab", "50_50/test.txt": "c"},
        {"idx_4/train.txt": "a", "idx_4/val.txt": "b", "idx_4/trainval.txt": "ab"}
        | {"idx_4/test.txt": "c"},
        {"trainval.txt": "ab", "test.txt": "c"},
        {"img_idx/train_X.txt": "ab", "img_idx/test_X.txt": "c"},
        {"X_trainval.txt": "ab", "X_test.txt": "c"},
        {"a_list/of/training.txt": "ab", "a_list/of/testing.txt": "c", "test.txt": ""},
    ],
)
def test_split_lists_where_the_field_keeps_them(tmp_path, lists):
    for name in "abc":
        put_images(tmp_path, f"images/{name}.png", f"masks/{name}.png")
    for path, names in lists.items():
        if names:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text("".join(f"data/images/{name}.png\n" for name in names))
    folder = Folder(tmp_path)
    assert folder.ids == ("c",)
    assert "a" in folder.split_ids("train")


@pytest.mark.parametrize(
    ("train", "test"),
    [("Train.TXT", "Test.TXT"), ("trainlist.txt", "testlist.txt"), ("a/b/c/d/train.txt",) * 2],
)
def test_further_names_and_places_of_lists(tmp_path, train, test):
    for name in "abc":
        put_images(tmp_path, f"images/{name}.png", f"masks/{name}.png")
    test = test.replace("/train", "/test")
    (tmp_path / train).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / train).write_text("# to learn from\na\nb\n")
    (tmp_path / test).write_text("c\n")
    assert Folder(tmp_path).ids == ("c",)
    assert Folder(tmp_path).split_ids("train") == ["a", "b"]


@pytest.mark.parametrize("name", ["train.csv", "test.json", "lists/train.yaml", "split.json"])
def test_lists_that_are_not_read_are_said_where_every_image_is_tested(tmp_path, name):
    put_images(tmp_path, "images/a.png", "masks/a.png")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("a\n" if name.endswith("csv") else '["a"]')
    folder = Folder(tmp_path)
    assert any(f"{name} may be split lists" in note for note in folder.load("a").notes)
    assert any("may be split lists" in line for line in folder.understood())
    (tmp_path / "test.txt").write_text("a\n")
    assert not any("split lists" in note for note in Folder(tmp_path).load("a").notes)
