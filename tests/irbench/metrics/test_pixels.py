from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import MaskError
from irbench.metrics.pixels import (
    count_pixels,
    iou,
    niou,
    pixel_f1,
    pixel_precision,
    pixel_recall,
)


def row(*pixels):
    mask = np.zeros((1, 8), bool)
    mask[0, list(pixels)] = True
    return mask


def test_set_wide_iou_and_the_mean_over_images_are_two_metrics():
    counts = count_pixels([(row(0, 1, 2, 3), row(0, 1, 2, 3)), (row(5), row(6)), (row(), row())])
    assert counts.intersection.tolist() == [4, 0, 0]
    assert counts.union.tolist() == [4, 2, 0]
    assert iou(counts).value == 4 / 6
    assert niou(counts).value == pytest.approx((1 + 0 + 1) / 3)
    assert pixel_recall(counts).value == 4 / 5
    assert pixel_precision(counts).value == 4 / 5
    assert pixel_f1(counts).value == pytest.approx(4 / 5)


def test_overlapping_regions_are_one_union():
    kept = row(1, 2) | row(2, 3)
    assert iou(count_pixels([(kept, row(1, 2, 3))])).value == 1


def test_images_may_differ_in_size():
    counts = count_pixels([(np.ones((2, 3), bool), np.ones((2, 3), bool)), (row(1), row(1, 2))])
    assert (iou(counts).value, niou(counts).value) == (7 / 8, 3 / 4)


def test_a_false_alarm_on_an_empty_image_counts():
    counts = count_pixels([(row(1), row(1)), (row(4), row())])
    assert (iou(counts).value, niou(counts).value, pixel_recall(counts).value) == (0.5, 0.5, 1)


def test_empty_everything():
    empty = count_pixels([(row(), row())])
    assert iou(empty).reason == "no pixel is kept or of a target"
    assert niou(empty).value == 1
    assert pixel_recall(empty).reason == "no target pixel in any image"
    assert pixel_f1(empty).reason == "no target pixel in any image"
    assert pixel_precision(empty).reason == "no detection reaches the threshold"
    missed = count_pixels([(row(), row(3))])
    assert (pixel_precision(missed).value, pixel_f1(missed).value) == (None, 0)
    assert niou(count_pixels([])).reason == "no image"
    assert niou(empty, np.array([0])).value is None


@pytest.mark.parametrize(
    ("kept", "mask"),
    [(row(1), row(1)[:, :4]), (row(1).astype(np.uint8), row(1)), (row(1), row(1) * 255)],
)
def test_masks_must_be_bool_and_of_one_shape(kept, mask):
    with pytest.raises(MaskError, match="of image 1 must be bool and of one shape"):
        count_pixels([(row(), row()), (kept, mask)])
