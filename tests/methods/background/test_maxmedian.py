from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from irbench.errors import ParameterError
from irbench.methods.background.maxmedian import MaxMedian


def test_equals_the_reference(reference_image, assert_agrees):
    ours = MaxMedian().score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("maxmedian"), 0.0)


@pytest.mark.parametrize("length", [3, 5, 7, 11])
@pytest.mark.parametrize("shape", [(23, 31), (4, 6)])
def test_equals_scipy(length, shape):
    image = np.random.default_rng(length).integers(0, 40, shape).astype(float)
    lines = np.zeros((4, length, length), bool)
    lines[0, length // 2] = lines[1, :, length // 2] = True
    lines[2] = np.eye(length)
    lines[3] = np.eye(length)[::-1]
    medians = [ndimage.median_filter(image, footprint=line, mode="reflect") for line in lines]
    ours = MaxMedian(length=length).score_map(image, value_range=(0, 255))
    np.testing.assert_array_equal(ours, image - np.max(medians, axis=0))


def test_a_line_is_background_and_a_point_is_not():
    image = np.full((21, 21), 50.0)
    image[10, :] = 90.0
    assert not MaxMedian().score_map(image, value_range=(0, 255)).any()
    image = np.full((21, 21), 50.0)
    image[10, 10] = 90.0
    assert MaxMedian().score_map(image, value_range=(0, 255))[10, 10] == 40


def test_refuses_an_even_length():
    with pytest.raises(ParameterError, match=r"maxmedian\.length must be 3 to 63, odd px"):
        MaxMedian(length=4)
