from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import ParameterError
from irbench.methods.hvs.tllcm import TLLCM


def test_equals_the_reference(reference_image, assert_agrees):
    ours = TLLCM().score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("tllcm"), 1e-9)


def test_multiscale_equals_its_reference(reference_image, assert_agrees):
    ours = TLLCM(scales=(3, 5, 7, 9)).score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("tllcm_multiscale"), 1e-9)


@pytest.mark.parametrize(("scales", "k"), [(None, 9), ((3, 7), 4), ((11,), 1), ((5,), 25)])
@pytest.mark.parametrize(("padding", "mode"), [("zero", "constant"), ("reflect", "symmetric")])
@pytest.mark.parametrize("floor", [0.0, 7.0])
def test_equals_the_definition(
    awkward_image, cells_of, mean_of_largest, fused, smoothed, assert_agrees,
    scales, k, padding, mode, floor,
):  # fmt: skip
    core = smoothed(awkward_image)
    maps = []
    for cell in scales or (9,):
        _, neighbours = cells_of(awkward_image, cell, mode)
        background = np.maximum(mean_of_largest(neighbours, k).max(axis=0), floor)
        with np.errstate(divide="ignore", invalid="ignore"):
            maps.append(core**2 / background - core)
    detector = TLLCM(scales=scales, k=k, padding=padding, background_floor=floor)
    ours = detector.score_map(awkward_image, value_range=(0, 255))
    assert_agrees(ours, np.maximum(fused(maps), 0), 1e-12)


def test_refuses_what_does_not_fit():
    with pytest.raises(ParameterError, match=r"tllcm\.scales must name at least one"):
        TLLCM(scales=())
    with pytest.raises(ParameterError, match=r"tllcm\.k must be at most 9, .* 3x3, got 10"):
        TLLCM(scales=(9, 3), k=10)
