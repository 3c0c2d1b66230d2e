from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import ParameterError
from irbench.methods.hvs.lcm import LCM


def test_equals_the_reference(reference_image, assert_agrees):
    ours = LCM().score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("lcm"), 1e-9)


@pytest.mark.parametrize("scales", [(3, 5, 7, 9), (5,), (11, 3)])
@pytest.mark.parametrize("floor", [0.0, 7.0])
def test_equals_the_definition(awkward_image, cells_of, fused, assert_agrees, scales, floor):
    maps = []
    for cell in scales:
        _, neighbours = cells_of(awkward_image, cell, "symmetric")
        in_image = np.pad(awkward_image, cell // 2, constant_values=-np.inf)
        windows = np.lib.stride_tricks.sliding_window_view(in_image, (cell, cell))
        background = np.maximum(neighbours.mean(axis=-1).max(axis=0), floor)
        with np.errstate(divide="ignore", invalid="ignore"):
            maps.append(windows.max(axis=(-2, -1)) ** 2 / background)
    ours = LCM(scales=scales, background_floor=floor).score_map(awkward_image, value_range=(0, 255))
    assert_agrees(ours, fused(maps), 1e-12)


def test_refuses_no_scales():
    with pytest.raises(ParameterError, match=r"lcm\.scales must name at least one"):
        LCM(scales=())
