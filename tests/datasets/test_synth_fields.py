"""The primitives of ``synth`` against scipy, libm and closed forms."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from scipy import ndimage, special

from irbench.datasets._synth_fields import (
    blur,
    dilate,
    exp_neg,
    fractal_noise,
    gaussian_taps,
    order_statistics,
    sample,
    value_noise,
)
from irbench.datasets._synth_sources import PATCH_REACH, render_source
from irbench.datasets._synth_stream import Stream


def test_uniforms_are_the_stated_bits() -> None:
    seed = int.from_bytes(hashlib.sha256(b"a/b").digest(), "big")
    raw = np.random.PCG64(seed).random_raw(6)
    expected = np.array([int(bits) // 2**11 / 2**53 for bits in raw]).reshape(2, 3)
    np.testing.assert_array_equal(Stream("a", "b").uniforms(2, 3), expected)


def test_a_child_does_not_depend_on_what_was_drawn() -> None:
    parent = Stream("a")
    before = parent.child("b").uniforms(3)
    parent.uniforms(5)
    np.testing.assert_array_equal(parent.child("b").uniforms(3), before)
    assert (Stream("a").child("c").uniforms(3) != before).all()


def test_normals_have_the_moments_of_a_normal() -> None:
    x = Stream("normals").normals(400, 500)
    assert abs(x.mean()) < 4 / math.sqrt(x.size)
    assert x.std() == pytest.approx(1, abs=0.01)
    assert (x**3).mean() == pytest.approx(0, abs=0.03)
    assert (x**4).mean() == pytest.approx(3 - 0.15, abs=0.05)
    assert np.mean(x < 1) == pytest.approx(special.ndtr(1), abs=0.005)


def test_integers_choices_and_directions_are_uniform() -> None:
    stream = Stream("draws")
    integers = [stream.integer(-1, 2) for _ in range(4000)]
    assert np.bincount(np.add(integers, 1)) == pytest.approx([1000] * 4, abs=120)
    names = [stream.choose({"a": 1.0, "b": 3.0}) for _ in range(4000)]
    assert names.count("b") == pytest.approx(3000, abs=120)
    directions = np.array([stream.direction() for _ in range(4000)])
    np.testing.assert_allclose((directions**2).sum(axis=1), 1)
    angles = np.arctan2(directions[:, 1], directions[:, 0])
    assert np.histogram(angles, 4, (-np.pi, np.pi))[0] == pytest.approx([1000] * 4, abs=120)


def test_exponential_agrees_with_libm() -> None:
    x = np.linspace(0, 8, 100)
    np.testing.assert_allclose(exp_neg(x), np.exp(-x), rtol=4e-5)


def test_gaussian_taps_are_a_gaussian() -> None:
    taps = np.array(gaussian_taps(0.8))
    offsets = np.arange(len(taps)) - len(taps) // 2
    assert taps.sum() == pytest.approx(1)
    np.testing.assert_allclose(taps / taps.max(), np.exp(-(offsets**2) / 1.28), rtol=1e-4)


@pytest.mark.parametrize("shape", [(17, 31), (40, 8)])
def test_blur_agrees_with_scipy(shape: tuple[int, int]) -> None:
    image = Stream("blur").uniforms(*shape)
    radius = len(gaussian_taps(0.9)) // 2
    expected = ndimage.gaussian_filter(image, 0.9, radius=radius, mode="nearest")
    np.testing.assert_allclose(blur(image, 0.9), expected, atol=1e-5)


def test_dilation_agrees_with_scipy() -> None:
    mask = Stream("mask").uniforms(20, 30) > 0.95
    mask[0, 0] = mask[-1, -1] = True
    np.testing.assert_array_equal(dilate(mask), ndimage.binary_dilation(mask, np.ones((3, 3))))


def test_bilinear_sampling_agrees_with_scipy() -> None:
    stream = Stream("sample")
    field = stream.uniforms(12, 15)
    rows, columns = 10.9 * stream.uniforms(40, 1), 13.9 * stream.uniforms(1, 50)
    expected = ndimage.map_coordinates(field, np.broadcast_arrays(rows, columns), order=1)
    np.testing.assert_allclose(sample(field, rows, columns), expected)
    outside = sample(field, np.array([-5.0]), np.array([3.0]))
    np.testing.assert_allclose(outside, field[0, 3])


def test_order_statistics_are_elements_in_order() -> None:
    values = Stream("order").uniforms(10, 10)
    assert order_statistics(values, 0.0, 0.5, 1.0) == list(np.sort(values.ravel())[[0, 50, 99]])


@pytest.mark.parametrize("cells", [(9.0, 9.0), (5.0, 20.0)])
def test_value_noise_is_standardised_and_as_coarse_as_its_cells(cells: tuple[float, float]) -> None:
    x = value_noise(Stream("noise"), (900, 900), cells)
    assert abs(x.mean()) < 0.1
    assert x.std() == pytest.approx(1, abs=0.05)
    for axis, cell in enumerate(cells):
        near = np.mean(x * np.roll(x, 1, axis))
        far = np.mean(x * np.roll(x, int(5 * cell), axis))
        assert near > 1 - 2 / cell**2 - 0.1
        assert abs(far) < 0.1


def test_fractal_noise_is_standardised_and_rougher_with_roughness() -> None:
    step = {}
    for roughness in (0.4, 0.7):
        x = fractal_noise(Stream("fractal"), (600, 640), 20.0, roughness)
        assert x.shape == (600, 640)
        assert x.std() == pytest.approx(1, abs=0.1)
        step[roughness] = np.abs(np.diff(x)).mean()
    assert step[0.7] > 1.5 * step[0.4]


def test_a_point_source_shows_the_point_spread_function() -> None:
    offset, sigma = (0.3, -0.2), 0.7
    profile = render_source(0.1, 0.1, (1.0, 0.0), offset, sigma)
    edges = np.arange(-PATCH_REACH, PATCH_REACH + 2) - 0.5
    rows, columns = (np.diff(special.ndtr((edges - shift) / sigma)) for shift in offset)
    expected = np.outer(rows, columns)
    # Five sub-pixels across a pixel, and a Gaussian cut at 3.5 sigma.
    np.testing.assert_allclose(profile, expected / expected.max(), atol=0.01)


def test_a_long_source_covers_an_ellipse_at_its_angle() -> None:
    profile = render_source(9.0, 5.0, (0.6, 0.8), (0.0, 0.0), 0.6)
    rows, columns = np.nonzero(profile > 0.5)
    assert len(rows) == pytest.approx(math.pi * 4.5 * 2.5, rel=0.1)
    covariance = np.cov(columns, rows)
    values, vectors = np.linalg.eigh(covariance)
    assert abs(vectors[:, 1] @ [0.6, 0.8]) == pytest.approx(1, abs=0.02)
    assert np.sqrt(values) * 4 == pytest.approx([5, 9], rel=0.1)
    np.testing.assert_allclose(profile, profile[::-1, ::-1], atol=1e-12)
