from __future__ import annotations

import numpy as np
import pytest

from irbench.filters.median import clamp_bounds


@pytest.mark.parametrize("half", [1, 2, 3, 6])
@pytest.mark.parametrize("stride", [1, 4])
def test_bounds_are_the_middle_of_the_others(half, stride):
    # Few distinct values, so that ties abound.
    values = np.random.default_rng(half).integers(0, 7, 300).astype(float)
    n_lines = 300 - 2 * half * stride
    lower, upper = clamp_bounds(values, half, stride, n_lines)
    for start in range(n_lines):
        line = values[start : start + 2 * half * stride + 1 : stride]
        others = np.sort(np.delete(line, half))
        assert (lower[start], upper[start]) == (others[half - 1], others[half])
        assert np.clip(line[half], lower[start], upper[start]) == np.median(line)
