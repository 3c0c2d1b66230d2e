"""Scales of a single image, and the fixed bins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from irbench.conversion.components import detect_components
from irbench.errors import UsageError
from irbench.metrics.score_maps import (
    N_BINS,
    bin_edges,
    bin_values,
    clean_map,
    normalise,
    standardise,
)

MAPS = arrays(np.float64, (5, 7), elements=st.floats(-1e6, 1e6, allow_subnormal=False))
BINNINGS = pytest.mark.parametrize("binning", ["standardised/1", "unit/1"])


def test_negative_and_non_finite_values_are_zero():
    dirty = np.array([[np.nan, np.inf, -np.inf], [-3.0, 0.0, 2.0]])
    assert clean_map(dirty).tolist() == [[0, 0, 0], [0, 0, 2]]
    assert clean_map(np.array([[0.5, 1]], np.float32)).tolist() == [[0.5, 1]]
    assert clean_map(np.array([[False, True]])).tolist() == [[0, 1]]
    huge = clean_map(np.array([[1e300, 5e299, -1.0]]))
    assert huge.tolist() == [[1, 0.5, 0]]
    assert np.isfinite(standardise(huge)).all()


def test_a_clean_map_has_two_dimensions():
    with pytest.raises(UsageError, match=r"score_map must have shape \(H, W\), got \(3,\)"):
        clean_map(np.zeros(3))


def test_standardised_values_are_the_scores_of_the_conversion():
    rng = np.random.default_rng(0)
    score_map = rng.normal(size=(40, 50)) ** 3
    score_map[3, 4] = np.nan
    (found,) = detect_components(score_map, [0.7])
    values = standardise(clean_map(score_map))
    peaks = [values[int(y0) : int(y1), int(x0) : int(x1)].max() for x0, y0, x1, y1 in found.boxes]
    np.testing.assert_allclose(peaks, found.scores, rtol=1e-6)


@given(MAPS)
def test_scales_have_their_moments_and_bounds(score_map):
    cleaned = clean_map(score_map)
    z, u = standardise(cleaned).astype(float), normalise(cleaned)
    if cleaned.min() == cleaned.max():
        assert not z.any()
        assert not u.any()
        return
    assert z.mean() == pytest.approx(0, abs=1e-5)
    assert z.std() == pytest.approx(1, abs=1e-5) or cleaned.std() < 1e-100
    assert (u.min(), u.max()) == (0, 1)
    assert np.abs(z).max() <= np.sqrt(z.size - 1) * (1 + 1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, 1e30, 1e-320])
def test_a_constant_map_is_zero(value):
    cleaned = clean_map(np.full((30, 31), value))
    assert not standardise(cleaned).any()
    assert not normalise(cleaned).any()
    assert standardise(np.zeros((0, 4))).shape == normalise(np.zeros((0, 4))).shape == (0, 4)


@BINNINGS
@given(values=arrays(np.float32, 40, elements=st.floats(-1e4, 1e4, width=32)))
def test_bins_never_descend(binning, values):
    values = np.sort(np.abs(values) / 1e4 if binning == "unit/1" else values)
    bins = bin_values(values, binning)
    assert (np.diff(bins) >= 0).all()
    assert bins.min() >= 0
    assert bins.max() < N_BINS


@BINNINGS
def test_values_lie_between_the_edges_of_their_bin(binning):
    rng = np.random.default_rng(1)
    values = rng.normal(size=100_000) ** 3 * 10
    if binning == "unit/1":
        values = rng.random(100_000) ** rng.integers(1, 12, 100_000)
    values = values.astype(np.float32).astype(np.float64)
    edges, bins = bin_edges(binning), bin_values(values, binning)
    assert (np.diff(edges) > 0).all()
    # 1/256 + |z| is rounded to 24 bits.
    slack = 1e-7 * (1 / 256 + np.abs(values))
    assert (edges[bins] <= values + slack).all()
    assert (values - slack <= edges[bins + 1]).all()


@BINNINGS
def test_every_bin_is_reached_and_as_narrow_as_stated(binning):
    edges = bin_edges(binning)
    inner = edges[1:-1]
    middle = (inner[1:] + inner[:-1]) / 2
    assert bin_values(middle, binning).tolist() == list(range(1, N_BINS - 1))
    near = np.minimum(np.abs(inner[1:]), np.abs(inner[:-1]))
    bound = (near if binning == "unit/1" else 1 / 256 + near) / 128
    assert (np.diff(inner) <= bound * (1 + 1e-12)).all()


def test_ends_and_zeros():
    assert bin_values(np.array([-1e30, -8, 8192, 1e30]), "standardised/1").tolist() == [
        *(0, 0),
        *(4095, 4095),
    ]
    assert bin_values(np.array([-0.0, 0.0]), "standardised/1").tolist() == [1408, 1408]
    assert bin_values(np.array([0, 1e-10, 1.0]), "unit/1").tolist() == [0, 0, 4095]
    assert bin_edges("unit/1")[[0, -1]].tolist() == [0, 1]
    assert bin_edges("standardised/1")[[0, 1408, -1]].tolist() == [-np.inf, 0, np.inf]


@settings(max_examples=30)
@given(MAPS, st.floats(0.1, 1e3), st.floats(0, 1e3))
def test_gain_and_offset_cancel(score_map, gain, offset):
    cleaned = clean_map(score_map)
    if np.ptp(cleaned) < 1e-3 * (1 + offset):
        return
    other = clean_map(gain * (cleaned + offset))
    np.testing.assert_allclose(standardise(other), standardise(cleaned), atol=1e-5)
    np.testing.assert_allclose(normalise(other), normalise(cleaned), atol=1e-9)
