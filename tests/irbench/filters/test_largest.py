from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from irbench.filters import largest
from irbench.filters.flat import FlatImage
from irbench.filters.largest import means_of_largest


def means_by_sorting(image: np.ndarray, size: int, count: int) -> np.ndarray:
    padded = np.pad(image, ((0, size - 1), (0, size - 1)))
    windows = sliding_window_view(padded, (size, size)).reshape(*image.shape, -1)
    return np.sort(windows, axis=-1)[..., ::-1][..., :count].mean(axis=-1)


def means_by_network(image: np.ndarray, size: int, counts: list[int]) -> list[np.ndarray]:
    plane = FlatImage.pad(image, size, "zero")
    start = size * (plane.pitch + 1)
    values = plane.values[start : start + plane.size + (size - 1) * (plane.pitch + 1)]
    return [plane.crop(mean) for mean in means_of_largest(values, size, plane.pitch, counts)]


@given(data=st.data(), size=st.integers(1, 12))
def test_equals_a_sort(data, size):
    counts = data.draw(st.lists(st.integers(1, min(size**2, 20)), min_size=1, max_size=3))
    n_levels = data.draw(st.sampled_from([2, 5, 1000]))  # 2: the 0-1 principle
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    image = rng.integers(0, n_levels, (7, 9)).astype(float)
    for mean, count in zip(means_by_network(image, size, counts), counts, strict=True):
        np.testing.assert_allclose(mean, means_by_sorting(image, size, count), rtol=1e-14)


@pytest.mark.parametrize("size", [3, 5, 9])
def test_all_pixels_of_a_window_are_its_mean(size):
    image = np.random.default_rng(0).uniform(0, 255, (15, 13))
    (mean,) = means_by_network(image, size, [size**2])
    np.testing.assert_allclose(mean, means_by_sorting(image, size, size**2), rtol=1e-13)


@given(level=st.floats(1e-3, 1e3), size=st.sampled_from([3, 5, 9]))
def test_means_of_equal_values_are_exact(level, size):
    values = np.full(400, level)
    for mean in means_of_largest(values, size, 20, [1, 3, 7, 9]):
        np.testing.assert_array_equal(mean, level)


def test_blocks_do_not_show(monkeypatch):
    values = np.random.default_rng(1).normal(size=3000)
    whole = means_of_largest(values, 5, 40, [3, 9])
    monkeypatch.setattr(largest, "_BLOCK_BYTES", 77 * 8)
    np.testing.assert_array_equal(means_of_largest(values, 5, 40, [3, 9]), whole)
    np.testing.assert_array_equal(means_of_largest(values[:164], 5, 40, [9]), [[]])


def test_bytes_are_as_good_as_floats():
    values = np.random.default_rng(2).integers(0, 256, 3000).astype(np.uint8)
    values[100:900] = 255  # the largest sums
    counts = [1, 2, 9, 16, 81]
    of_bytes = means_of_largest(values, 9, 40, counts)
    fractions = means_of_largest(values / 2, 9, 40, counts)
    for one, half in zip(of_bytes, fractions, strict=True):
        assert one.dtype == np.float64
        np.testing.assert_array_equal(one, 2 * half)
