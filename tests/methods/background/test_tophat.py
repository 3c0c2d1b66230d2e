from __future__ import annotations

import numpy as np
from scipy import ndimage

from irbench.methods.background.tophat import TopHat


def test_equals_the_reference(reference_image, assert_agrees):
    ours = TopHat().score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("tophat"), 0.0)


def test_equals_scipy_on_a_random_image():
    image = np.random.default_rng(0).integers(0, 256, (31, 17), dtype=np.uint8)
    footprint = np.ones((7, 7))
    eroded = ndimage.grey_erosion(image, footprint=footprint, mode="constant", cval=255)
    opened = ndimage.grey_dilation(eroded, footprint=footprint, mode="constant", cval=0)
    expected = image.astype(float) - opened
    np.testing.assert_array_equal(TopHat(size=7).score_map(image), expected)
