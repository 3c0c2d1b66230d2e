"""Lists of different lengths end to end, against plain lists."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from irbench.ragged_arrays import inverse_permutation, offsets_of, ranges, rounds

numbers = st.lists(st.integers(0, 5), max_size=9)


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 5)), max_size=9))
def test_ranges_and_offsets_are_those_of_lists(pairs):
    starts, counts = np.array(pairs, np.int64).reshape(-1, 2).T
    lists = [list(range(start, start + count)) for start, count in pairs]
    rows, offsets = ranges(starts, counts), offsets_of(counts)
    assert offsets.dtype == np.int64
    assert [rows[a:b].tolist() for a, b in pairwise(offsets)] == lists


@given(numbers)
def test_a_round_has_the_next_row_of_every_group(groups):
    found = [sorted(rows.tolist()) for rows in rounds(np.array(groups, np.int64))]
    expected = {}
    for row, group in enumerate(groups):
        expected.setdefault(groups[:row].count(group), []).append(row)
    assert found == [expected[turn] for turn in range(len(expected))]


@given(st.permutations(range(7)))
def test_the_inverse_undoes_a_permutation(order):
    assert inverse_permutation(np.array(order))[order].tolist() == list(range(7))
