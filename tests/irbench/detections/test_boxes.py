from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from irbench.detections import Detections
from irbench.detections.boxes import (
    filled_area,
    filled_first_pixel,
    filled_ranges,
    iou_pairs,
    without_repeats,
)

SHAPE = (7, 9)

quarters = st.integers(-12, 48).map(lambda quarter: quarter / 4)
boxes = st.tuples(quarters, quarters, quarters, quarters).map(
    lambda c: [min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]) + 0.25, max(c[1], c[3]) + 0.25]
)


def pixels_of(box, shape=SHAPE):
    x0, y0, x1, y1 = box
    return {
        (y, x)
        for y in range(shape[0])
        for x in range(shape[1])
        if x0 <= x + 0.5 < x1 and y0 <= y + 0.5 < y1
    }


@given(st.lists(boxes, max_size=5))
def test_filled_boxes_cover_the_pixels_whose_centres_they_hold(boxes):
    areas, first = filled_area(boxes, SHAPE), filled_first_pixel(boxes, SHAPE)
    assert areas.dtype == first.dtype == np.int64
    assert areas.shape == first.shape == (len(boxes),)
    for box, area, start in zip(boxes, areas, first, strict=True):
        covered = pixels_of(box)
        assert area == len(covered)
        if covered:
            assert divmod(int(start), SHAPE[1]) == min(covered)
        assert 0 <= start < SHAPE[0] * SHAPE[1]


def test_a_whole_pixel_box_covers_its_half_open_range():
    assert filled_ranges([[3, 2, 6, 4]], SHAPE).tolist() == [[3, 2, 6, 4]]
    assert filled_area([[3, 2, 6, 4]], SHAPE).tolist() == [6]
    assert filled_first_pixel([[3, 2, 6, 4]], SHAPE).tolist() == [2 * 9 + 3]


@pytest.mark.parametrize(
    ("box", "area"),
    [
        ([-5, -5, 2, 3], 6),
        ([8, 6, 20, 20], 1),
        ([9, 0, 12, 3], 0),
        ([-4, 0, 0, 3], 0),
        ([2.6, 2.6, 3.4, 3.4], 0),
        ([2.5, 2.5, 3.5, 3.5], 1),
        ([-1e30, -1e30, 1e30, 1e30], 63),
    ],
)
def test_filled_area_at_the_border_and_under_a_pixel(box, area):
    assert filled_area([box], SHAPE).tolist() == [area]


def all_pairs(a, b):
    """Every box of ``a`` with every one of ``b``."""
    return iou_pairs(np.reshape(a, (-1, 1, 4)), np.reshape(b, (1, -1, 4)))


def test_nothing_gives_nothing():
    assert all_pairs([], np.zeros((3, 4))).shape == (0, 3)
    assert filled_area([], SHAPE).shape == filled_first_pixel([], SHAPE).shape == (0,)
    assert filled_first_pixel([[0, 0, 1, 1]], (0, 0)).tolist() == [0]


@given(st.lists(boxes, max_size=4), st.lists(boxes, max_size=4))
def test_iou_equals_the_count_on_a_quarter_pixel_grid(a, b):
    """On a grid of quarters the area is a number of cells: exact without a formula."""

    def cells(box):
        x0, y0, x1, y1 = (round(4 * side) for side in box)
        return {(x, y) for x in range(x0, x1) for y in range(y0, y1)}

    matrix = all_pairs(a, b)
    assert matrix.shape == (len(a), len(b))
    assert matrix.dtype == np.float64
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            first, second = cells(one), cells(other)
            assert matrix[i, j] == len(first & second) / len(first | second)


@given(
    hnp.arrays(np.float32, (5, 4), elements=st.floats(0, 300, width=32)),
    hnp.arrays(np.float32, (5, 4), elements=st.floats(0, 300, width=32)),
)
def test_iou_is_symmetric_bounded_and_agrees_pair_by_pair(a, b):
    a, b = (np.concatenate([c[:, :2], c[:, :2] + c[:, 2:]], axis=1) for c in (a, b))
    matrix = all_pairs(a, b)
    assert ((matrix >= 0) & (matrix <= 1 + 1e-12)).all()
    np.testing.assert_array_equal(matrix, all_pairs(b, a).T)
    np.testing.assert_array_equal(np.diag(matrix), iou_pairs(a, b))


def test_boxes_that_touch_do_not_overlap():
    assert all_pairs([[0, 0, 2, 2]], [[2, 0, 4, 2], [0, 2, 2, 4], [2, 2, 4, 4]]).tolist() == [
        [0, 0, 0]
    ]


def test_boxes_without_area_have_iou_zero():
    assert float(iou_pairs([1, 1, 1, 1], [1, 1, 1, 1])) == 0


def test_float32_boxes_are_compared_in_double_precision():
    box = np.array([[0.1, 0.1, 7.3, 9.7]], np.float32)
    expected = all_pairs(box.astype(np.float64), box.astype(np.float64) + 0.3)
    assert all_pairs(box, box.astype(np.float64) + 0.3)[0, 0] == expected[0, 0]


def test_a_filled_box_has_the_centroid_that_detections_say():
    found = Detections(boxes=[[3, 2, 6, 4]], scores=[1])
    rows, columns = zip(*pixels_of(found.boxes[0].tolist()), strict=True)
    assert found.centroids.tolist() == [[np.mean(columns), np.mean(rows)]]


def test_repeated_boxes_count_once():
    boxes = np.array([[5, 5, 9, 9], [1, 1, 3, 3], [5, 5, 9, 9], [5, 5, 9, 10]], np.float32)
    kept, notes = without_repeats(boxes)
    assert kept.tolist() == boxes[[0, 1, 3]].tolist()
    assert notes
    assert without_repeats(kept)[1] == ()
    assert without_repeats(kept[:0])[0].shape == (0, 4)
