from __future__ import annotations

import numpy as np
import pytest

from irbench.methods.lowrank._spectral_shrinkage import (
    clip_singular_values,
    partial_slice_shrinkage,
)


def random_matrix(shape, singular_values, seed=0):
    """A matrix with given singular values."""
    rng = np.random.default_rng(seed)
    count = min(shape)
    u, _ = np.linalg.qr(rng.normal(size=(shape[0], count)))
    v, _ = np.linalg.qr(rng.normal(size=(shape[1], count)))
    return (u * singular_values(count)) @ v.T


def slow_clip(matrix, ceiling):
    u, s, vh = np.linalg.svd(matrix, full_matrices=False)
    return u @ np.diag(np.minimum(s, ceiling)) @ vh


def falling(count):
    return np.geomspace(1e4, 1.0, count)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (30, 90), (90, 30), (100, 140), (140, 100)])
# Above all, most, half, few and none of the singular values.
@pytest.mark.parametrize("ceiling", [2e4, 3e3, 1e2, 3.0, 0.5])
def test_clipping_equals_the_singular_value_decomposition(shape, ceiling):
    matrix = random_matrix(shape, falling)
    before = matrix.copy()
    clipped = clip_singular_values(matrix, ceiling)
    np.testing.assert_allclose(clipped, slow_clip(matrix, ceiling), rtol=0, atol=1e-8)
    np.testing.assert_array_equal(matrix, before)
    assert not np.shares_memory(clipped, matrix)
    given = np.full(shape, np.nan)
    assert clip_singular_values(matrix, ceiling, out=given) is given
    np.testing.assert_array_equal(given, clipped)


def test_clipping_far_below_the_largest_singular_value():
    # A Gram matrix has no digit left of singular values 1e-9 times the largest.
    matrix = random_matrix((80, 120), lambda n: np.geomspace(1e4, 1e-5, n))
    clipped = clip_singular_values(matrix, 1e-4)
    assert np.linalg.norm(clipped, 2) == pytest.approx(1e-4, rel=1e-6)
    np.testing.assert_allclose(clipped, slow_clip(matrix, 1e-4), rtol=0, atol=1e-10)


def test_clipping_a_matrix_of_low_rank():
    matrix = np.outer(np.arange(1.0, 101.0), np.arange(1.0, 201.0))
    largest = np.linalg.norm(matrix, 2)
    np.testing.assert_allclose(
        clip_singular_values(matrix, 10.0), matrix * (10.0 / largest), atol=1e-9
    )
    np.testing.assert_array_equal(clip_singular_values(np.zeros((70, 80)), 1.0), 0)
    np.testing.assert_allclose(clip_singular_values(matrix, 0.0), 0, atol=1e-7)


def slow_slices(tensor, threshold, n_kept):
    """All slices, one by one."""
    spectrum = np.fft.fft(tensor, axis=0)
    for index, matrix in enumerate(spectrum):
        u, s, vh = np.linalg.svd(matrix, full_matrices=False)
        s[n_kept:] = np.maximum(s[n_kept:] - threshold, 0)
        spectrum[index] = u @ np.diag(s) @ vh
    result = np.fft.ifft(spectrum, axis=0)
    assert np.abs(result.imag).max() < 1e-10
    return result.real


@pytest.mark.parametrize("shape", [(1, 3, 4), (2, 5, 5), (7, 6, 6), (8, 9, 4)])
@pytest.mark.parametrize("threshold", [0.0, 4.0, 1e3])
@pytest.mark.parametrize("n_kept", [1, 3, 20])
def test_slices_equal_a_loop_over_the_whole_spectrum(shape, threshold, n_kept):
    tensor = np.random.default_rng(1).normal(size=shape)
    np.testing.assert_allclose(
        partial_slice_shrinkage(tensor, threshold, n_kept),
        slow_slices(tensor, threshold, n_kept),
        atol=1e-12,
    )
