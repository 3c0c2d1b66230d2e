"""Paired bootstrap: right on equal methods, on random ones, and where values are missing."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from irbench.errors import UsageError
from irbench.metrics.weighted import Ratio
from irbench.statistics.bootstrap import Spread, confidence_interval, resample
from irbench.statistics.image_statistics import ImageStatistics
from irbench.statistics.paired import KIND, mcnemar_exact, paired_difference
from irbench.statistics.resamples import Resamples
from irbench.statistics.standard_error import StandardError


def spread_of(draws, left_out=(0.4, 0.5, 0.6)):
    return Spread(np.asarray(draws, float), np.asarray(left_out, float))


def test_equal_methods_do_not_differ():
    values = spread_of(np.random.default_rng(0).random(200))
    found = paired_difference(0.5, 0.5, values, values)
    assert found.p_value == 1
    assert (found.interval.estimate, found.interval.lower, found.interval.upper) == (0, 0, 0)


def test_swapping_the_methods_swaps_the_sign():
    rng = np.random.default_rng(1)
    one, other = (spread_of(rng.normal(mean, 1, 300), rng.random(30)) for mean in (0.1, 0))
    there, back = paired_difference(2, 1, one, other), paired_difference(1, 2, other, one)
    assert there.p_value == pytest.approx(back.p_value, rel=1e-9)
    assert there.interval.lower == pytest.approx(-back.interval.upper, abs=1e-12)


@pytest.mark.parametrize("shift", [0.0, 1.0, -1.7, 2.2, 3.0, -9.0])
@pytest.mark.parametrize("skewed", [False, True])
def test_p_value_inverts_the_interval(shift, skewed):
    rng = np.random.default_rng(2)
    draws = rng.gumbel(shift, 1, 4000) if skewed else rng.normal(shift, 1, 4000)
    left_out = -rng.exponential(1, 40) if skewed else rng.normal(0, 1, 40)
    differences = spread_of(draws, left_out)
    found = paired_difference(shift, 0.0, differences, spread_of(np.zeros(4000), np.zeros(40)))
    p = found.p_value
    if not (draws.min() < 0 < draws.max()):
        assert p == 2 / 4001
        return
    # At this level the interval ends at the draw next to 0.
    interval = confidence_interval(shift, differences, max(1 - p, 1e-9), KIND)
    end = min(interval.lower, interval.upper, key=abs)
    if p < 1:
        assert np.count_nonzero((draws - end) * draws < 0) <= 1


@pytest.mark.parametrize("tail", [-1, 1], ids=["long towards 0", "short towards 0"])
def test_of_average_precision_quantiles_and_standard_error_must_agree(tail):
    draws = 1.9 + tail * (np.random.default_rng(4).gumbel(0, 1, 4000) - np.euler_gamma)
    estimate, left_out = 1.9, np.zeros(30)
    nothing = np.zeros(4000)
    alone = paired_difference(estimate, 0.0, Spread(draws, left_out), Spread(nothing, left_out))
    found = paired_difference(
        estimate, 0.0, Spread(draws, left_out, draws), Spread(nothing, left_out, nothing)
    )
    error = draws.std() * np.sqrt(30 / 29)
    of_error = 2 * float(stats.t.sf(estimate / error, 29))
    assert found.p_value == pytest.approx(max(alone.p_value, of_error), rel=1e-9)
    half = stats.t.ppf(0.975, 29) * error
    assert found.interval.lower == pytest.approx(min(alone.interval.lower, estimate - half))
    assert found.interval.upper == pytest.approx(max(alone.interval.upper, estimate + half))
    # Either may be the one that decides.
    assert (found.p_value > alone.p_value) == (tail > 0)


def test_the_standard_error_is_that_of_the_t_test_where_draws_are_of_a_mean():
    """Of images with a difference each, SciPy's t-test needs no draws."""
    differences = np.random.default_rng(4).normal(0.4, 1, 30)
    drawn = np.random.default_rng(5).integers(0, 30, (20_000, 30))
    error = StandardError.of(differences[drawn].mean(axis=1), 30)
    expected = stats.ttest_1samp(differences, 0)
    assert error.p_value(differences.mean()) == pytest.approx(expected.pvalue, rel=0.05)
    low, high = expected.confidence_interval()
    assert error.half_width(0.95) == pytest.approx((high - low) / 2, rel=0.02)
    equal = StandardError.of(np.full(9, 0.1), 30)
    assert (equal.p_value(0.0), equal.p_value(0.1), equal.half_width(0.95)) == (1, 0, 0)
    with pytest.raises(UsageError, match="at least 2"):
        StandardError.of(np.zeros(9), 1)


def test_false_alarms_of_the_test_are_as_rare_as_it_says():
    """Two equally good methods: p <= 0.05 in about 5 of 100 sets."""
    rng = np.random.default_rng(3)
    n_sets, n_images, rejected = 300, 60, 0
    resamples = Resamples([f"{index:03d}" for index in range(n_images)], 300)
    for _ in range(n_sets):
        targets = rng.poisson(2, n_images) + 1
        ease = rng.beta(1.4, 0.6, n_images)
        hits = [rng.binomial(targets, ease) for _ in range(2)]
        spread = resample(
            {str(k): ImageStatistics(n_images, {"r": Ratio(hits[k], targets)}) for k in range(2)},
            resamples,
        )
        estimates = [one.sum() / targets.sum() for one in hits]
        found = paired_difference(*estimates, spread["0"]["r"], spread["1"]["r"])
        rejected += found.p_value <= 0.05
    # Binomial(300, 0.05) is under 11 % with probability 1 - 1e-5.
    assert 0.01 <= rejected / n_sets <= 0.11


def test_undefined_draws_of_either_method_are_dropped_and_counted():
    nan = np.nan
    one, other = np.random.default_rng(5).normal([[0.2], [0.0]], 0.2, (2, 50))
    whole = paired_difference(0.2, 0.0, spread_of(one), spread_of(other))
    one, other = np.append(one, [nan, 0.9, 0.9]), np.append(other, [0.1, nan, nan])
    found = paired_difference(0.2, 0.0, spread_of(one), spread_of(other))
    assert (found.interval.n_undefined, found.p_value) == (3, whole.p_value)
    assert 0 < found.p_value < 1


@pytest.mark.parametrize(
    ("first", "second", "values"), [(None, 0.5, [0.1, 0.2]), (0.5, 0.5, [np.nan, np.nan])]
)
def test_no_difference_where_undefined(first, second, values):
    found = paired_difference(first, second, spread_of(values), spread_of([0.5, 0.5]))
    assert found.p_value is None
    assert found.interval.lower is None


def test_different_draws_are_refused():
    with pytest.raises(UsageError, match="different draws"):
        paired_difference(1, 1, spread_of([1, 1]), spread_of([1, 1, 1]))
    with pytest.raises(UsageError, match="different draws"):
        paired_difference(1, 1, spread_of([1, 1]), spread_of([1, 1], [1, 1]))


def binomial_two_sided(k, n):
    """Closed form at probability 1/2: twice the smaller tail."""
    tail = sum(comb(n, i) for i in range(min(k, n - k) + 1)) / 2**n
    return min(1.0, 2 * tail)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_mcnemar_equals_the_closed_form(answers):
    first, second = np.array(answers, dtype=bool).reshape(-1, 2).T
    found = mcnemar_exact(first, second)
    assert found.both == sum(a and b for a, b in answers)
    assert found.only_first == sum(a and not b for a, b in answers)
    assert found.only_second == sum(b and not a for a, b in answers)
    assert found.both + found.only_first + found.only_second + found.neither == len(answers)
    n = found.only_first + found.only_second
    assert found.p_value == pytest.approx(binomial_two_sided(found.only_first, n), rel=1e-9)
    if n:
        assert found.p_value == stats.binomtest(found.only_first, n).pvalue
    if answers:
        assert found.difference == pytest.approx(first.mean() - second.mean(), abs=1e-12)


def test_mcnemar_without_disagreement():
    same = np.array([True, False, True])
    assert mcnemar_exact(same, same).p_value == 1
    none = mcnemar_exact(np.zeros(0, bool), np.zeros(0, bool))
    assert none.p_value == 1
    assert none.difference is None


def test_mcnemar_of_different_targets_is_refused():
    with pytest.raises(UsageError, match="different targets"):
        mcnemar_exact(np.ones(3, bool), np.ones(4, bool))
