"""The compiled form of ``components/1`` against the other, to the last bit."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from irbench.conversion import components
from irbench.conversion.components import PEAK_N_STD, detect_components
from irbench.conversion.descent import descended_regions, visiting_order
from irbench.conversion.flooding import flooded_regions
from irbench.protocol import EXTENTS


def assert_equal_forms(image, extents=EXTENTS, max_regions=300):
    mean = float(image.mean())
    lowest_peak = mean + PEAK_N_STD * float(image.std())
    for keep_regions in (True, False):
        arguments = (image, mean, lowest_peak, extents, max_regions, keep_regions)
        for one, other in zip(
            descended_regions(*arguments), flooded_regions(*arguments), strict=True
        ):
            np.testing.assert_array_equal(one.values, other.values)
            np.testing.assert_array_equal(one.boxes, other.boxes)
            assert one.boxes.dtype == other.boxes.dtype
            if keep_regions:
                np.testing.assert_array_equal(one.regions.runs, other.regions.runs)
                np.testing.assert_array_equal(one.regions.offsets, other.regions.offsets)


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.one_of(
            st.sampled_from([0.0, 1.0, 2.0, 3.0, 1e-300, 0.1 + 0.2, 0.3]),
            st.floats(0, 1e3, allow_nan=False),
        ),
    ),
    st.integers(1, 300),
)
@settings(max_examples=200, deadline=None)
def test_any_map(image, max_regions):
    if image.std() > 0:
        assert_equal_forms(image, (1.0, 0.02, 0.3, 0.3, 0.7), max_regions)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 3), (96, 131)])
@pytest.mark.parametrize("sigma", [0, 1, 3])
def test_sizes_and_roughness(shape, sigma):
    image = np.random.default_rng(sigma).random(shape)
    image = ndimage.gaussian_filter(image, sigma) ** 3
    assert_equal_forms(image)
    assert_equal_forms(np.round(image * 20))


def test_many_peaks_outgrow_the_first_arrays():
    image = np.zeros((120, 120))
    image[::2, ::2] = 1 + np.random.default_rng(0).random((60, 60))
    assert_equal_forms(image, (0.5,), max_regions=10_000)


def test_tiny_contrast_on_a_large_mean():
    image = np.full((20, 20), 1e9)
    image[3, 4], image[10:12, 10:12] = np.nextafter(1e9, 2e9), 1e9 + 1e-6
    assert_equal_forms(image, (1.0, 0.5, 0.02))


@given(hnp.arrays(np.float64, st.integers(0, 80), elements=st.floats(0, 60000, width=16)))
@settings(max_examples=100, deadline=None)
def test_visiting_order_is_that_of_a_stable_sort(flat):
    above = np.flatnonzero(flat > 1.0)
    expected = above[np.argsort(-flat[above], kind="stable")]
    np.testing.assert_array_equal(visiting_order(flat, 1.0), expected)


def test_a_machine_that_cannot_compile_returns_the_same(monkeypatch):
    image = np.random.default_rng(1).random((30, 30)) ** 4
    detect_components(image, EXTENTS)
    compiled = detect_components(image, EXTENTS)
    monkeypatch.setitem(sys.modules, "irbench.conversion.descent", None)
    components.fastest_form.cache_clear()
    try:
        assert components.fastest_form() is flooded_regions
        assert detect_components(image, EXTENTS) == compiled
    finally:
        components.fastest_form.cache_clear()


@pytest.mark.parametrize(("before", "loaded"), [("", "False"), ("load_compiled()", "True")])
def test_only_one_image_does_without_the_compiler(before, loaded):
    script = f"""
import sys
import numpy as np
from irbench.conversion.components import detect_components, load_compiled
image = np.random.default_rng(1).random((30, 30)) ** 4
{before}
first = detect_components(image, (0.5, 0.9))
loaded = "numba" in sys.modules
assert detect_components(image, (0.5, 0.9)) == first
print(loaded, "numba" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [loaded, "True"]


def test_a_first_image_that_is_too_large_to_flood_is_compiled(monkeypatch):
    monkeypatch.setattr(components, "_next_is_first", True)
    monkeypatch.setattr(components, "MAX_PIXELS", 899)
    assert components._find_regions(900) is descended_regions
    assert components._find_regions(899) is flooded_regions
    assert components._find_regions(899) is descended_regions
