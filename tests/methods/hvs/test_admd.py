from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import ParameterError
from irbench.methods.hvs.admd import ADMD


def test_equals_the_reference(reference_image, assert_agrees):
    ours = ADMD().score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("admd_author"), 1e-11)


def test_several_scales_equal_the_reference_of_a_third_party(reference_image, assert_agrees):
    detector = ADMD(scales=(3, 5, 7, 9))
    ours = detector.score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("admd"), 1e-9)


@pytest.mark.parametrize("scales", [(7,), (3, 5), (11,)])
def test_equals_the_definition(awkward_image, window_of, assert_agrees, scales):
    maps = []
    height, width = awkward_image.shape
    for cell in scales:
        means = window_of(awkward_image, cell, "edge").mean(axis=-1)
        padded = np.pad(means, cell, constant_values=-np.inf)
        neighbours = [
            padded[row * cell :, column * cell :][:height, :width]
            for row in range(3)
            for column in range(3)
            if (row, column) != (1, 1)
        ]
        brightest = np.max(neighbours, axis=0)
        difference = np.where(np.isfinite(brightest), means - brightest, 0)
        maps.append(np.maximum(difference, 0) ** 2)
    ours = ADMD(scales=scales).score_map(awkward_image, value_range=(0, 255))
    assert_agrees(ours, np.max(maps, axis=0), 1e-12)


def test_dark_targets_do_not_score():
    image = np.full((50, 50), 100.0)
    image[22:29, 22:29] = 70.0
    assert ADMD().score_map(image, value_range=(0, 255))[25, 25] == 0


def test_refuses_no_scales():
    with pytest.raises(ParameterError, match=r"admd\.scales must name at least one"):
        ADMD(scales=())
