from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import ParameterError
from irbench.methods.hvs.rlcm import RLCM


def test_equals_the_reference(reference_image, assert_agrees):
    ours = RLCM().score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("rlcm"), 1e-9)


@pytest.mark.parametrize(
    ("cell", "k1", "k2"), [(9, (2, 5, 9), (4, 9, 16)), (3, (9,), (1,)), (5, (3, 3), (2, 7))]
)
@pytest.mark.parametrize(("padding", "mode"), [("zero", "constant"), ("reflect", "symmetric")])
@pytest.mark.parametrize("floor", [0.0, 7.0])
def test_equals_the_definition(
    awkward_image,
    cells_of,
    mean_of_largest,
    fused,
    assert_agrees,
    cell,
    k1,
    k2,
    padding,
    mode,
    floor,
):
    centre, neighbours = cells_of(awkward_image, cell, mode)
    maps = []
    for target_count, background_count in zip(k1, k2, strict=True):
        target = mean_of_largest(centre, target_count)
        background = mean_of_largest(neighbours, background_count).max(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            maps.append(target**2 / np.maximum(background, floor) - target)
    detector = RLCM(cell=cell, k1=k1, k2=k2, padding=padding, background_floor=floor)
    ours = detector.score_map(awkward_image, value_range=(0, 255))
    assert_agrees(ours, np.maximum(fused(maps), 0), 1e-12)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"k1": (2, 5)}, "one entry for each scale"),
        ({"k1": (), "k2": ()}, "one entry for each scale"),
        ({"cell": 3}, r"rlcm\.k2 must be at most 9, the pixels of a cell of 3x3, got 16"),
        ({"cell": 3, "k1": (10, 1, 1), "k2": (1, 1, 1)}, r"rlcm\.k1 must be at most 9"),
    ],
)
def test_refuses_what_does_not_fit(parameters, message):
    with pytest.raises(ParameterError, match=message):
        RLCM(**parameters)
