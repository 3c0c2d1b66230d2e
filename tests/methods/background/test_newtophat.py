from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from irbench.errors import ParameterError
from irbench.methods.background.newtophat import NewTopHat


def test_equals_the_reference(reference_image, assert_agrees):
    ours = NewTopHat().score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("newtophat"), 0.0)


@pytest.mark.parametrize(
    ("outer", "inner", "size", "shape"),
    [(9, 4, 4, (31, 40)), (3, 0, 1, (17, 9)), (6, 5, 7, (20, 33)), (2, 1, 2, (12, 12))],
)
def test_equals_scipy(outer, inner, size, shape):
    image = np.random.default_rng(outer).uniform(0, 255, shape)
    side = 2 * outer + 1
    ring = np.ones((side, side), bool)
    ring[outer - inner : outer + inner + 1, outer - inner : outer + inner + 1] = False
    dilated = ndimage.maximum_filter(image, footprint=ring, mode="constant", cval=-np.inf)
    # SciPy centres an even window one to the left of ours.
    origin = -1 if size % 2 == 0 else 0
    eroded = ndimage.minimum_filter(dilated, size, mode="constant", cval=np.inf, origin=origin)
    detector = NewTopHat(outer_radius=outer, inner_radius=inner, element_size=size)
    ours = detector.score_map(image, value_range=(0, 255))
    np.testing.assert_array_equal(ours, np.maximum(image - eroded, 0))


def test_a_pixel_without_surroundings_has_no_score():
    # No pixel of a 9x9 image is more than 4 pixels from its centre.
    image = np.random.default_rng(0).uniform(0, 255, (9, 9))
    assert NewTopHat().score_map(image, value_range=(0, 255))[4, 4] == 0


def test_a_target_that_fills_the_inner_square_stands_out_whole():
    image = np.full((60, 60), 80.0)
    image[28:32, 28:32] = 200.0
    score_map = NewTopHat().score_map(image, value_range=(0, 255))
    expected = np.zeros_like(image)
    expected[28:32, 28:32] = 120.0
    np.testing.assert_array_equal(score_map, expected)


@pytest.mark.parametrize("radii", [(4, 4), (3, 5)])
def test_refuses_a_ring_without_width(radii):
    with pytest.raises(ParameterError, match=r"newtophat\.inner_radius must be less than"):
        NewTopHat(outer_radius=radii[0], inner_radius=radii[1])
