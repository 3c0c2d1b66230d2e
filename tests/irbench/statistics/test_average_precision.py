"""Average precision of all draws at once equals the metric, draw by draw."""

from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import UsageError
from irbench.metrics.average_precision import average_precision, mean_average_precision
from irbench.metrics.matching import match_detections
from irbench.statistics.average_precision import WeightedAveragePrecision
from irbench.statistics.resamples import Resamples


def slow(table, weights, iou_indices):
    """The metric itself, once per draw and threshold."""
    answer = np.empty((weights.shape[1], len(iou_indices)))
    for draw, one in enumerate(weights.T):
        for column, index in enumerate(iou_indices):
            value = average_precision(table, float(table.iou_thresholds[index]), one).value
            answer[draw, column] = np.nan if value is None else value
    return answer


def draws_of(table, n_draws=60, seed=0):
    ids = [f"{index:05d}" for index in range(table.n_images)]
    return next(Resamples(ids, n_draws, seed).blocks(n_draws))


@pytest.mark.parametrize("levels", [None, 12, 2, 0])
@pytest.mark.parametrize("seed", range(6))
def test_equals_the_metric(make_table, seed, levels):
    table = make_table(seed, levels=levels)
    weights = draws_of(table)
    values = WeightedAveragePrecision(table, range(10)).values(weights)
    np.testing.assert_allclose(values, slow(table, weights, range(10)), rtol=0, atol=1e-12)
    means = [mean_average_precision(table, one).value for one in weights.T]
    assert values.mean(axis=1) == pytest.approx(means, abs=1e-12)


@pytest.mark.parametrize("n_images", [2, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_draws_without_targets_are_undefined(make_table, n_images, seed):
    table = make_table(seed, n_images=n_images, target_share=0.4)
    weights = draws_of(table)
    values = WeightedAveragePrecision(table, [0, 9]).values(weights)
    expected = slow(table, weights, [0, 9])
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)
    assert np.array_equal(np.isnan(values[:, 0]), table.n_targets @ weights == 0)


def test_weights_need_not_be_whole(make_table):
    table = make_table(1, levels=10)
    weights = np.random.default_rng(0).uniform(0, 0.4, (table.n_images, 30))
    values = WeightedAveragePrecision(table, [0, 5]).values(weights)
    np.testing.assert_allclose(values, slow(table, weights, [0, 5]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_targets", [1, 7, 100, 101])
def test_recalls_on_the_grid_are_reached(n_targets):
    # k hits of n targets give recalls that meet the grid's exactly, up to their last bit.
    boxes = [[[0, 0, 4, 4], [20, 20, 24, 24]]] * n_targets
    scores = [[float(2 * image), float(2 * image + 1)] for image in range(n_targets)]
    table = match_detections(boxes, scores, [[[0, 0, 4, 4]]] * n_targets)
    weights = np.hstack([np.ones((n_targets, 1)), np.eye(n_targets)[:, :3]])
    values = WeightedAveragePrecision(table, [0]).values(weights)
    np.testing.assert_allclose(values, slow(table, weights, [0]), rtol=0, atol=1e-12)


def test_nothing_found_is_zero(make_table):
    empty = match_detections([[]] * 3, [[]] * 3, [[[0, 0, 4, 4]], [], []])
    missed = match_detections([[[9, 9, 12, 12]]] * 3, [[1.0]] * 3, [[[0, 0, 4, 4]], [], []])
    weights = np.array([[1.0, 2.0, 0.0], [1.0, 0.0, 1.0], [1.0, 1.0, 2.0]])
    for table in (empty, missed):
        values = WeightedAveragePrecision(table, [0, 3]).values(weights)
        assert np.array_equal(values, [[0, 0], [0, 0], [np.nan, np.nan]], equal_nan=True)


def test_every_draw_of_a_perfect_detector_is_one():
    table = match_detections([[[0, 0, 4, 4]]] * 5, [[0.5]] * 5, [[[0, 0, 4, 4]]] * 5)
    values = WeightedAveragePrecision(table, range(10)).values(draws_of(table))
    assert (values == 1).all()


def test_wrong_weights_are_refused(make_table):
    weighted = WeightedAveragePrecision(make_table(0), [0])
    for shape in ((20,), (19, 4)):
        with pytest.raises(UsageError, match=r"must have shape \(20, n_draws\)"):
            weighted.values(np.ones(shape))
