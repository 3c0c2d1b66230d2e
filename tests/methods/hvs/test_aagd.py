from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import ParameterError
from irbench.methods.hvs.aagd import AAGD


def test_equals_the_reference(reference_image, assert_agrees):
    ours = AAGD().score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("aagd"), 1e-11)


@pytest.mark.parametrize(("scales", "outer"), [((3, 5, 7, 9), 19), ((1, 7), 11)])
@pytest.mark.parametrize("signed", [False, True])
def test_equals_the_definition(awkward_image, window_of, assert_agrees, scales, outer, signed):
    maps = []
    for scale in scales:
        inner = window_of(awkward_image, scale, "edge").mean(axis=-1)
        difference = inner - window_of(awkward_image, outer, "edge", scale).mean(axis=-1)
        maps.append((np.maximum(difference, 0) if signed else difference) ** 2)
    detector = AAGD(scales=scales, outer=outer, signed=signed)
    ours = detector.score_map(awkward_image, value_range=(0, 255))
    assert_agrees(ours, np.max(maps, axis=0), 1e-12)


def test_only_signed_tells_dark_from_bright():
    image = np.full((50, 50), 100.0)
    image[24:27, 24:27] = 70.0
    dark = AAGD().score_map(image, value_range=(0, 255))
    np.testing.assert_array_equal(dark, AAGD().score_map(200 - image, value_range=(0, 255)))
    assert AAGD(signed=True).score_map(image, value_range=(0, 255))[25, 25] == 0


def test_refuses_what_does_not_fit():
    with pytest.raises(ParameterError, match=r"aagd\.scales must name at least one"):
        AAGD(scales=())
    with pytest.raises(ParameterError, match=r"aagd\.outer must be larger than .* 9, got 9"):
        AAGD(outer=9)
