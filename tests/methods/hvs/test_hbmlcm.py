from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import ParameterError
from irbench.methods.hvs.hbmlcm import HBMLCM


def test_equals_the_reference(reference_image, assert_agrees):
    ours = HBMLCM().score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("hbmlcm"), 1e-11)


@pytest.mark.parametrize(
    ("scales", "outer", "boost"), [((3, 5, 7, 9), 15, 9), ((3, 5, 7, 9), 15, 5), ((1, 5), 13, 3)]
)
def test_equals_the_definition(awkward_image, window_of, assert_agrees, scales, outer, boost):
    mean = window_of(awkward_image, boost, "edge").mean(axis=-1)
    boosted = awkward_image * np.maximum(awkward_image - mean, 0)
    contrasts = [
        np.abs(
            window_of(boosted, scale, "edge").mean(axis=-1)
            - window_of(boosted, outer, "edge", scale).mean(axis=-1)
        )
        for scale in scales
    ]
    detector = HBMLCM(scales=scales, outer=outer, boost=boost)
    ours = detector.score_map(awkward_image, value_range=(0, 255))
    assert_agrees(ours, np.ptp(contrasts, axis=0) ** 2, 1e-12)


def test_refuses_what_does_not_fit():
    with pytest.raises(ParameterError, match=r"hbmlcm\.scales must name at least two"):
        HBMLCM(scales=(5, 5))
    with pytest.raises(ParameterError, match=r"hbmlcm\.outer must be larger than .* 9, got 7"):
        HBMLCM(outer=7)
