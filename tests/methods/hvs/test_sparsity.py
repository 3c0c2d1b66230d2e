from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.methods.hvs._sparsity import candidate_features, global_sparsity


def test_sparsity_counts_those_alike():
    features = np.array([[0.31, 0.77]] * 4 + [[0.9, 0.1]] * 2 + [[0.0, 0.0], [1.0, 1.0]])
    expected = [1 / 4] * 4 + [1 / 2] * 2 + [1, 1]
    np.testing.assert_allclose(global_sparsity(features, 8), expected, rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(
    features=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20),
    n_bins=st.integers(2, 40),
)
def test_sparsity_of_any_features(features, n_bins):
    features = np.array(features)
    sparsity = global_sparsity(features, n_bins)
    assert (sparsity > 0).all()
    assert (sparsity <= 1).all()
    # One more of the same kind makes none sparser, and itself rarer than before.
    more = global_sparsity(np.concatenate([features, features[:1]]), n_bins)
    assert (more[:-1] <= sparsity + 1e-12).all()
    assert 1 / more[0] == pytest.approx(1 / sparsity[0] + 1, rel=1e-9)


def test_features_are_the_level_and_the_step_to_the_background():
    image = np.full((30, 40), 50.0)
    image[:, 20:] = 100
    labels = np.zeros(image.shape, np.int32)
    image[10:12, 8:10], labels[10:12, 8:10] = 150, 1
    image[20:22, 31:33], labels[20:22, 31:33] = 150, 2
    labels[2:4, 12:14] = 3
    features = candidate_features(image, labels, 3, patch=5)
    np.testing.assert_allclose(features, [[1, 1], [1, 0.5], [0, 0]], atol=1e-12)
    raised = candidate_features(3 * image + 20, labels, 3, patch=5)
    np.testing.assert_allclose(raised, features, atol=1e-12)


def test_a_candidate_that_fills_the_image_has_no_background():
    image = np.array([[1.0, 2.0], [3.0, 6.0]])
    features = candidate_features(image, np.ones((2, 2), np.int32), 1, patch=5)
    np.testing.assert_allclose(features, [[0.4, 0]], atol=1e-12)
