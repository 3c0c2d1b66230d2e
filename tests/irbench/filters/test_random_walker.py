from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.filters import random_walker
from irbench.filters.random_walker import centre_probability, first_claims, windows_at


def dense_probability(window, beta, background, floor):
    """One window by a dense Laplacian, edge by edge."""
    size = len(window)
    laplacian = np.zeros((size, size, size, size))
    for r in range(size):
        for c in range(size):
            for other in ((r + 1, c), (r, c + 1)):
                if max(other) < size:
                    weight = np.exp(-beta * abs(window[r, c] - window[other])) + floor
                    laplacian[r, c][other] -= weight
                    laplacian[other][r, c] -= weight
                    laplacian[r, c, r, c] += weight
                    laplacian[other][other] += weight
    laplacian = laplacian.reshape(size**2, size**2)
    known = background.copy()
    known[[0, -1], :] = known[:, [0, -1]] = True
    known[size // 2, size // 2] = True
    value = np.zeros(size**2)
    value[size**2 // 2] = not background[size // 2, size // 2]
    known = known.ravel()
    value[~known] = np.linalg.solve(
        laplacian[np.ix_(~known, ~known)], -laplacian[np.ix_(~known, known)] @ value[known]
    )
    return value.reshape(size, size)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([5, 7, 11]),
    beta=st.sampled_from([0.0, 3.0, 200.0]),
    floor=st.sampled_from([1e-5, 0.1]),
    share=st.sampled_from([0.0, 0.1, 0.6]),
)
def test_equals_a_dense_solution_of_each_window(seed, size, beta, floor, share):
    rng = np.random.default_rng(seed)
    windows = rng.uniform(size=(3, size, size)).cumsum(axis=2) / size
    background = rng.uniform(size=windows.shape) < share
    ours = centre_probability(windows, beta=beta, background=background, floor=floor)
    expected = [
        dense_probability(window, beta, other, floor)
        for window, other in zip(windows, background, strict=True)
    ]
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-15)


def test_the_centre_is_one_and_the_frame_zero():
    windows = np.random.default_rng(1).uniform(size=(4, 9, 9))
    probability = centre_probability(windows, beta=20.0)
    np.testing.assert_array_equal(probability[:, 4, 4], 1)
    frame = np.ones((9, 9), bool)
    frame[1:-1, 1:-1] = False
    np.testing.assert_array_equal(probability[:, frame], 0)


def test_a_window_whose_centre_is_background_has_no_target():
    background = np.zeros((2, 7, 7), bool)
    background[1, 3, 3] = True
    probability = centre_probability(np.zeros((2, 7, 7)), beta=1.0, background=background)
    assert probability[0].any()
    assert not probability[1].any()


def test_many_windows_are_solved_in_parts(monkeypatch):
    windows = np.random.default_rng(2).uniform(size=(7, 7, 7))
    whole = centre_probability(windows, beta=9.0)
    monkeypatch.setattr(random_walker, "_BAND_ELEMENTS", 300)
    np.testing.assert_array_equal(centre_probability(windows, beta=9.0), whole)


def test_no_windows_give_no_answer():
    assert centre_probability(np.zeros((0, 5, 5)), beta=1.0).shape == (0, 5, 5)


@pytest.mark.parametrize("shape", [(5, 5), (1, 3, 3), (1, 6, 6), (1, 5, 7)])
def test_refuses_windows_without_a_centre(shape):
    with pytest.raises(ValueError, match="odd size of at least 5"):
        centre_probability(np.zeros(shape), beta=1.0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (3, 2), (20, 30)])
def test_windows_mirror_the_image_about_its_edge_pixels(shape):
    image = np.arange(np.prod(shape), dtype=float).reshape(shape)
    rows, columns = (grid.ravel() for grid in np.indices(shape))
    windows = windows_at(image, rows, columns, 5)

    def mirrored(index, length):
        period = max(2 * length - 2, 1)
        index %= period
        return period - index if index >= length else index

    for window, row, column in zip(windows, rows, columns, strict=True):
        at = [
            [
                image[mirrored(row + i, shape[0]), mirrored(column + j, shape[1])]
                for j in range(-2, 3)
            ]
            for i in range(-2, 3)
        ]
        np.testing.assert_array_equal(window, at)


def test_regions_claim_in_order_and_a_claimed_centre_is_passed_over():
    cross = np.zeros((5, 5), bool)
    cross[2, 1:4] = cross[1:4, 2] = True
    square = np.zeros((5, 5), bool)
    square[1:4, 1:4] = True
    none = np.zeros((5, 5), bool)
    regions = np.stack([cross, square, square, none])
    owner = first_claims(regions, np.array([1, 1, 0, 3]), np.array([1, 2, 0, 4]), (4, 5))
    # The second region's centre belongs to the first; the third gets what is left.
    expected = [
        [2, 0, -1, -1, -1],
        [0, 0, 0, -1, -1],
        [-1, 0, -1, -1, -1],
        [-1, -1, -1, -1, -1],
    ]
    np.testing.assert_array_equal(owner, expected)
