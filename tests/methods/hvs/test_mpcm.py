from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import ParameterError
from irbench.methods.hvs.mpcm import MPCM


def test_equals_the_reference(reference_image, assert_agrees):
    ours = MPCM().score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("mpcm"), 1e-9)


def test_clamped_equals_its_reference(reference_image, assert_agrees):
    ours = MPCM(clamped=True).score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("mpcm_clamped"), 1e-9)


@pytest.mark.parametrize("scales", [None, (5,), (11, 3)])
@pytest.mark.parametrize("clamped", [False, True])
def test_equals_the_definition(awkward_image, cells_of, assert_agrees, scales, clamped):
    maps = []
    for cell in scales or ((3, 5, 7) if clamped else (3, 5, 7, 9)):
        centre, neighbours = cells_of(awkward_image, cell, "symmetric" if clamped else "edge")
        differences = centre.mean(axis=-1) - neighbours.mean(axis=-1)
        products = differences[:4] * differences[4:]
        maps.append((np.maximum(products, 0) if clamped else products).min(axis=0))
    detector = MPCM(scales=scales, clamped=clamped)
    ours = detector.score_map(awkward_image, value_range=(0, 255))
    assert_agrees(ours, np.max(maps, axis=0), 1e-12)


def test_dark_targets_score_like_bright_ones():
    image = np.full((50, 50), 100.0)
    image[24:27, 24:27] = 130.0
    bright = MPCM().score_map(image, value_range=(0, 255))
    dark = MPCM().score_map(200 - image, value_range=(0, 255))
    assert bright.max() > 0
    np.testing.assert_array_equal(bright, dark)


def test_only_the_clamped_variant_is_never_negative(awkward_image):
    assert MPCM().score_map(awkward_image, value_range=(0, 255)).min() < 0
    assert MPCM(clamped=True).score_map(awkward_image, value_range=(0, 255)).min() >= 0


def test_refuses_no_scales():
    with pytest.raises(ParameterError, match=r"mpcm\.scales must name at least one"):
        MPCM(scales=())
