"""Ranks against counting by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irbench.metrics.definition import METRICS
from irbench.reports._columns import ranks


def test_ties_share_a_rank_and_the_next_value_takes_the_next():
    assert ranks([0.9, 0.9, 0.8, 0.7, 0.6], METRICS["f1"]) == [1, 1, 2, 3, None]


def test_lower_is_better_where_the_metric_says_so():
    assert ranks([3e-6, 1e-6, 2e-6], METRICS["fa"]) == [3, 1, 2]


def test_what_prints_alike_ranks_alike():
    assert ranks([0.83333, 0.83331, 0.5], METRICS["f1"]) == [1, 1, 2]


@pytest.mark.parametrize("values", [[], [0.5], [None, None], [None, 0.5]])
def test_nothing_to_compare_with_is_not_ranked(values):
    assert ranks(values, METRICS["f1"]) == [None] * len(values)


def test_a_setting_is_no_merit():
    assert ranks([1.0, 2.0], METRICS["threshold"]) == [None, None]


@given(st.lists(st.none() | st.integers(0, 30), min_size=2, max_size=12))
def test_a_rank_counts_the_better_values(hundredths):
    values = [None if h is None else h / 100 for h in hundredths]
    defined = {h for h in hundredths if h is not None}
    if sum(h is not None for h in hundredths) < 2:
        return
    expected = []
    for h in hundredths:
        place = None if h is None else 1 + sum(other > h for other in defined)
        expected.append(place if place is not None and place <= 3 else None)
    assert ranks(values, METRICS["recall"]) == expected
