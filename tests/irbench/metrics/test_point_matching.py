from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.metrics.components import Components
from irbench.metrics.point_matching import match_by_assignment, match_in_raster_order

MATCHINGS = [match_in_raster_order, match_by_assignment]


def at(*centroids, width=100):
    """One-pixel components; their raster order is that of their centroids."""
    points = np.array(centroids, float).reshape(-1, 2)
    first = np.round(points[:, 1]) * width + np.round(points[:, 0])
    return Components(points, np.ones(len(points)), first)


@pytest.mark.parametrize("match", MATCHINGS)
def test_three_pixels_are_too_far(match):
    assert match(at((13, 10)), at((10, 10))).tolist() == [-1]
    assert match(at((12.999, 10)), at((10, 10))).tolist() == [0]
    assert match(at((12, 12)), at((10, 10))).tolist() == [0]
    assert match(at((13, 10)), at((10, 10)), 3.5).tolist() == [0]


@pytest.mark.parametrize("match", MATCHINGS)
def test_one_component_serves_one_target(match):
    assert sorted(match(at((10, 10)), at((9, 10), (11, 10))).tolist()) == [-1, 0]
    assert sorted(match(at((9, 10), (11, 10)), at((10, 10))).tolist()) in ([0], [1])


@pytest.mark.parametrize("match", MATCHINGS)
def test_nothing_to_match(match):
    assert match(at(), at()).tolist() == []
    assert match(at((1, 1)), at()).tolist() == []
    assert match(at(), at((1, 1), (9, 9))).tolist() == [-1, -1]


def test_raster_order_takes_the_first_not_the_nearest():
    far_above, exact = (10, 8), (10, 10)
    assert match_in_raster_order(at(exact, far_above), at((10, 10))).tolist() == [1]
    assert match_by_assignment(at(exact, far_above), at((10, 10))).tolist() == [0]


def test_raster_order_may_waste_a_component_that_assignment_does_not():
    """The upper target takes the only component that the lower one could have."""
    components, targets = at((10, 12), (11, 8)), at((10, 10), (10, 14))
    # (11, 8) comes first and is near the upper target alone: both match.
    assert match_in_raster_order(components, targets).tolist() == [1, 0]
    between, beside = (10, 12), (12, 12)
    components, targets = at(between, beside), at((12, 10), (9, 14))
    # `between` comes first and is near both; `beside` is near the upper target alone.
    assert match_in_raster_order(components, targets).tolist() == [0, -1]
    assert match_by_assignment(components, targets).tolist() == [1, 0]


def test_assignment_prefers_most_pairs_to_least_distance():
    """One pair at distance 0, or two at 2.9."""
    targets, components = at((10, 10), (12.9, 10)), at((7.1, 10), (10, 10))
    assert match_by_assignment(components, targets).tolist() == [0, 1]


def test_of_as_many_pairs_assignment_takes_the_least_distance():
    targets, components = at((10, 10), (12, 10)), at((12, 10.5), (10, 10.5))
    assert match_by_assignment(components, targets).tolist() == [1, 0]


points = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=5, unique=True)


@given(points, points, st.randoms(use_true_random=False))
@settings(max_examples=100)
@pytest.mark.parametrize("match", MATCHINGS)
def test_the_order_of_the_lists_does_not_matter(match, components, targets, random):
    def pairs(components, targets):
        matched = match(at(*components), at(*targets)).tolist()
        return {(targets[t], components[c]) for t, c in enumerate(matched) if c >= 0}

    before = pairs(components, targets)
    random.shuffle(components)
    random.shuffle(targets)
    assert pairs(components, targets) == before


@given(points, points)
@settings(max_examples=100)
def test_assignment_never_finds_fewer(components, targets):
    ours, theirs = at(*components), at(*targets)
    greedy = match_in_raster_order(ours, theirs)
    best = match_by_assignment(ours, theirs)
    assert (best >= 0).sum() >= (greedy >= 0).sum()
    for matched in (greedy, best):
        used = matched[matched >= 0]
        assert len(np.unique(used)) == len(used)
        chosen = np.hypot(*(ours.centroids[used] - theirs.centroids[matched >= 0]).T)
        assert (chosen < 3).all()


@pytest.mark.parametrize("seed", range(20))
def test_assignment_equals_scipys(seed):
    """As many pairs as a maximum matching has; of those with so many, the least distance."""
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    rng = np.random.default_rng(seed)
    components, targets = (at(*rng.uniform(0, 14, (n, 2))) for n in rng.integers(5, 40, 2))
    distances = np.hypot(*(targets.centroids[:, None] - components.centroids[None]).T).T
    matched = match_by_assignment(components, targets)
    hit = matched >= 0
    n_pairs = (maximum_bipartite_matching(csr_array(distances < 3), "column") >= 0).sum()
    assert hit.sum() == n_pairs > 0
    # Every target may stay alone at a cost that no saving of distance outweighs.
    alone = np.full((len(targets), len(targets)), 1e3)
    row, column = linear_sum_assignment(np.hstack([np.where(distances < 3, distances, 1e6), alone]))
    chosen = column < len(components)
    least = distances[row[chosen], column[chosen]].sum()
    assert chosen.sum() == n_pairs
    assert distances[hit, matched[hit]].sum() == pytest.approx(least, abs=1e-9)
