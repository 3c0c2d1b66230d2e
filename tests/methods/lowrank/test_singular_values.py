"""Thresholding through the Gram matrix against the textbook way, by numpy's SVD."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from irbench.methods.lowrank._singular_values import (
    leading_singular_values,
    threshold_singular_values,
)

SHAPES = [(1, 1), (1, 9), (9, 1), (4, 60), (60, 4), (30, 30), (40, 300), (300, 40)]


def thresholded(matrix: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    return np.asarray((left * np.maximum(values - threshold, 0)) @ right)


def with_spectrum(
    shape: tuple[int, int], values: NDArray[np.float64], seed: int = 0
) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    n = len(values)
    left = np.linalg.qr(rng.standard_normal((shape[0], n)))[0]
    right = np.linalg.qr(rng.standard_normal((shape[1], n)))[0]
    return np.asarray((left * values) @ right.T)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.95, 1.5])
@pytest.mark.parametrize("expected_rank", [None, 0, 1000])
def test_equals_the_svd(shape: tuple[int, int], share: float, expected_rank: int | None) -> None:
    matrix = np.random.default_rng(1).standard_normal(shape)
    values = np.linalg.svd(matrix, compute_uv=False)
    threshold = share * values[0]
    out = np.empty(shape)
    shrunk, kept = threshold_singular_values(
        matrix, threshold, out=out, expected_rank=expected_rank
    )
    assert shrunk is out
    np.testing.assert_allclose(shrunk, thresholded(matrix, threshold), atol=1e-12 * values[0])
    np.testing.assert_allclose(kept, values[values > threshold], rtol=1e-10)


@pytest.mark.parametrize("shape", [(25, 200), (200, 25)])
@pytest.mark.parametrize("rank", [1, 3, 24])
def test_keeps_the_rank_of_a_deficient_matrix(shape: tuple[int, int], rank: int) -> None:
    values = np.geomspace(5.0, 1.0, rank)
    matrix = with_spectrum(shape, values)
    shrunk, kept = threshold_singular_values(matrix, 0.5, expected_rank=rank)
    np.testing.assert_allclose(kept, values, rtol=1e-12)
    np.testing.assert_allclose(shrunk, thresholded(matrix, 0.5), atol=1e-12)


@pytest.mark.parametrize("shape", [(12, 80), (80, 12)])
@pytest.mark.parametrize("exponent", [-3, -4, -6, -9, -12])
def test_small_singular_values_are_not_lost_by_squaring(
    shape: tuple[int, int], exponent: int
) -> None:
    threshold = 10.0**exponent
    values = np.array([1.0, 0.3, 40 * threshold, 1.01 * threshold, 0.99 * threshold, threshold / 9])
    matrix = with_spectrum(shape, values)
    shrunk, kept = threshold_singular_values(matrix, threshold)
    assert len(kept) == 4
    # An SVD itself knows singular values to 1e-16 of the greatest.
    np.testing.assert_allclose(kept, values[:4], atol=1e-6 * threshold + 1e-15)
    np.testing.assert_allclose(
        shrunk, thresholded(matrix, threshold), atol=1e-6 * threshold + 1e-14
    )


def test_a_zero_matrix_has_no_rank() -> None:
    shrunk, kept = threshold_singular_values(np.zeros((4, 9)), 0.0)
    assert kept.size == 0
    np.testing.assert_array_equal(shrunk, 0.0)


@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    threshold=st.floats(1e-3, 5.0),
)
@settings(max_examples=40, deadline=None)
def test_is_the_proximal_operator(seed: int, rows: int, columns: int, threshold: float) -> None:
    # (M - A) / threshold must be a subgradient of the nuclear norm at A: spectral norm at
    # most 1, and <M - A, A> = threshold ||A||_*.
    matrix = np.random.default_rng(seed).standard_normal((rows, columns))
    shrunk, kept = threshold_singular_values(matrix, threshold)
    rest = matrix - shrunk
    assert np.linalg.norm(rest, 2) <= threshold * (1 + 1e-9)
    np.testing.assert_allclose(
        np.sum(rest * shrunk), threshold * np.sum(kept - threshold), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_leading_values_equal_the_svd(shape: tuple[int, int]) -> None:
    matrix = np.random.default_rng(2).standard_normal(shape)
    expected = np.zeros(4)
    values = np.linalg.svd(matrix, compute_uv=False)[:4]
    expected[: len(values)] = values
    np.testing.assert_allclose(leading_singular_values(matrix, 4), expected, rtol=1e-9, atol=1e-14)


def test_leading_values_far_below_the_first() -> None:
    values = np.array([1.0, 1e-3, 1e-7, 1e-10, 1e-14])
    leading = leading_singular_values(with_spectrum((60, 9), values), 4)
    np.testing.assert_allclose(leading, values[:4], atol=1e-15)
