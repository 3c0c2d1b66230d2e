from __future__ import annotations

import cv2
import numpy as np
import pytest
from label_files import write_voc

from irbench.datasets.folder import Folder
from irbench.errors import AnnotationError

SHAPE = (12, 16)


@pytest.fixture
def root(tmp_path):
    for name in ("images", "annotations"):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.zeros(SHAPE, np.uint16))
    path = tmp_path / "annotations" / "a.xml"
    write_voc(path, [[0, 3, 4, 6]], SHAPE, origin=0, inclusive=False)
    return tmp_path


def test_the_file_beside_the_data_says_the_conventions(root):
    with pytest.raises(AnnotationError, match=r"coordinate 0.* --voc-origin 0 --voc-exclusive"):
        Folder(root).load("a")
    text = "value_range = [0, 16383]\nvoc = {origin = 0, inclusive = false}\n"
    (root / "irbench.toml").write_text(text)
    sample = Folder(root).load("a")
    assert sample.boxes.tolist() == [[0, 3, 4, 6]]
    assert sample.value_range == (0, 16383)
    # An argument wins.
    sample = Folder(root, inclusive=True, value_range=(0, 255)).load("a")
    assert sample.boxes.tolist() == [[0, 3, 5, 7]]
    assert sample.value_range == (0, 255)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "expected some of layout.*got 'x'"),
        ("voc = 1", "voc: expected a table"),
        ("voc = {origin = 2}", r"voc\.origin: expected 0 or 1, got 2"),
        ("voc = {inclusive = 1}", r"voc\.inclusive: expected true or false"),
        ("value_range = [5, 5]", "two finite numbers that differ"),
        ("value_range = 5", r"expected \[black, white\]"),
        ("layout = 1", "layout: expected a text"),
        ("layout =", "cannot be read"),
    ],
)
def test_what_it_cannot_mean_is_refused(root, text, message):
    (root / "irbench.toml").write_text(text)
    with pytest.raises(AnnotationError, match=message):
        Folder(root)
