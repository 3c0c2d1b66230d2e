"""The order of detections against a plain sort by all keys."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from irbench.metrics.detection_order import rank_detections

SCORES = {
    "a few values": st.sampled_from([-2.5, -0.0, 0.0, 1.0, 2.5]),
    "float32": st.floats(-(2.0**100), 2.0**100, width=32),
    "float64": st.floats(-1e300, 1e300),
    "tiny": st.floats(-1e-320, 1e-320),
}
CORNERS = {
    "whole pixels": st.integers(0, 3).map(float),
    "large": st.sampled_from([0.0, 65535.0, 65536.0]),
    "fractions": st.sampled_from([0.0, 0.25, 0.5, -1.0]),
}


@pytest.mark.parametrize("scores", SCORES)
@pytest.mark.parametrize("corners", CORNERS)
@given(data=st.data())
def test_the_order_is_that_of_all_keys(scores, corners, data):
    n = data.draw(st.integers(0, 30))
    score = data.draw(hnp.arrays(np.float64, n, elements=SCORES[scores]))
    boxes = data.draw(hnp.arrays(np.float64, (n, 4), elements=CORNERS[corners]))
    image = np.sort(data.draw(hnp.arrays(np.int64, n, elements=st.integers(0, 3))))
    x0, y0, x1, y1 = boxes.T
    expected = np.lexsort((np.arange(n), y1, x1, y0, x0, -score, image))
    np.testing.assert_array_equal(rank_detections(image, score, boxes), expected)
