"""Rankings, and letters that are shared exactly by what is not distinguishable."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irbench.errors import UsageError
from irbench.statistics.ranking import compact_letters, rank_methods


def relation(n, pairs):
    """A symmetric matrix that is true at the pairs."""
    matrix = np.zeros((n, n), dtype=bool)
    for i, j in pairs:
        matrix[i, j] = matrix[j, i] = True
    return matrix


@st.composite
def relations(draw):
    n = draw(st.integers(0, 8))
    pairs = [(i, j) for i in range(n) for j in range(i)]
    return relation(n, [pair for pair in pairs if draw(st.booleans())])


@given(relations())
def test_letters_are_shared_exactly_by_what_is_not_distinguishable(differ):
    letters = compact_letters(differ)
    for i in range(len(differ)):
        assert letters[i]
        for j in range(i):
            assert bool(set(letters[i]) & set(letters[j])) != differ[i, j]


@given(relations())
def test_no_letter_is_superfluous(differ):
    letters = compact_letters(differ)
    members = [
        {i for i, one in enumerate(letters) if letter in one} for letter in set("".join(letters))
    ]
    assert not any(one < other for one in members for other in members)


@pytest.mark.parametrize(
    ("differ", "expected"),
    [
        (relation(3, []), ["a", "a", "a"]),
        (relation(3, [(0, 1), (0, 2), (1, 2)]), ["a", "b", "c"]),
        (relation(4, [(0, 2), (0, 3), (1, 3)]), ["a", "ab", "bc", "c"]),
        (relation(3, [(0, 1), (1, 2)]), ["a", "b", "a"]),
        (relation(1, []), ["a"]),
        (relation(0, []), []),
    ],
)
def test_hand_cases(differ, expected):
    assert compact_letters(differ) == expected


def test_more_groups_than_letters_stay_apart():
    n = 60
    letters = compact_letters(~np.eye(n, dtype=bool))
    assert len(set(letters)) == n


def test_ranking():
    estimates = {"c": 0.2, "a": 0.9, "none": None, "b": 0.7, "b2": 0.7}
    p = np.full((5, 5), 0.5)
    names = list(estimates)
    for one, other in (("a", "c"), ("b", "c")):
        i, j = names.index(one), names.index(other)
        p[i, j] = p[j, i] = 0.05
    p[2] = p[:, 2] = np.nan
    ranked = [(one.method, one.rank, one.letters) for one in rank_methods(estimates, p, True)]
    assert ranked == [
        ("a", 1, "a"),
        ("b", 2, "a"),
        ("b2", 2, "ab"),
        ("c", 4, "b"),
        ("none", None, ""),
    ]


def test_direction_and_alpha():
    p = np.array([[np.nan, 0.03], [0.03, np.nan]])
    best, other = rank_methods({"x": 5.0, "y": 1.0}, p, higher_is_better=False, alpha=0.01)
    assert (best.method, other.letters) == ("y", "a")
    assert rank_methods({"x": 5.0, "y": 1.0}, p, True)[1].letters == "b"


def test_wrong_shape_is_refused():
    with pytest.raises(UsageError, match=r"must have shape \(2, 2\)"):
        rank_methods({"x": 1.0, "y": 2.0}, np.ones((3, 3)), True)
