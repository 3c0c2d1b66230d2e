"""Intervals: against SciPy's, and by how often they cover the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from irbench.errors import UnknownNameError, UsageError
from irbench.messages.progress import Progress
from irbench.metrics.average_precision import average_precision, average_precision_form
from irbench.metrics.matching import match_detections
from irbench.metrics.weighted import Draws, Ratio
from irbench.scoring.evaluation import evaluate
from irbench.statistics.bca import Correction
from irbench.statistics.bootstrap import (
    Spread,
    confidence_interval,
    jackknife,
    printed_interval,
    resample,
)
from irbench.statistics.image_statistics import ImageStatistics
from irbench.statistics.resamples import Resamples


def ids_of(n):
    return [f"{index:05d}" for index in range(n)]


def spread_of(draws, left_out=(0.4, 0.5, 0.6)):
    return Spread(np.asarray(draws, float), np.asarray(left_out, float))


KINDS = ("percentile", "basic", "expanded", "bca", "expanded-bca")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [0.95, 0.6])
def test_equals_scipy_on_the_same_draws(kind, level):
    rng = np.random.default_rng(4)
    hits, targets = rng.poisson(1.5, 40), rng.poisson(2, 40) + 2

    def ratio(one, other, axis=-1):
        return one.sum(axis=axis) / other.sum(axis=axis)

    def scipy_interval(method, n_resamples, **more):
        return stats.bootstrap(
            (hits, targets), ratio, paired=True, vectorized=True, confidence_level=level,
            method=method, n_resamples=n_resamples, rng=np.random.default_rng(0), **more,
        )  # fmt: skip

    method = {"basic": "basic", "bca": "BCa", "expanded-bca": "BCa"}.get(kind, "percentile")
    statistics = ImageStatistics(40, {"recall": Ratio(hits, targets)})
    asked = level
    if kind.startswith("expanded"):
        # That of a normal distribution which reaches as far as t does, widened.
        quantile = stats.t.ppf((1 + level) / 2, 39) * np.sqrt(40 / 39)
        level = 2 * stats.norm.cdf(quantile) - 1
    expected = scipy_interval(method, 999)
    spread = Spread(expected.bootstrap_distribution, jackknife(statistics)["recall"])
    ours = confidence_interval(hits.sum() / targets.sum(), spread, asked, kind)
    assert ours.lower == pytest.approx(expected.confidence_interval.low, abs=1e-12)
    assert ours.upper == pytest.approx(expected.confidence_interval.high, abs=1e-12)


@pytest.mark.parametrize("kind", ["percentile", "expanded-bca"])
def test_coverage_of_recall(kind):
    """95 % intervals cover the truth about 95 times of 100, with targets that cluster in images."""
    rng = np.random.default_rng(11)
    n_sets, n_images, covered = 300, 60, 0
    resamples = Resamples(ids_of(n_images), 300)
    for _ in range(n_sets):
        targets = rng.poisson(2, n_images) + 1
        # Every image has a difficulty of its own, of mean 0.7: targets are not independent.
        hits = rng.binomial(targets, rng.beta(1.4, 0.6, n_images))
        one = ImageStatistics(n_images, {"recall": Ratio(hits, targets)})
        spread = resample({"m": one}, resamples)["m"]["recall"]
        found = confidence_interval(hits.sum() / targets.sum(), spread, kind=kind)
        covered += found.lower <= 0.7 <= found.upper
    # Binomial(300, 0.94): 2.6 standard deviations to either side.
    assert 0.90 <= covered / n_sets <= 0.98


def simulated_table(rng, n_images):
    """Images of one or two targets; three candidates each, hits with the better scores."""
    boxes, scores, targets = [], [], []
    for n_targets in rng.integers(1, 3, n_images):
        target = np.array([[0, 0, 4, 4], [10, 10, 14, 14]])[:n_targets]
        found = rng.random(n_targets) < 0.8
        clutter = np.tile([20.0, 20.0, 24.0, 24.0], (2, 1))
        boxes.append(np.concatenate([target[found], clutter]))
        scores.append(np.append(rng.normal(1, 1, found.sum()), rng.normal(0, 1, 2)))
        targets.append(target)
    return match_detections(boxes, scores, targets, (0.5,))


def test_coverage_of_average_precision():
    rng = np.random.default_rng(12)
    truth = average_precision(simulated_table(rng, 20_000)).value
    n_sets, n_images, covered = 120, 80, 0
    resamples = Resamples(ids_of(n_images), 200)
    for _ in range(n_sets):
        table = simulated_table(rng, n_images)
        one = ImageStatistics(n_images, {"map50": average_precision_form(table, [0])}, ["map50"])
        spread = resample({"m": one}, resamples)["m"]["map50"]
        found = printed_interval(average_precision(table).value, spread)
        covered += found.lower <= truth <= found.upper
    assert 0.87 <= covered / n_sets <= 0.99


def test_the_interval_of_average_precision_allows_for_targets_that_nobody_missed_yet():
    """All found, all clutter below: the plain quantiles are a point."""
    target, clutter = [0.0, 0.0, 4.0, 4.0], [20.0, 20.0, 24.0, 24.0]
    table = match_detections([[target, clutter]] * 30, [[0.9, 0.1]] * 30, [[target]] * 30, (0.5,))
    forms = {"map50": average_precision_form(table, [0]), "recall": Ratio(np.ones(30), np.ones(30))}
    one = ImageStatistics(30, forms, ["map50"])
    resamples = Resamples(ids_of(30), 4000)
    spread = resample({"m": one}, resamples)["m"]
    assert (spread["recall"].draws == 1).all()
    assert (spread["map50"].draws == 1).all()
    assert spread["recall"].with_miss is None
    # With k of 30 + k targets missed, so many recalls of 0, 0.01, ... are not reached.
    expected = (np.floor(100 * 30 / (30 + resamples.missed) + 1e-9) + 1) / 101
    np.testing.assert_allclose(spread["map50"].with_miss, expected, atol=1e-12)
    found = printed_interval(1.0, spread["map50"])
    assert found.upper == 1
    # Jeffreys' interval of 30 of 30.
    assert found.lower == pytest.approx(stats.beta.ppf(0.025, 30.5, 0.5), abs=0.02)
    recall = printed_interval(1.0, spread["recall"])
    assert (recall.lower, recall.upper) == (1, 1)


def test_a_draw_without_targets_leaves_average_precision_undefined():
    target = [[0.0, 0.0, 4.0, 4.0]]
    table = match_detections([target, []], [[0.9], []], [target, []], (0.5,))
    form = average_precision_form(table, [0])
    values = form(Draws(np.array([[1.0, 0.0], [1.0, 2.0]]), np.array([1.0, 1.0])))
    assert values[0] == pytest.approx(51 / 101)
    assert np.isnan(values[1])


def test_draws_that_leave_a_metric_undefined_are_dropped_and_counted():
    # Two images, one of them with a target: the draw of the other twice has none.
    one = ImageStatistics(2, {"recall": Ratio(np.array([1, 0]), np.array([1, 0]))})
    spread = resample({"m": one}, Resamples(["a", "b"], 400))["m"]["recall"]
    n_undefined = int(np.isnan(spread.draws).sum())
    assert 60 < n_undefined < 140
    assert np.isnan(spread.left_out).tolist() == [True, False]
    found = confidence_interval(1.0, spread)
    assert (found.lower, found.upper, found.n_undefined) == (1.0, 1.0, n_undefined)


def test_nothing_defined_has_no_interval():
    found = confidence_interval(None, Spread.undefined(2, 3))
    assert (found.lower, found.upper, found.n_undefined) == (None, None, 2)
    no_targets = ImageStatistics(3, {"recall": Ratio(np.zeros(3), np.zeros(3))})
    assert np.isnan(jackknife(no_targets)["recall"]).all()


@pytest.mark.parametrize("kind", [*KINDS, "standard"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1.0])
def test_no_spread_is_a_point(kind, value):
    found = confidence_interval(value, spread_of([value] * 50, [value] * 9), kind=kind)
    assert (found.lower, found.upper) == (value, value)


@pytest.mark.parametrize("estimate", [0.0, 1.0])
def test_an_estimate_at_its_bound_is_an_end_of_the_interval(estimate):
    """No draw lies beyond; half of them are equal to the estimate."""
    draws = np.abs(estimate - np.repeat([0.0, 0.01, 0.02], [50, 30, 20]))
    left_out = np.abs(estimate - np.append(np.zeros(29), 0.01))
    found = confidence_interval(estimate, spread_of(draws, left_out))
    assert found.lower <= estimate <= found.upper
    assert estimate in (found.lower, found.upper)
    assert found.lower < found.upper


def test_of_two_images_the_interval_is_the_range_of_the_draws():
    one = ImageStatistics(2, {"recall": Ratio(np.array([1, 3]), np.array([4, 4]))})
    spread = resample({"m": one}, Resamples(["a", "b"], 200))["m"]["recall"]
    found = confidence_interval(0.5, spread)
    assert (found.lower, found.upper) == (0.25, 0.75)


shares = st.floats(0.0, 1.0)
images = st.lists(st.tuples(shares, st.floats(0.1, 1.0)), min_size=2, max_size=12)


def of_images(pairs, n_resamples=60):
    parts, wholes = np.array(pairs).T
    one = ImageStatistics(len(pairs), {"ratio": Ratio(parts * wholes, wholes)})
    spread = resample({"m": one}, Resamples(ids_of(len(pairs)), n_resamples))["m"]["ratio"]
    return float(parts @ wholes / wholes.sum()), spread


@settings(max_examples=30, deadline=None)
@given(images, st.sampled_from(["expanded", "bca", "expanded-bca"]))
def test_invariances(pairs, kind):
    estimate, spread = of_images(pairs)
    found = confidence_interval(estimate, spread, kind=kind)
    assert spread.draws.min() <= found.lower <= found.upper <= spread.draws.max()
    wider = confidence_interval(estimate, spread, 0.99, kind)
    assert wider.lower <= found.lower <= found.upper <= wider.upper
    # The complement, such as misses for hits, has the mirrored interval.
    turned = Spread(1 - spread.draws, 1 - spread.left_out)
    mirrored = confidence_interval(1 - estimate, turned, kind=kind)
    np.testing.assert_allclose(
        [1 - mirrored.upper, 1 - mirrored.lower], [found.lower, found.upper], atol=1e-9
    )
    # Another unit, such as that of Fa, changes nothing else.
    scaled = Spread(1e-6 * spread.draws, 1e-6 * spread.left_out)
    small = confidence_interval(1e-6 * estimate, scaled, kind=kind)
    np.testing.assert_allclose(
        [1e6 * small.lower, 1e6 * small.upper], [found.lower, found.upper], atol=1e-9
    )


@settings(max_examples=50, deadline=None)
@given(
    st.floats(-1, 1),
    st.floats(-1 / 6, 1 / 6),
    st.sampled_from([None, 2, 10, 300]),
    st.floats(0.01, 0.99),
)
def test_the_level_is_that_of_the_interval_that_ends_there(bias, acceleration, n_images, level):
    correction = Correction(bias, acceleration, n_images)
    low, high = correction.tails(level)
    assert 0 <= low <= high <= 1
    for below, above in ((low, 1.0), (1.0, 1 - high)):
        # Where a tail is a few last bits from 0 or 1 there is nothing left to invert.
        if 1e-6 < below <= 1 and 1e-6 < above <= 1:
            assert correction.level(below, above) == pytest.approx(level, abs=1e-6)


def test_jackknife_leaves_out_one_image_each(make_truths, make_detections):
    truths = make_truths(3, 70)
    detections = make_detections(truths, 4)
    left_out = jackknife(ImageStatistics.of(evaluate(detections, truths, threshold=1.0)))
    for index in (0, 63, 64, 69):
        others = [truth for place, truth in enumerate(truths) if place != index]
        found = {truth.id: detections[truth.id] for truth in others}
        result = evaluate(found, others, threshold=1.0)
        for metric, values in left_out.items():
            assert values[index] == pytest.approx(result[metric], abs=1e-12), metric


def test_groups_of_many_images_say_the_same_of_the_skewness(monkeypatch):
    """And groups are by id: another order of the images changes nothing."""
    rng = np.random.default_rng(7)
    counts, place = rng.exponential(1, 4000), rng.permutation(4000)

    def acceleration(order):
        mean = ImageStatistics(4000, {"mean": Ratio(counts[order], np.ones(4000))})
        left_out = jackknife(mean, place[order])["mean"]
        n_left_out.append(len(left_out))
        return Correction.of(0.0, np.zeros(2), left_out, expanded=True).acceleration

    n_left_out = []
    grouped = acceleration(np.arange(4000))
    assert acceleration(rng.permutation(4000)) == pytest.approx(grouped, rel=1e-6)
    monkeypatch.setattr("irbench.statistics.bootstrap.MOST_LEFT_OUT", 4000)
    assert n_left_out == [1000, 1000]
    # Of an exponential distribution the skewness is 2.
    assert acceleration(np.arange(4000)) == pytest.approx(2 / (6 * np.sqrt(4000)), rel=0.15)
    assert grouped == pytest.approx(2 / (6 * np.sqrt(4000)), rel=0.4)


def test_order_of_images_and_detections_changes_nothing(
    make_truths, make_detections, with_other_order
):
    truths = make_truths()
    detections = make_detections(truths)

    def values(images, found):
        one = ImageStatistics.of(evaluate(found, images, threshold=1.0))
        return resample({"m": one}, Resamples([image.id for image in images], 100))["m"]

    before = values(truths, detections)
    after = values(*with_other_order(truths, detections))
    for metric, expected in before.items():
        np.testing.assert_allclose(
            after[metric].draws, expected.draws, rtol=0, atol=1e-12, err_msg=metric
        )


def test_methods_share_the_draws_and_progress_ends(make_truths, make_detections):
    truths = make_truths()
    one = ImageStatistics.of(evaluate(make_detections(truths), truths, threshold=1.0))
    advances = []

    class Counting(Progress):
        def track(self, title, total, unit=""):
            advances.append(total)
            return super().track(title, total)

    spread = resample({"a": one, "b": one}, Resamples([t.id for t in truths], 1200), Counting())
    assert advances == [3]
    for metric in one.metrics:
        one, other = spread["a"][metric], spread["b"][metric]
        assert np.array_equal(one.draws, other.draws, equal_nan=True)


def test_refusals():
    with pytest.raises(UnknownNameError, match="kind of interval"):
        confidence_interval(1.0, spread_of([1.0]), kind="t")
    with pytest.raises(UsageError, match="level must be in"):
        confidence_interval(1.0, spread_of([1.0]), level=95)
    with pytest.raises(UsageError, match="at least two images, got 1"):
        confidence_interval(1.0, spread_of([1.0], [1.0]))
