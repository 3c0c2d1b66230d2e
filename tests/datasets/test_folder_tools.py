"""Folders as labelling tools leave them: read by their layout, or refused by their name."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from irbench.conventions import Conventions
from irbench.data.annotations import write_yolo
from irbench.datasets.folder import Folder
from irbench.errors import AnnotationError, MissingDataError

SHAPE = (48, 64)
BOX = [20, 10, 23, 13]
POINTS = [[20, 10], [23, 13]]


def write(path, image=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros(SHAPE, np.uint8) if image is None else image)
    return path


def labelme(path, **more):
    shape = {"label": "ship", "shape_type": "rectangle", "points": POINTS, "group_id": None}
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"version": "5", "shapes": [shape], "imageHeight": SHAPE[0], "imageWidth": SHAPE[1]}
    path.write_text(json.dumps(content | more))


@pytest.mark.parametrize("place", ["", "images/", "labels/", "annotations/"])
def test_labelme_lies_beside_the_images_or_in_a_folder_of_labels(tmp_path, place):
    images = "images/" if place else ""
    for stem in "ab":
        write(tmp_path / f"{images}{stem}.png")
        labelme(tmp_path / f"{place}{stem}.json")
    dataset = Folder(tmp_path)
    assert (dataset.layout, dataset.ids) == ("labelme", ("a", "b"))
    assert dataset.load("a").boxes.tolist() == [BOX]
    assert dict(dataset.load("a").label_counts) == {"ship": 1}
    ignoring = Folder(tmp_path, conventions=Conventions(ignore_classes=("ship",)))
    assert ignoring.load("a").ignored.tolist() == [BOX]


def test_a_damaged_labelme_file_costs_its_image(tmp_path):
    for stem in "ab":
        write(tmp_path / f"{stem}.png")
        labelme(tmp_path / f"{stem}.json")
    (tmp_path / "b.json").write_text('{"shapes": [')
    dataset = Folder(tmp_path)
    assert dataset.load("a").boxes.tolist() == [BOX]
    with pytest.raises(AnnotationError, match=r"b\.json.*complete JSON"):
        dataset.load("b")


def cvat(path, names, *, subset=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    images = "".join(
        f'<image id="{i}" name="{name}" subset="{subset}" width="{SHAPE[1]}" height="{SHAPE[0]}">'
        '<box label="ship" xtl="20" ytl="10" xbr="23" ybr="13"/></image>'
        for i, name in enumerate(names)
    )
    path.write_text(
        f"<?xml version='1.0'?><annotations><version>1.1</version>{images}</annotations>"
    )


@pytest.mark.parametrize("prefix", ["", "set1/", "images/default/", "C:\\data\\"])
def test_cvat_lists_images_by_names_that_need_not_be_paths_here(tmp_path, prefix):
    for stem in "ab":
        write(tmp_path / "images" / f"{stem}.png")
    cvat(tmp_path / "annotations.xml", [f"{prefix}{stem}.png" for stem in "ab"])
    dataset = Folder(tmp_path)
    assert (dataset.layout, dataset.ids) == ("cvat", ("a", "b"))
    assert dataset.load("b").boxes.tolist() == [BOX]


def test_cvat_tells_splits_by_its_subsets(tmp_path):
    for stem in "abcd":
        write(tmp_path / "images" / f"{stem}.png")
    cvat(tmp_path / "one.xml", ["a.png", "b.png"], subset="Train")
    cvat(tmp_path / "two.xml", ["c.png"], subset="test")
    dataset = Folder(tmp_path)
    assert dataset.ids == ("c",)
    assert dataset.with_split("train").ids == ("a", "b")
    with pytest.raises(AnnotationError, match=r"no CVAT file of .* lists the image"):
        dataset.load("d")


def test_cvat_lies_in_the_folder_of_annotations_too(tmp_path):
    write(tmp_path / "images" / "a.png")
    cvat(tmp_path / "annotations" / "annotations.xml", ["a.png"])
    assert Folder(tmp_path).load("a").boxes.tolist() == [BOX]


FOREIGN = {
    "Label Studio exports": ("export.json", [{"id": 1, "data": {}, "annotations": []}]),
    r"Label Studio exports \(JSON-MIN\)": ("min.json", [{"image": "/data/a.png", "label": []}]),
    r"VGG Image Annotator \(VIA\) projects": ("via.json", {"_via_settings": {}}),
    r"VGG Image Annotator \(VIA\) annotations": (
        "via_region_data.json",
        {"a.png123": {"filename": "a.png", "size": 123, "regions": []}},
    ),
    "Supervisely annotations": ("ann/a.png.json", {"objects": [], "size": {}}),
    "Supervisely projects": ("meta.json", {"classes": [], "tags": [], "projectType": "images"}),
    "Darwin": ("a.v7.json", {"item": {}, "annotations": []}),
    "Datumaro": ("annotations/default.json", {"info": {}, "categories": {}, "items": []}),
    "VoTT": ("vott.json", {"assets": {}}),
    "CreateML": ("createml.json", [{"image": "a.png", "annotations": []}]),
    "Labelbox": ("export.json", [{"data_row": {}}]),
    "BDD100K": ("labels.json", [{"name": "a.png", "labels": []}]),
    "CVAT for video": ("video.xml", '<annotations><track id="0" label="t"/></annotations>'),
    "MOT tracks": ("gt/gt.txt", "1,1,20,10,3,3,1,1,1\n2,1,21,10,3,3,1,1,1\n"),
    r"boxes in a table \(CSV\)": ("labels.csv", "filename,class,xmin,ymin,xmax,ymax\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_not_read_is_refused_by_its_name(tmp_path, name):
    write(tmp_path / "images" / "a.png")
    file, content = FOREIGN[name]
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises((MissingDataError, AnnotationError), match=name) as caught:
        Folder(tmp_path)
    assert path.name in str(caught.value)
    assert "export" in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 .1 .1 .2 .1 .2 .2 .1 .2", "turned box of YOLO OBB"),
        ("0 .1 .1 .2 .1 .2 .2", "triangle of YOLO segmentation, or a box of `yolo track`"),
        ("0 .1 .1 .2 .1 .2 .2 .1 .2 .1 .1", "polygon of YOLO segmentation"),
        ("1 1 9 1 9 9 1 9 ship 0", "turned box of DOTA"),
        ("ship 0 0 -1 1 1 4 4 -1 -1 -1 -1 -1 -1 -1", "KITTI"),
    ],
)
def test_other_texts_of_yolo_are_refused_by_their_name(tmp_path, line, message):
    write(tmp_path / "images" / "a.png")
    write_yolo(tmp_path / "images" / "a.txt", [], SHAPE)
    (tmp_path / "images" / "a.txt").write_text(line)
    with pytest.raises(AnnotationError, match=message):
        Folder(tmp_path).load("a")


@pytest.mark.parametrize(
    ("image", "label", "hint"),
    [
        ("images/a.pgm", "masks/a.png", "1 .pgm files such as a.pgm are not read: write one"),
        ("images/a.png", "masks/a.mat", "1 .mat files such as a.mat are not read: write one"),
        ("images/a.npy", "masks/a.npy", "2 .npy files such as a.npy .* --dataset sequence"),
        ("a.seq", "masks/a.png", "it is a FLIR container of raw counts"),
    ],
)
def test_images_and_masks_in_other_formats_are_named(tmp_path, image, label, hint):
    for name in (image, label):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".png":
            write(path)
        else:
            path.write_bytes(b"P5 1 1 255 0")
    with pytest.raises(MissingDataError, match=hint):
        Folder(tmp_path)
