from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from irbench import Detections
from irbench.errors import DetectionsError
from irbench.images.masks import mask_regions


@pytest.mark.parametrize(
    ("boxes", "scores", "message"),
    [
        ([[0, 0, 2, 2], [0, 0, np.nan, 2]], [1, 1], r"boxes\[1\] must be finite"),
        ([[0, 0, 2, 2]], [np.nan], r"scores\[0\] must be a finite number"),
        ([[0, 0, 2, 2]], [np.inf], r"scores\[0\]"),
        ([[0, 0, 1e300, 2]], [1], r"boxes\[0\] must be finite"),
        ([[5, 0, 3, 2]], [1], r"boxes\[0\] must be .* x0 < x1"),
        ([[0, 2, 3, 2]], [1], "y0 < y1"),
        ([[0, 0, 2, 2]], [1, 2], r"scores must have shape \(1,\)"),
        ([0, 0, 2, 2], [1], r"boxes must have shape \(N, 4\)"),
        ([["a", 0, 2, 2]], [1], "boxes must be numbers"),
    ],
)
def test_what_is_no_detection_is_refused(boxes, scores, message):
    with pytest.raises(DetectionsError, match=message):
        Detections(boxes, scores)


def test_regions_must_be_as_many_as_boxes():
    mask = np.zeros((4, 4), bool)
    mask[1, 1] = True
    with pytest.raises(DetectionsError, match="regions must be as many as boxes"):
        Detections(np.zeros((0, 4)), [], mask_regions(mask))


def test_it_is_frozen_and_keeps_no_hold_of_its_input():
    boxes = np.array([[0, 0, 2, 2]], np.float32)
    found = Detections(boxes, [1.0])
    boxes[0, 2] = 99
    assert found.boxes[0, 2] == 2
    with pytest.raises(ValueError, match="read-only"):
        found.boxes[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.scores = np.zeros(1)


def test_a_box_is_centred_on_its_pixels():
    # The pixels 3, 4, 5 of a half-open box 3..6 have the mean 4.
    found = Detections([[3, 10, 6, 12]], [1.0])
    assert found.centroids.tolist() == [[4.0, 10.5]]
    assert found.areas.tolist() == [6.0]


def test_above_keeps_equal_scores_and_compares_in_double():
    found = Detections([[0, 0, 1, 1]] * 3, [0.1, 0.2, 0.3])
    assert len(found.above(float(np.float32(0.2)))) == 2
    # 0.2 in double is below the float32 nearest to it.
    assert len(found.above(0.2)) == 2
    assert len(found.above(np.nextafter(float(np.float32(0.2)), 1))) == 1
    assert len(found.above(np.inf)) == 0


def test_from_mask_and_from_probability():
    mask = np.zeros((6, 7), bool)
    mask[1, 1] = mask[2, 2] = mask[5, 6] = True
    found = Detections.from_mask(mask)
    assert found.boxes.tolist() == [[1, 1, 3, 3], [6, 5, 7, 6]]
    assert found.scores.tolist() == [1, 1]
    probability = np.where(mask, 0.6, 0.1)
    probability[2, 2] = 0.8
    found = Detections.from_probability(probability)
    np.testing.assert_allclose(found.scores, [0.7, 0.6], rtol=1e-6)
    assert len(Detections.from_probability(np.full((3, 3), 0.499))) == 0


@pytest.mark.parametrize("bad", [np.nan, 1.2, -0.1])
def test_probabilities_out_of_range_are_refused(bad):
    probability = np.full((3, 3), 0.5)
    probability[1, 2] = bad
    with pytest.raises(DetectionsError, match=r"must lie in \[0, 1\]"):
        Detections.from_probability(probability)


def test_equality_sees_boxes_scores_and_regions():
    mask = np.zeros((4, 4), bool)
    mask[1, 1:3] = True
    found = Detections.from_mask(mask)
    assert found == Detections.from_mask(mask)
    assert found != Detections(found.boxes, found.scores)
    assert found != Detections.empty((4, 4))
