from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import ParameterError
from irbench.methods.hvs.ttldm import TTLDM


def test_equals_the_reference(reference_image, assert_agrees):
    ours = TTLDM().score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("ttldm"), 1e-11)


@pytest.mark.parametrize(("k", "sigma"), [(3, 1e-5), (5, 0.3)])
def test_equals_the_definition(awkward_image, window_of, assert_agrees, k, sigma):
    image = (awkward_image - awkward_image.min()) / np.ptp(awkward_image)
    inner = window_of(image, k, "edge").mean(axis=-1)
    middle = window_of(image, 3 * k, "edge", k).mean(axis=-1)
    outer = window_of(image, 5 * k, "edge", 3 * k).mean(axis=-1)
    own = window_of(image, 3 * k, "symmetric").std(axis=-1, ddof=1)
    around = window_of(image, 5 * k, "symmetric", 3 * k).std(axis=-1, ddof=1)
    expected = np.maximum(2 * inner - middle - outer, 0)
    expected = expected * np.maximum(own**2 / (around + sigma) - own, 0)
    ours = TTLDM(k=k, sigma=sigma).score_map(awkward_image, value_range=(0, 255))
    assert_agrees(ours, expected, 1e-11)


def test_a_hot_pixel_weakens_everything_else():
    image = np.random.default_rng(1).integers(80, 120, (60, 60)).astype(float)
    image[10:13, 10:13] = 160
    before = TTLDM().score_map(image, value_range=(0, 255))
    image[50, 50] = 255
    after = TTLDM().score_map(image, value_range=(0, 255))
    assert 0 < after[11, 11] < before[11, 11]


def test_refuses_a_quotient_by_zero():
    with pytest.raises(ParameterError, match=r"ttldm\.sigma"):
        TTLDM(sigma=0.0)
