"""Leading singular triplets against complete decompositions."""

from __future__ import annotations

import numpy as np
import pytest

from irbench.methods.lowrank._block_lanczos import leading_triplets
from irbench.methods.lowrank._followed_triplets import followed_triplets

ROWS, COLUMNS = 400, 430


def with_singular_values(values):
    rng = np.random.default_rng(5)
    left = np.linalg.qr(rng.standard_normal((ROWS, ROWS)))[0]
    right = np.linalg.qr(rng.standard_normal((COLUMNS, ROWS)))[0]
    return (left * values) @ right.T


def decaying():
    """As of a smooth image: one value far above the others, and noise below them."""
    values = 40 * np.exp(-np.arange(ROWS) / 5) + 0.02
    values[0] = 900
    return values


@pytest.mark.parametrize(("floor", "at_least", "count"), [(1.0, 0, 19), (1.0, 23, 23), (1e3, 0, 0)])
def test_equal_the_singular_value_decomposition(floor, at_least, count):
    matrix = with_singular_values(decaying())
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    for given, sides in ((matrix, (left, right)), (matrix.T, (right.T, left.T))):
        ours = leading_triplets(given, floor, at_least)
        assert ours is not None
        np.testing.assert_allclose(ours.values, values[:count], atol=1e-11)
        expected = (sides[0][:, :count] * values[:count]) @ sides[1][:count]
        np.testing.assert_allclose((ours.left * ours.values) @ ours.right, expected, atol=1e-11)
        np.testing.assert_allclose(ours.right @ ours.right.T, np.eye(count), atol=1e-13)


@pytest.mark.parametrize("equal", [12, 30])
def test_equal_values_are_all_found_or_none(equal):
    # A start of sixteen vectors shows sixteen of equal values at most.
    values = decaying()
    values[5 : 5 + equal] = values[5]
    values[5 + equal :] *= 0.3
    ours = leading_triplets(with_singular_values(values), 1.0)
    assert equal > 16 or ours is not None
    assert ours is None or np.count_nonzero(np.abs(ours.values - values[5]) < 1e-9) == equal


@pytest.mark.parametrize(
    "values",
    [
        np.ones(ROWS),
        np.arange(ROWS) < 20,
        np.zeros(ROWS),
        40 / np.arange(1, ROWS + 1) ** 0.1,
    ],
    ids=["flat", "rank 20", "zero", "slow decay"],
)
def test_nothing_where_a_complete_decomposition_is_due(values):
    assert leading_triplets(with_singular_values(values), 0.5) is None


def test_nothing_for_small_matrices():
    assert leading_triplets(np.random.default_rng(0).standard_normal((60, 80)), 0.5) is None


def near(matrix):
    return matrix + 1e-3 * np.random.default_rng(1).standard_normal(matrix.shape)


@pytest.mark.parametrize("turned", [False, True])
def test_triplets_are_followed_to_a_near_matrix(turned):
    values = decaying()
    values[19:] *= 1e-3
    matrix = with_singular_values(values)
    matrix = matrix.T if turned else matrix
    start = np.linalg.svd(near(matrix), full_matrices=False)[0][:, :19]
    left, expected, right = np.linalg.svd(matrix, full_matrices=False)
    ours = followed_triplets(matrix, start, 1.0)
    assert ours is not None
    np.testing.assert_allclose(ours.values, expected[:19], atol=1e-11)
    low_rank = (left[:, :19] * expected[:19]) @ right[:19]
    np.testing.assert_allclose((ours.left * ours.values) @ ours.right, low_rank, atol=1e-11)
    # The greatest that is left may be above a floor; and one may have been missed.
    assert followed_triplets(matrix, start, 1e-3) is None
    assert followed_triplets(matrix, start[:, :18], 1.0) is None
    # Independent rows are needed.
    assert followed_triplets(matrix, np.repeat(start[:, :1], 19, axis=1), 1.0) is None
