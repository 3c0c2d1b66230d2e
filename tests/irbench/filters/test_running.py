from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage

from irbench.filters.flat import FlatImage
from irbench.filters.running import (
    binomial_3x3,
    box_max,
    box_min,
    box_sum,
    running_max,
    running_min,
    running_sum,
)


@given(size=st.integers(1, 40), stride=st.integers(1, 5), seed=st.integers(0, 99))
def test_running_windows(size, stride, seed):
    values = np.random.default_rng(seed).integers(-50, 50, (size - 1) * stride + 30).astype(float)
    windows = sliding_window_view(values, (size - 1) * stride + 1)[:, ::stride]
    np.testing.assert_array_equal(running_sum(values, size, stride), windows.sum(axis=1))
    np.testing.assert_array_equal(running_max(values, size, stride), windows.max(axis=1))
    np.testing.assert_array_equal(running_min(values, size, stride), windows.min(axis=1))


@pytest.mark.parametrize("dtype", [np.float64, np.uint8])
@pytest.mark.parametrize("size", [1, 3, 4, 17])
def test_boxes(size, dtype):
    image = np.random.default_rng(0).integers(0, 256, (14, 17)).astype(dtype)
    image[:9, :9] = 255
    plane = FlatImage.pad(image, size, "reflect")
    # The window that starts at a pixel reaches to the right and down.
    padded = np.pad(image, ((0, size - 1), (0, size - 1)), "symmetric")
    windows = sliding_window_view(padded, (size, size))
    start = size * (plane.pitch + 1)
    for function, expected in (
        (box_sum, windows.sum(axis=(-2, -1))),
        (box_max, windows.max(axis=(-2, -1))),
        (box_min, windows.min(axis=(-2, -1))),
    ):
        boxes = function(plane.values, size, plane.pitch)
        assert boxes.size == plane.values.size - (size - 1) * (plane.pitch + 1)
        np.testing.assert_array_equal(plane.crop(boxes[start:]), expected)


@given(level=st.floats(1e-3, 1e3), size=st.integers(1, 20))
def test_sums_over_equal_windows_are_equal_to_the_last_bit(level, size):
    values = np.full(200, level)
    values[60] = 1e9
    sums = running_sum(values, size, 1)
    assert np.unique(np.delete(sums, np.s_[61 - size : 61])).size == 1


@pytest.mark.parametrize("dtype", [np.float64, np.uint8])
def test_binomial_smoothing(dtype):
    image = np.random.default_rng(2).uniform(0, 255, (12, 19)).astype(dtype)
    image[:4, :4] = 255
    plane = FlatImage.pad(image, 3, "replicate")
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    np.testing.assert_allclose(
        plane.crop(binomial_3x3(plane.around(1), plane.pitch)),
        ndimage.correlate(image.astype(float), kernel, mode="nearest"),
        rtol=1e-14,
    )


@given(level=st.floats(1e-3, 1e3))
def test_binomial_smoothing_keeps_a_constant_exactly(level):
    plane = FlatImage.pad(np.full((3, 4), level), 1, "replicate")
    np.testing.assert_array_equal(binomial_3x3(plane.around(1), plane.pitch)[: plane.size], level)
