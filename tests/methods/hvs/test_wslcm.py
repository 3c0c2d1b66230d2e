from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import ParameterError
from irbench.methods.hvs.wslcm import WSLCM


def test_equals_the_reference(reference_image, assert_agrees):
    ours = WSLCM().score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("wslcm"), 1e-9)


@pytest.mark.parametrize(
    ("scales", "k", "xi"), [((5, 7, 9, 11), 9, 5.0), ((3,), 2, 40.0), ((7, 3), 1, 0.0)]
)
@pytest.mark.parametrize("padding", ["zero", "reflect"])
@pytest.mark.parametrize("floor", [0.0, 7.0])
def test_equals_the_definition(
    awkward_image, cells_of, mean_of_largest, fused, smoothed, assert_agrees,
    scales, k, xi, padding, floor,
):  # fmt: skip
    core = smoothed(awkward_image)
    maps = []
    for cell in scales:
        ranked = cells_of(awkward_image, cell, "constant" if padding == "zero" else "symmetric")
        averaged = cells_of(awkward_image, cell, "edge" if padding == "zero" else "symmetric")
        background = np.maximum(mean_of_largest(ranked[1], k).max(axis=0), floor)
        own, others = (
            mean_of_largest(bright, k) - all_pixels.mean(axis=-1)
            for bright, all_pixels in zip(ranked, averaged, strict=True)
        )
        spread = np.maximum(others.std(axis=0, ddof=1), xi)
        with np.errstate(divide="ignore", invalid="ignore"):
            contrast = np.maximum(core**2 / background - core, 0)
            maps.append(contrast * own * np.maximum(own - others.max(axis=0), 0) / spread)
    detector = WSLCM(scales=scales, k=k, xi=xi, padding=padding, background_floor=floor)
    ours = detector.score_map(awkward_image, value_range=(0, 255))
    assert_agrees(ours, fused(maps), 1e-10)


def test_refuses_what_does_not_fit():
    with pytest.raises(ParameterError, match=r"wslcm\.scales must name at least one"):
        WSLCM(scales=())
    with pytest.raises(ParameterError, match=r"wslcm\.k must be at most 25, .* 5x5, got 26"):
        WSLCM(k=26)
