"""Holm's procedure against hand values, and what must always hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irbench.errors import UsageError
from irbench.statistics.multiple_testing import holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.5, 0.6], [1.0, 1.0]),
        # The second step alone gives 0.02, but may not fall under the first.
        ([0.02, 0.011, 0.012], [0.033, 0.033, 0.033]),
        ([0.2], [0.2]),
        ([], []),
        ([0.01, np.nan, 0.02], [0.02, np.nan, 0.02]),
        ([0.0, 1.0], [0.0, 1.0]),
    ],
)
def test_hand_values(p, expected):
    np.testing.assert_allclose(holm(p), expected, rtol=1e-12)


@given(P_VALUES, st.floats(0.001, 0.5))
def test_rejects_what_the_step_down_procedure_rejects(p, alpha):
    rejected = np.zeros(len(p), dtype=bool)
    for step, index in enumerate(np.argsort(p, kind="stable")):
        if p[index] * (len(p) - step) > alpha:
            break
        rejected[index] = True
    assert np.array_equal(holm(p) <= alpha, rejected)


@given(P_VALUES, st.randoms())
def test_order_does_not_matter(p, random):
    order = list(range(len(p)))
    random.shuffle(order)
    assert np.array_equal(holm([p[i] for i in order]), holm(p)[order])


@given(P_VALUES)
def test_between_no_correction_and_bonferroni(p):
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1, np.multiply(p, len(p)))).all()


@pytest.mark.parametrize("p", [[0.1, -0.1], [1.5], [[0.1]]])
def test_refusals(p):
    with pytest.raises(UsageError, match="p_values"):
        holm(p)
