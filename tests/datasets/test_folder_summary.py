"""What ``irbench data verify`` says was made of a folder."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from label_files import write_voc

from irbench.cli.main import irbench as command
from irbench.conventions import Conventions
from irbench.data.annotations import write_coco, write_yolo
from irbench.data.annotations.coco import CocoImage
from irbench.data.verify import format_report, verify
from irbench.datasets.folder import Folder

SHAPE = (48, 64)
BOX = [20, 10, 23, 13]


def put_image(path, dtype=np.uint8):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", np.zeros(SHAPE, dtype))[1].tobytes())


def folder(root, layout, stems="abc"):
    for stem in stems:
        put_image(root / "images" / f"{stem}.png")
    (root / "labels").mkdir(exist_ok=True)
    for stem in stems:
        if layout == "masks":
            mask = np.zeros(SHAPE, np.uint8)
            mask[10:13, 20:23] = 255
            path = root / "labels" / f"{stem}.png"
            path.write_bytes(cv2.imencode(".png", mask)[1].tobytes())
        elif layout == "voc":
            write_voc(root / "labels" / f"{stem}.xml", [BOX], SHAPE)
        elif layout == "yolo":
            write_yolo(root / "labels" / f"{stem}.txt", [BOX], SHAPE)
        elif layout == "labelme":
            shape = {"label": "ship", "shape_type": "rectangle", "points": [BOX[:2], BOX[2:]]}
            (root / "labels" / f"{stem}.json").write_text(json.dumps({"shapes": [shape]}))
    if layout == "coco":
        images = [CocoImage(id=i, file_name=f"{s}.png", shape=SHAPE) for i, s in enumerate(stems)]
        boxes = {i: [BOX] for i in range(len(stems))}
        write_coco(root / "labels" / "instances.json", images, boxes)
    if layout == "cvat":
        images = "".join(
            f'<image name="{stem}.png" width="64" height="48">'
            '<box label="ship" xtl="20" ytl="10" xbr="23" ybr="13"/></image>'
            for stem in stems
        )
        (root / "labels" / "annotations.xml").write_text(f"<annotations>{images}</annotations>")
    return root


TITLES = {
    "masks": "masks; 3 images in images/; 3 label files in labels/",
    "voc": "PASCAL VOC; 3 images in images/; 3 label files in labels/",
    "yolo": "YOLO; 3 images in images/; 3 label files in labels/",
    "labelme": "labelme; 3 images in images/; 3 label files in labels/",
    "coco": "COCO; 3 images in images/; labels of 3 images in labels/instances.json",
    "cvat": "CVAT for images; 3 images in images/; labels of 3 images in labels/annotations.xml",
}


@pytest.mark.parametrize("layout", TITLES)
def test_each_layout_says_what_was_understood(tmp_path, layout):
    root = folder(tmp_path, layout)
    report = verify(Folder(root))
    text = "\n".join(format_report(report))
    assert report.ok
    assert f"layout: {TITLES[layout]}" in text
    assert "splits: test 3, as no list, folder or file states any: every image is tested" in text
    assert "values: 3 images of uint8, black 0, white 255" in text
    assert "conventions stated: none" in text
    assert list(report.understood) == report.as_dict()["understood"]
    if layout in ("labelme", "cvat"):
        assert "classes: ship: 3" in text


def test_the_source_of_the_splits_and_what_is_not_used(tmp_path):
    root = folder(tmp_path, "yolo")
    (root / "lists").mkdir()
    (root / "lists" / "train.txt").write_text("a\nb\n")
    (root / "lists" / "test.txt").write_text("c\n")
    (root / "lists" / "test_other.txt").write_text("b\n")
    write_voc(root / "labels" / "a.xml", [BOX], SHAPE)
    (root / "export.json").write_text("{}")
    text = "\n".join(Folder(root, layout="yolo").understood())
    assert "splits: train 2, test 1, of lists/train.txt, lists/test.txt" in text
    assert "not used: lists/test_other.txt: plainer names are there" in text
    assert "not used: 1 .xml file such as labels/a.xml" in text
    assert "not used: 1 .json file such as export.json" in text
    assert "conventions stated: layout = yolo" in text


def test_lists_that_compete_are_printed_and_one_that_is_not_chosen_is_said(tmp_path):
    root = folder(tmp_path, "masks")
    for scheme, parts in {"50_50": ("a", "bc"), "idx_427": ("ab", "c")}.items():
        (root / scheme).mkdir()
        for split, stems in zip(("train", "test"), parts, strict=True):
            (root / scheme / f"{split}.txt").write_text("\n".join(stems))
    done = CliRunner().invoke(command, ["data", "verify", str(root)], standalone_mode=False)
    assert done.return_value == 0
    assert (
        "splits: several sets of lists: 50_50 (2 test, 1 train); idx_427 (1 test, 2 train); "
        "commands that test ask for --scheme NAME"
    ) in done.output
    text = "\n".join(Folder(root, scheme="idx_427").understood())
    assert "of idx_427/train.txt, idx_427/test.txt" in text
    assert "split lists not chosen: 50_50 (2 test, 1 train)" in text


def test_a_stated_value_range_is_the_one_in_force(tmp_path):
    for name in ("images", "masks"):
        put_image(tmp_path / name / "a.png", np.uint16 if name == "images" else np.uint8)
    dataset = Folder(tmp_path, conventions=Conventions(value_range=(0, 16383)))
    text = "\n".join(format_report(verify(dataset)))
    assert "values: 1 image of uint16, black 0, white 16383" in text
    assert "conventions stated: value_range = [0.0, 16383.0]" in text


def test_names_that_are_not_utf8_are_escaped_named_and_run(tmp_path):
    stem = b"caf\xe9".decode("utf-8", "surrogateescape")
    try:
        root = folder(tmp_path / "data", "masks", ["a", stem])
    except (OSError, UnicodeEncodeError):
        pytest.skip("the file system takes no such name")
    dataset = Folder(root)
    assert dataset.ids == ("a", "caf%E9")
    assert len(dataset.load("caf%E9").boxes) == 1
    text = "\n".join(format_report(verify(dataset)))
    assert "not UTF-8" in text
    assert "caf%E9" in text
    # A damaged one is left out by its name, and the run ends as any other.
    (root / "images" / f"{stem}.png").write_bytes(b"no image")
    out = tmp_path / "run"
    words = ["run", "--methods", "tophat", "--dataset", str(root), "--out", str(out), "-q"]
    options = ["--jobs", "1", "--timing-images", "0", "--threshold", "5"]
    done = CliRunner().invoke(command, [*words, *options], standalone_mode=False)
    assert done.exception is None
    assert done.return_value == 1
    left_out = json.loads((out / "run.json").read_text())["dataset"]["left_out"]["test"]
    assert list(left_out) == ["caf%E9"]
