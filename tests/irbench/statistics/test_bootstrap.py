"""Intervals: against SciPy's, and by how often they cover the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from irbench.errors import UnknownNameError, UsageError
from irbench.evaluation import evaluate
from irbench.metrics.average_precision import average_precision, average_precision_form
from irbench.metrics.matching import match_detections
from irbench.metrics.weighted import Ratio
from irbench.progress import Progress
from irbench.statistics.bootstrap import confidence_interval, jackknife, resample
from irbench.statistics.image_statistics import ImageStatistics
from irbench.statistics.resamples import Resamples


def ids_of(n):
    return [f"{index:05d}" for index in range(n)]


@pytest.mark.parametrize("kind", ["percentile", "basic", "bca"])
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

    method = {"percentile": "percentile", "basic": "basic", "bca": "BCa"}[kind]
    expected = scipy_interval(method, 999)
    statistics = ImageStatistics(40, {"recall": Ratio(hits, targets)})
    ours = confidence_interval(
        hits.sum() / targets.sum(),
        expected.bootstrap_distribution,
        level,
        kind,
        jackknife(statistics)["recall"],
    )
    assert ours.lower == pytest.approx(expected.confidence_interval.low, abs=1e-12)
    assert ours.upper == pytest.approx(expected.confidence_interval.high, abs=1e-12)


@pytest.mark.parametrize("kind", ["percentile", "bca"])
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
        values = resample({"m": one}, resamples)["m"]["recall"]
        left_out = jackknife(one)["recall"] if kind == "bca" else None
        found = confidence_interval(
            hits.sum() / targets.sum(), values, kind=kind, left_out=left_out
        )
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
        one = ImageStatistics(n_images, {"map50": average_precision_form(table, [0])})
        values = resample({"m": one}, resamples)["m"]["map50"]
        found = confidence_interval(average_precision(table).value, values)
        covered += found.lower <= truth <= found.upper
    assert 0.87 <= covered / n_sets <= 0.99


def test_draws_that_leave_a_metric_undefined_are_dropped_and_counted():
    # Two images, one of them with a target: the draw of the other twice has none.
    one = ImageStatistics(2, {"recall": Ratio(np.array([1, 0]), np.array([1, 0]))})
    values = resample({"m": one}, Resamples(["a", "b"], 400))["m"]["recall"]
    n_undefined = int(np.isnan(values).sum())
    assert 60 < n_undefined < 140
    found = confidence_interval(1.0, values)
    assert (found.lower, found.upper, found.n_undefined) == (1.0, 1.0, n_undefined)


def test_nothing_defined_has_no_interval():
    found = confidence_interval(None, [np.nan, np.nan])
    assert (found.lower, found.upper, found.n_undefined) == (None, None, 2)
    no_targets = ImageStatistics(3, {"recall": Ratio(np.zeros(3), np.zeros(3))})
    assert np.isnan(jackknife(no_targets)["recall"]).all()


@pytest.mark.parametrize("kind", ["percentile", "basic", "bca"])
def test_no_spread_is_a_point(kind):
    found = confidence_interval(0.5, [0.5] * 50, kind=kind, left_out=[0.5] * 9)
    assert (found.lower, found.upper) == (0.5, 0.5)


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
        np.testing.assert_allclose(after[metric], expected, rtol=0, atol=1e-12, err_msg=metric)


def test_methods_share_the_draws_and_progress_ends(make_truths, make_detections):
    truths = make_truths()
    one = ImageStatistics.of(evaluate(make_detections(truths), truths, threshold=1.0))
    advances = []

    class Counting(Progress):
        def track(self, title, total, unit=""):
            advances.append(total)
            return super().track(title, total)

    spread = resample({"a": one, "b": one}, Resamples([t.id for t in truths], 130), Counting())
    assert advances == [3]
    for metric in one.metrics:
        assert np.array_equal(spread["a"][metric], spread["b"][metric], equal_nan=True)


def test_refusals():
    with pytest.raises(UnknownNameError, match="kind of interval"):
        confidence_interval(1.0, [1.0], kind="t")
    with pytest.raises(UsageError, match="level must be in"):
        confidence_interval(1.0, [1.0], level=95)
    with pytest.raises(UsageError, match="left_out must be given"):
        confidence_interval(1.0, [1.0], kind="bca")
