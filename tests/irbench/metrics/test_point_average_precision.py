"""Average precision by centroid distance, against a slow implementation and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.errors import UsageError
from irbench.metrics.components import Components
from irbench.metrics.counting import count_boxes, precision
from irbench.metrics.packed_components import PackedComponents
from irbench.metrics.point_average_precision import ap_point, match_points
from irbench.metrics.weighted import Draws
from irbench.statistics.resamples import Resamples

WIDTH = 100


def at(*centroids):
    """One-pixel components; their raster order is that of their centroids."""
    points = np.array(centroids, float).reshape(-1, 2)
    return Components(
        points, np.ones(len(points)), points[:, 1].round() * WIDTH + points[:, 0].round()
    )


def table_of(*images, **kwargs):
    """Of images ([(x, y, score), …], [(x, y), …])."""
    return match_points(
        PackedComponents.of(at(*(one[:2] for one in found)) for found, _ in images),
        np.array([one[2] for found, _ in images for one in found], float),
        PackedComponents.of(at(*targets) for _, targets in images),
        **kwargs,
    )


def slow_hits(found, targets):
    """(score, hit) of each detection by loops over lists."""
    free, answer = sorted(targets, key=lambda t: (t[1], t[0])), []
    for x, y, score in sorted(found, key=lambda f: (-f[2], f[1], f[0])):
        near = [(math.hypot(x - t[0], y - t[1]), i) for i, t in enumerate(free)]
        near = [pair for pair in near if pair[0] < 3]
        if near:
            free.pop(min(near)[1])
        answer.append((score, bool(near)))
    return answer


def slow_average_precision(images):
    """From the definition: at every score that occurs, then the best precision from each recall."""
    n_targets = sum(len(targets) for _, targets in images)
    if n_targets == 0:
        return None
    rows = [row for found, targets in images for row in slow_hits(found, targets)]
    points = []
    for level in {score for score, _ in rows}:
        kept = [hit for score, hit in rows if score >= level]
        points.append((sum(kept) / n_targets, sum(kept) / len(kept)))
    return (
        sum(
            max((p for r, p in points if r >= level), default=0.0)
            for level in np.linspace(0, 1, 101)
        )
        / 101
    )


place = st.tuples(st.integers(0, 12), st.integers(0, 8))
image = st.tuples(
    st.lists(place, max_size=6, unique=True).flatmap(
        lambda places: st.tuples(
            *(st.integers(1, 4).map(lambda score, p=p: (*p, score / 4)) for p in places)
        )
    ),
    st.lists(place, max_size=4, unique=True),
)
sets = st.lists(image, min_size=1, max_size=4)


@given(sets)
@settings(max_examples=40, deadline=None)
def test_equals_the_slow_implementation(images):
    table = table_of(*images)
    expected = slow_average_precision(images)
    value = ap_point(table).value
    assert value == (None if expected is None else pytest.approx(expected, abs=1e-12))
    hits = [hit for found, targets in images for _, hit in slow_hits(found, targets)]
    assert table.hit[:, 0].tolist() == hits


@given(sets, st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_no_order_of_a_list_matters(images, random):
    before = ap_point(table_of(*images))
    shuffled = [
        (random.sample(found, len(found)), random.sample(targets, len(targets)))
        for found, targets in images
    ]
    random.shuffle(shuffled)
    assert ap_point(table_of(*shuffled)) == before


@given(sets, st.sampled_from([lambda s: 5 * s - 3, lambda s: s**3, math.exp]))
@settings(max_examples=15, deadline=None)
def test_a_monotone_transform_of_the_scores_changes_nothing(images, transform):
    moved = [([(x, y, transform(s)) for x, y, s in found], targets) for found, targets in images]
    assert ap_point(table_of(*moved)) == ap_point(table_of(*images))


@given(sets, st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_another_false_alarm_raises_nothing(images, score):
    before, more = table_of(*images), table_of(*images, ([(50, 50, score / 4)], []))
    one, other = ap_point(before).value, ap_point(more).value
    assert (one is None) == (other is None)
    assert one is None or other <= one + 1e-12
    for threshold in (0.25, 0.5, 1.0):
        one, other = (precision(count_boxes(table, threshold)).value for table in (before, more))
        assert one is None or other <= one


def test_what_is_kept_does_not_depend_on_what_is_dropped():
    found, targets = [(5, 5, 0.9), (6, 5, 0.8), (7, 5, 0.2)], [(5, 5), (8, 5)]
    table, alone = table_of((found, targets)), table_of((found[:2], targets))
    assert alone.hit[:, 0].tolist() == table.hit[table.scores >= 0.5, 0].tolist()


def test_three_pixels_are_too_far():
    for x, hit in ((13, False), (12.999, True)):
        assert table_of(([(x, 10, 1)], [(10, 10)])).hit[:, 0].tolist() == [hit]
    assert table_of(([(13, 10, 1)], [(10, 10)]), distance_px=3.5).hit.all()


def test_the_best_score_takes_the_nearest_free_target():
    table = table_of(([(10, 10, 0.9), (10, 10.1, 0.8)], [(12, 10), (9, 10)]))
    assert table.target_index[:, 0].tolist() == [1, 0]


def test_of_equally_near_targets_the_first_in_raster_order():
    assert table_of(([(10, 10, 1)], [(11, 10), (9, 10)])).target_index.tolist() == [[1]]
    assert table_of(([(10, 10, 1)], [(10, 11), (10, 9)])).target_index.tolist() == [[1]]


def test_equal_scores_choose_in_raster_order():
    table = table_of(([(11, 10, 0.5), (10, 9, 0.5)], [(11, 10)]))
    assert table.detection_index.tolist() == [1, 0]
    assert table.hit[:, 0].tolist() == [True, False]


def test_duplicates_are_false_alarms():
    table = table_of(([(5, 5, 0.9), (5, 5, 0.8), (5, 5, 0.7)], [(5, 5)]))
    assert table.hit[:, 0].tolist() == [True, False, False]
    assert ap_point(table).value == 1


def test_equal_scores_are_one_point():
    for order in (1, -1):
        found = [(5, 5, 0.5), (30, 5, 0.5)][::order]
        assert ap_point(table_of((found, [(5, 5)]))).value == pytest.approx(0.5)


def test_undefined_without_targets_and_zero_without_detections():
    assert ap_point(table_of(([(1, 1, 1)], []))).reason == "no target in any image"
    assert ap_point(table_of(([], [(1, 1)]))).value == 0
    assert ap_point(table_of()).value is None


def test_the_bootstrap_takes_the_table():
    rng = np.random.default_rng(0)
    images = []
    for _ in range(15):
        targets = (rng.integers(0, 4, (rng.integers(0, 4), 2)) * 12 + 5).tolist()
        found = [(x + 1, y, rng.normal(1)) for x, y in targets if rng.random() < 0.7]
        found += [(*rng.uniform(0, 60, 2), rng.normal(0)) for _ in range(rng.integers(0, 4))]
        images.append((found, targets))
    table = table_of(*images)
    weights = next(Resamples([f"{i:02d}" for i in range(15)], 20).blocks(20))
    expected = [
        ap_point(
            table_of(*(x for x, n in zip(images, one, strict=True) for _ in range(int(n))))
        ).value
        for one in weights.T
    ]
    fast = ap_point.checked(table)(Draws(weights))
    np.testing.assert_allclose(fast, np.array(expected, float), rtol=0, atol=1e-12)
    assert np.ptp(fast) > 0


def test_refusals():
    with pytest.raises(UsageError, match="distance_px must be more than 0, got 0"):
        table_of(([], []), distance_px=0)
