"""Closed forms of the learning rate, the warm-up and the decay of the mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irbench.training.schedule import averaging_decay, cosine_rate, warm_up

shares = st.floats(0, 1)


@given(shares, shares)
def test_the_cosine_falls_from_one_to_its_end_and_is_symmetric(progress, final):
    rate = cosine_rate(progress, final)
    assert final - 1e-12 <= rate <= 1 + 1e-12
    assert cosine_rate(1 - progress, final) == pytest.approx(1 + final - rate)
    assert rate >= cosine_rate(min(1.0, progress + 0.1), final)


def test_the_cosine_at_a_third():
    assert cosine_rate(1 / 3, 0.0) == pytest.approx(0.75)


def test_the_warm_up_is_a_line_and_then_still():
    assert [warm_up(step, 5, 0.8, 0.9) for step in (0, 1, 5, 6)] == pytest.approx(
        [0.8, 0.82, 0.9, 0.9]
    )
    assert warm_up(0, 0, 0.0, 1.0) == 1.0


def test_the_mean_forgets_fast_at_first():
    assert averaging_decay(0, 0.1) == averaging_decay(100, 0.0) == 0


@given(st.integers(0, 10**6), shares)
def test_the_mean_reaches_back_over_its_share_of_the_steps(step, share):
    assert 1 / (1 - averaging_decay(step, share)) == pytest.approx(1 + share * step)
