"""Readers of what labelling tools write, and of what states conventions beside it."""

from __future__ import annotations

import base64
import json

import cv2
import numpy as np
from data_readers import is_inside
from mutations import damage_bytes, damage_json, damage_text
from reader import SHAPE, Reader, scene

HEIGHT, WIDTH = SHAPE
VOC = (
    "<annotation><size><width>32</width><height>24</height></size><object><name>t</name>"
    "<bndbox><xmin>10</xmin><ymin>6</ymin><xmax>13</xmax><ymax>8</ymax></bndbox></object>"
    "</annotation>"
)


def labelme(folder):
    from irbench.data.annotations import read_labelme

    blob = base64.b64encode(cv2.imencode(".png", scene(0)[1][5:8, 9:13])[1].tobytes()).decode()
    drawn = [
        {"shape_type": "rectangle", "points": [[9, 5], [13, 8]], "group_id": 1},
        {"shape_type": "polygon", "points": [[20, 15], [22, 15], [22, 18]], "group_id": None},
        {"shape_type": "circle", "points": [[4, 4], [6, 4]]},
        {"shape_type": "point", "points": [[30.5, 20]]},
        {
            "points": [[9, 5], [13, 8]],
            "shape_type": "mask",
            "mask": blob,
        },
    ]
    content = {"imageHeight": HEIGHT, "imageWidth": WIDTH, "imageData": None}
    content["shapes"] = [{"label": "t", **shape} for shape in drawn]
    (folder / "a.json").write_text(json.dumps(content))
    content["shapes"][0]["points"] = [[9, 5], [13, 5], [13, 8], [9, 8]]
    (folder / "b.json").write_text(json.dumps(content))
    reads = (
        lambda path: is_inside(read_labelme(path, SHAPE)),
        lambda path: is_finite(read_labelme(path)),
    )
    files = [(path, read) for path in sorted(folder.iterdir()) for read in reads]
    return Reader(files, damage_json)


def cvat(folder):
    from irbench.data.annotations import read_cvat

    path = folder / "a.xml"
    path.write_text(
        "<annotations><version>1.1</version>"
        f'<image id="0" name="a.png" subset="train" width="{WIDTH}" height="{HEIGHT}">'
        '<box label="t" xtl="9" ytl="5" xbr="13" ybr="8" rotation="0"/>'
        '<polygon label="t" points="20,15;22,15;22,18"/><points label="t" points="3,4;30,20"/>'
        '<ellipse label="t" cx="5" cy="5" rx="2" ry="3"/>'
        '<mask label="t" rle="2, 3, 1" left="9" top="5" width="2" height="3"/></image>'
        f'<image id="1" name="b.png" width="{WIDTH}" height="{HEIGHT}"/></annotations>'
    )

    def read(path):
        found = read_cvat(path)
        for image in found.images:
            is_finite(found.labels[image.id])
            assert image.shape == (0, 0) or min(image.shape) > 0

    return Reader([(path, read)], damage_text)


def folders(folder):
    """A folder with labels of a tool: it opens, or says what is wrong, and each image likewise."""
    from irbench.data.manifest import UNUSABLE
    from irbench.plugins.registry import load_dataset

    def read(path):
        dataset = load_dataset(str(path.parents[1]), split="all")
        dataset.understood()
        for sample_id in dataset.ids:
            try:
                sample = dataset.load(sample_id)
            except UNUSABLE:
                continue
            assert (sample.boxes >= 0).all()

    image = cv2.imencode(".png", scene(0)[0])[1].tobytes()
    texts = {
        "yolo": ("a.txt", "0 0.4 0.3 0.1 0.1\n1 0.65 0.7 0.0625 0.125\n"),
        "names": ("classes.txt", "ship\nbird\n"),
        "yaml": ("data.yaml", "names:\n  0: ship\n  1: 'bird'  # no target\nnc: 2\n"),
        "list": ("data.yml", "nc: 2\nnames: [ship,\n  'bird']\n"),
        "toml": (
            "irbench.toml",
            'layout = "yolo"\nvalue_range = [0, 255]\nclasses = ["0"]\nignore_classes = ["1"]\n',
        ),
        "voc": (
            "a.xml",
            VOC,
        ),
    }
    files = []
    for name, (file, text) in texts.items():
        root = folder / name
        for part in ("images", "labels"):
            (root / part).mkdir(parents=True)
        (root / "images" / "a.png").write_bytes(image)
        if name != "voc":
            (root / "labels" / "a.txt").write_text(texts["yolo"][1])
        path = (root if name == "toml" else root / "labels") / file
        if name == "toml":
            # So that `parents[1]` is the folder of data for each file.
            path = root / "labels" / "irbench.toml"
            (root / "irbench.toml").symlink_to(path)
        path.write_text(text)
        files.append((path, read))
    return Reader(files, damage_text)


def columns(folder):
    from irbench.data.annotations import read_yolo
    from irbench.data.yolo_columns import check_columns

    path = folder / "a.txt"
    path.write_text("0 0.9 0.4 0.3 0.05 0.05\n1 0.8 0.65 0.7 0.0625 0.125\n")

    def read(path):
        check_columns([path], "second")
        is_inside(read_yolo(path, SHAPE, overhang=True, confidence="second"))

    return Reader([(path, read)], damage_text)


def foreign(folder):
    from irbench.datasets._folder_foreign import foreign_formats
    from irbench.errors import MissingDataError

    contents = {
        "a.json": json.dumps([{"id": 1, "data": {}, "annotations": []}]),
        "b.json": json.dumps({"_via_settings": {}, "a": {"filename": "a", "regions": []}}),
        "c.xml": '<annotations><track id="0"/></annotations>',
        "d.csv": "filename,xmin,ymin\n",
        "e.txt": "1,1,20,10,3,3,1,1,1\n",
    }
    for name, text in contents.items():
        (folder / name).write_text(text)

    def read(path):
        if not foreign_formats([path]):
            raise MissingDataError("of no format that is known.")

    return Reader([(path, read) for path in sorted(folder.iterdir())], damage_bytes)


def is_finite(labels):
    boxes = labels.boxes
    assert np.isfinite(boxes).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
