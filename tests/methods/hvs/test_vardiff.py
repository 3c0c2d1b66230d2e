from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import ParameterError
from irbench.methods.hvs.vardiff import VarDiff


def test_equals_the_reference(reference_image, assert_agrees):
    ours = VarDiff().score_map(reference_image.image, value_range=(0, 255))
    assert_agrees(ours, reference_image.array("vardiff"), 1e-11)


@pytest.mark.parametrize(("internal", "guard", "external"), [(7, 11, 15), (3, 5, 9)])
def test_equals_the_definition(
    awkward_image, window_of, assert_agrees, internal, guard, external
):  # fmt: skip
    def spread(side, hole=0):
        return window_of(awkward_image, side, "symmetric", hole).std(axis=-1, ddof=1)

    contrast = window_of(awkward_image, internal, "edge").mean(axis=-1)
    contrast = contrast - window_of(awkward_image, guard, "edge", internal).mean(axis=-1)
    around = window_of(spread(external, guard), internal, "edge", 1).mean(axis=-1)
    excess = np.maximum(spread(internal) - around, 0)
    expected = awkward_image * np.maximum(contrast, 0) ** 2 * excess**2
    detector = VarDiff(internal=internal, guard=guard, external=external)
    ours = detector.score_map(awkward_image, value_range=(0, 255))
    assert_agrees(ours, expected, 1e-11)


def test_refuses_what_does_not_fit():
    with pytest.raises(ParameterError, match=r"vardiff\.guard must be larger than .* 7, got 7"):
        VarDiff(guard=7)
    with pytest.raises(ParameterError, match=r"vardiff\.external must be larger than .* 11, got 9"):
        VarDiff(external=9)
