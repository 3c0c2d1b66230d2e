from __future__ import annotations

import base64
import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.data.annotations import read_cvat, read_labelme
from irbench.data.annotations.shapes import POINTS
from irbench.errors import AnnotationError

SHAPE = (48, 64)


def png(pixels):
    return base64.b64encode(cv2.imencode(".png", pixels)[1].tobytes()).decode()


BLOB = np.zeros((5, 6), np.uint8)
BLOB[1:3, 2:5] = 255

# What labelme writes, what CVAT writes, and the box that the rule says.
SHAPES = {
    "rectangle": (
        {"shape_type": "rectangle", "points": [[23, 13], [20, 10]]},
        '<box label="t" xtl="20" ytl="10" xbr="23" ybr="13" occluded="0"/>',
        [20, 10, 23, 13],
    ),
    "fractions": (
        {"shape_type": "rectangle", "points": [[20.5, 10], [23, 13.25]]},
        '<box label="t" xtl="20.5" ytl="10" xbr="23" ybr="13.25"/>',
        [20.5, 10, 23, 13.25],
    ),
    "polygon": (
        {"shape_type": "polygon", "points": [[20, 11], [22, 10], [23, 12], [21, 13.5]]},
        '<polygon label="t" points="20,11;22,10;23,12;21,13.5"/>',
        [20, 10, 23, 13.5],
    ),
    "circle": (
        {"shape_type": "circle", "points": [[10, 12], [13, 16]]},
        '<ellipse label="t" cx="10" cy="12" rx="5" ry="5"/>',
        [5, 7, 15, 17],
    ),
    "circle over the edge": (
        {"shape_type": "circle", "points": [[2, 46], [2, 51]]},
        '<ellipse label="t" cx="2" cy="46" rx="5" ry="5"/>',
        [0, 41, 7, 48],
    ),
    "point": (
        {"shape_type": "point", "points": [[20.7, 10.2]]},
        '<points label="t" points="20.7,10.2"/>',
        [20, 10, 21, 11],
    ),
    "point on the far edge": (
        {"shape_type": "point", "points": [[64, 48]]},
        '<points label="t" points="64,48"/>',
        [63, 47, 64, 48],
    ),
    "mask": (
        {"shape_type": "mask", "points": [[30, 20], [35, 24]], "mask": png(BLOB)},
        '<mask label="t" rle="8, 3, 3, 3, 13" left="30" top="20" width="6" height="5"/>',
        [32, 21, 35, 23],
    ),
}


def labelme(path, *shapes, **more):
    content = {
        "version": "5.4.1",
        "flags": {},
        "shapes": [{"label": "t", "group_id": None, **shape} for shape in shapes],
        "imagePath": "a.png",
        "imageData": None,
        "imageHeight": SHAPE[0],
        "imageWidth": SHAPE[1],
        **more,
    }
    path.write_text(json.dumps(content))
    return path


def cvat(path, elements, *, extra=""):
    path.write_text(
        f'<?xml version="1.0"?><annotations><version>1.1</version>{extra}'
        f'<image id="0" name="a.png" width="{SHAPE[1]}" height="{SHAPE[0]}">{elements}</image>'
        "</annotations>"
    )
    return path


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_means_the_same_box_in_both(tmp_path, name):
    shape, element, box = SHAPES[name]
    found = read_labelme(labelme(tmp_path / "a.json", shape), SHAPE)
    assert (found.boxes.tolist(), found.classes) == ([box], ("t",))
    listed = read_cvat(cvat(tmp_path / "a.xml", element))
    assert listed.damaged == {}
    assert listed.labels[0].boxes.tolist() == [box]
    assert (POINTS in found.notes) == (POINTS in listed.labels[0].notes) == name.startswith("point")


def test_parts_of_a_group_are_one_target(tmp_path):
    def square(x, group, label="t"):
        points = [[x, 10], [x + 2, 12]]
        return {
            "shape_type": "rectangle", "points": points, "group_id": group, "label": label,
        }  # fmt: skip

    path = labelme(
        tmp_path / "a.json",
        *(square(10, 1), square(20, 1), square(30, None), square(40, None), square(50, 1, "u")),
    )
    found = read_labelme(path)
    assert found.boxes.tolist() == [
        [10, 10, 22, 12], [30, 10, 32, 12], [40, 10, 42, 12], [50, 10, 52, 12]
    ]  # fmt: skip
    assert found.classes == ("t", "t", "t", "u")


def test_x_anylabeling_writes_rectangles_by_four_corners(tmp_path):
    corners = [[20, 10], [23, 10], [23, 13], [20, 13]]
    path = labelme(tmp_path / "a.json", {"shape_type": "rectangle", "points": corners})
    assert read_labelme(path).boxes.tolist() == [[20, 10, 23, 13]]
    corners = [[20, 12], [22, 10], [24, 12], [22, 14]]
    labelme(path, {"shape_type": "rectangle", "points": corners})
    with pytest.raises(AnnotationError, match="turned boxes are not supported"):
        read_labelme(path)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"shape_type": "rotation", "points": []}, "a turned box, as X-AnyLabeling writes it"),
        ({"shape_type": "linestrip", "points": []}, "no area"),
        ({"shape_type": "blob", "points": []}, "expected a rectangle, .* got 'blob'"),
        ({"shape_type": ["x"], "points": []}, "expected a rectangle"),
        ({"shape_type": "rectangle", "points": [[1, 2]]}, "two opposite corners"),
        ({"shape_type": "rectangle", "points": [[1, 2], [1, 5]]}, "positive width and height"),
        ({"shape_type": "rectangle", "points": [[1, 2], [90, 5]]}, "inside the 48x64 image"),
        ({"shape_type": "rectangle", "points": [[1, 2], [4]]}, r"a list of points \[x, y\]"),
        ({"shape_type": "rectangle", "points": [[1, 2], [4, "5"]]}, "a number, got '5'"),
        ({"shape_type": "polygon", "points": [[1, 2], [4, 5]]}, "at least three points"),
        ({"shape_type": "circle", "points": [[1, 2], [1, 2]]}, "positive width and height"),
        ({"shape_type": "point", "points": [[64.5, 2]]}, "a point inside"),
        ({"shape_type": "mask", "points": [[0, 0]], "mask": "AAAA"}, "a PNG in base64"),
        ({"shape_type": "mask", "points": [[0, 0]], "mask": "é"}, "a PNG in base64"),
        ({"shape_type": "mask", "points": [[0, 0]], "mask": 3}, "a PNG in base64"),
        ({"shape_type": "mask", "points": [[0, 0]], "mask": png(0 * BLOB)}, "with a pixel"),
        ({"shape_type": "mask", "points": [[62, 0]], "mask": png(BLOB)}, "inside the"),
        ({"shape_type": "rectangle"}, "the field 'points'"),
        ({"label": "", "points": []}, "label: expected a text"),
        ({"group_id": [1], "points": []}, "group_id: expected a number"),
    ],
)
def test_what_means_no_box_in_labelme_is_refused(tmp_path, shape, message):
    path = labelme(tmp_path / "a.json", shape)
    with pytest.raises(AnnotationError, match=message) as caught:
        read_labelme(path, SHAPE)
    assert "a.json" in str(caught.value)


def test_the_size_must_be_the_image_s(tmp_path):
    path = labelme(tmp_path / "a.json")
    with pytest.raises(AnnotationError, match="the image's 9x9 pixels"):
        read_labelme(path, (9, 9))
    assert len(read_labelme(labelme(path, imageHeight=None), (9, 9))) == 0


@pytest.mark.parametrize(
    ("element", "message"),
    [
        ('<box label="t" xtl="1" ytl="1" xbr="4" ybr="5" rotation="30"/>', "turned boxes"),
        ('<polyline label="t" points="1,2;3,4;5,9"/>', "<polyline>, which means no box"),
        ('<cuboid label="t"/>', "<cuboid>, which means no box"),
        ("<box/>", "an attribute label"),
        ('<box label="t" xtl="1"/>', "ytl: expected a number"),
        ('<polygon label="t" points="1,2;3"/>', "points 'x,y;x,y'"),
        ('<mask label="t" rle="1,2" left="1" top="1" width="2" height="2"/>', "runs of 4 pixels"),
        ('<mask label="t" rle="x" left="1" top="1" width="2" height="2"/>', "lengths of runs"),
        ('<mask label="t" rle="4" left="1" top="1" width="2" height="2"/>', "with a pixel"),
        ('<mask label="t" rle="1,3" left="1.5" top="1" width="2" height="2"/>', "whole pixels"),
        (
            '<mask label="t" rle="1,3" left="1" top="1" width="99999" height="99999"/>',
            "a mask of up to",
        ),
    ],
)
def test_what_means_no_box_in_cvat_costs_its_image(tmp_path, element, message):
    found = read_cvat(cvat(tmp_path / "a.xml", element))
    assert len(found.labels[0]) == 0
    with pytest.raises(AnnotationError, match=message) as caught:
        raise found.damaged[0]
    assert "a.png" in str(caught.value)


def test_a_video_and_what_is_no_cvat_are_refused(tmp_path):
    path = cvat(tmp_path / "a.xml", "", extra='<track id="0" label="t"/>')
    with pytest.raises(AnnotationError, match="export the task as CVAT for images"):
        read_cvat(path)
    for text in ("<annotations/>", "<x/>", "", '<!DOCTYPE a><annotations><image name="a"/>'):
        path.write_text(text)
        with pytest.raises(AnnotationError):
            read_cvat(path)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_mask_is_the_box_of_its_pixels(tmp_path_factory, seed):
    rng = np.random.default_rng(seed)
    pixels = rng.random(rng.integers(1, 9, 2)) < 0.3
    pixels.flat[rng.integers(pixels.size)] = True
    left, top = (int(n) for n in rng.integers(0, 40, 2))
    whole = np.zeros(SHAPE, bool)
    whole[top : top + len(pixels), left : left + pixels.shape[1]] = pixels
    x, y, w, h = cv2.boundingRect(whole.astype(np.uint8))
    folder = tmp_path_factory.mktemp("mask")
    shape = {
        "shape_type": "mask", "points": [[left, top]], "mask": png(pixels.astype(np.uint8) * 255),
    }  # fmt: skip
    assert read_labelme(labelme(folder / "a.json", shape)).boxes.tolist() == [[x, y, x + w, y + h]]
    flat = np.concatenate([[False], pixels.ravel()])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    runs = np.diff([0, *edges, pixels.size])
    element = (
        f'<mask label="t" rle="{", ".join(map(str, runs))}" left="{left}" top="{top}" '
        f'width="{pixels.shape[1]}" height="{len(pixels)}"/>'
    )
    found = read_cvat(cvat(folder / "a.xml", element))
    assert found.labels[0].boxes.tolist() == [[x, y, x + w, y + h]]
