from __future__ import annotations

import cv2
import numpy as np
import pytest
from label_files import write_voc

from irbench.conventions import Conventions
from irbench.data.annotations.voc_survey import UNPROVEN, VocSurvey, survey_voc
from irbench.data.verify import verify
from irbench.datasets.folder import Folder
from irbench.errors import AnnotationError

SHAPE = (48, 64)
CONVENTIONS = [(1, True), (1, False), (0, True), (0, False)]
INNER = [[20, 10, 23, 13], [30, 30, 32, 31]]
BORDER = [*INNER, [0, 5, 2, 8], [60, 40, 64, 48]]


def folder(tmp_path, boxes, origin, inclusive):
    for name in ("images", "annotations"):
        (tmp_path / name).mkdir(exist_ok=True)
    for index, box in enumerate(boxes):
        cv2.imwrite(str(tmp_path / "images" / f"{index}.png"), np.zeros(SHAPE, np.uint8))
        path = tmp_path / "annotations" / f"{index}.xml"
        write_voc(path, [box], SHAPE, origin=origin, inclusive=inclusive)
    return tmp_path


def all_boxes(dataset):
    return [sample.boxes[0].tolist() for sample in dataset.with_split("all")]


@pytest.mark.parametrize(("origin", "inclusive"), CONVENTIONS)
def test_one_box_at_the_border_decides_for_the_whole_folder(tmp_path, origin, inclusive):
    root = folder(tmp_path, BORDER, origin, inclusive)
    if (origin, inclusive) == (1, True):
        assert all_boxes(Folder(root)) == BORDER
        assert UNPROVEN not in Folder(root).load("0").notes
        return
    for index in range(len(BORDER)):
        with pytest.raises(AnnotationError, match="--voc-origin 0 --voc-exclusive"):
            Folder(root).load(str(index))
    assert not verify(Folder(root).with_split("all")).ok
    stated = Conventions(voc_origin=origin, voc_inclusive=inclusive)
    assert all_boxes(Folder(root, conventions=stated)) == BORDER


@pytest.mark.parametrize(("origin", "inclusive"), CONVENTIONS)
def test_where_nothing_proves_it_a_note_says_so(tmp_path, origin, inclusive):
    root = folder(tmp_path, INNER[:1], origin, inclusive)
    assert UNPROVEN in Folder(root).load("0").notes
    stated = Conventions(voc_origin=origin, voc_inclusive=inclusive)
    assert Folder(root, conventions=stated).load("0").notes == ()


def test_half_a_convention_is_held_against_the_boxes_too(tmp_path):
    root = folder(tmp_path, BORDER, 0, False)
    # xmax is the width: counted from 0, no pixel has that number.
    with pytest.raises(AnnotationError, match="ends at the size of the image"):
        Folder(root, conventions=Conventions(voc_origin=0)).load("0")


def test_a_fraction_is_an_edge(tmp_path):
    root = folder(tmp_path, [[20.5, 10, 23, 13.25]], 0, False)
    with pytest.raises(AnnotationError, match="has a fraction"):
        Folder(root).load("0")
    stated = Conventions(voc_origin=0, voc_inclusive=False)
    assert all_boxes(Folder(root, conventions=stated)) == [[20.5, 10, 23, 13.25]]


def test_what_cannot_be_read_is_left_to_its_reader(tmp_path):
    texts = ["", "<x/>", "<annotation><object/></annotation>", "<annotation><object><bndbox/>"]
    paths = []
    for index, text in enumerate(texts):
        paths.append(tmp_path / f"{index}.xml")
        paths[-1].write_text(text)
    assert survey_voc([*paths, tmp_path / "absent.xml"]) == VocSurvey()
