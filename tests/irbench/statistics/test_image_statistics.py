"""Every resampled metric equals the metric itself on the same weights."""

from __future__ import annotations

import numpy as np
import pytest

from irbench.errors import UnknownNameError, UsageError
from irbench.evaluation import evaluate
from irbench.masks import mask_regions
from irbench.metrics import (
    average_precision,
    counting,
    pixels,
    point_average_precision,
    points,
)
from irbench.metrics.definition import METRICS
from irbench.metrics.map_statistics import MAP_METRICS, MapCounts, map_values, measure_map
from irbench.statistics.image_statistics import (
    RESAMPLED_MAP_METRICS,
    RESAMPLED_METRICS,
    ImageStatistics,
)
from irbench.statistics.map_metrics import map_metrics
from irbench.statistics.resamples import Resamples

# Written apart from the code: kind of counts, and the metric.
ORACLES = {
    "precision": ("boxes", counting.precision),
    "recall": ("boxes", counting.recall),
    "f1": ("boxes", counting.f1),
    "map50": ("table", lambda table, w: average_precision.average_precision(table, 0.5, w)),
    "map50_95": ("table", average_precision.mean_average_precision),
    "map30": ("table30", lambda table, w: average_precision.average_precision(table, 0.3, w)),
    "map75": ("table", lambda table, w: average_precision.average_precision(table, 0.75, w)),
    "ap_point": ("ranked_points", point_average_precision.point_average_precision),
    "pd": ("points", points.pd),
    "fa": ("points", points.fa),
    "fa_legacy": ("points", points.fa_legacy),
    "iou": ("pixels", pixels.iou),
    "niou": ("pixels", pixels.niou),
    "pixel_recall": ("pixels", pixels.pixel_recall),
}  # fmt: skip


def expected(result, metric, weights):
    kind, function = ORACLES[metric]
    values = [function(result.counts[kind], one).value for one in weights.T]
    return np.array([np.nan if value is None else value for value in values])


def test_all_quality_metrics_of_an_evaluation_but_the_variants():
    assert set(RESAMPLED_METRICS) == set(ORACLES)
    assert set(RESAMPLED_METRICS) <= set(METRICS)


@pytest.mark.parametrize("metric", RESAMPLED_METRICS)
@pytest.mark.parametrize(("n_images", "threshold"), [(25, 1.0), (3, 1.5), (2, 9.0)])
def test_equals_the_metric(make_truths, make_detections, metric, n_images, threshold):
    truths = make_truths(1, n_images)
    result = evaluate(make_detections(truths, 2), truths, threshold=threshold)
    weights = next(Resamples([truth.id for truth in truths], 80).blocks(80))
    if result[metric] is None and METRICS[metric].kind == "pixels":
        # No region is kept at all: the evaluation says undefined, and so do we.
        assert metric not in ImageStatistics.of(result).metrics
        return
    values = ImageStatistics.of(result, [metric]).values(weights)
    assert list(values) == [metric]
    np.testing.assert_allclose(
        values[metric], expected(result, metric, weights), rtol=0, atol=1e-12
    )


def test_weights_of_one_give_the_evaluation(make_truths, make_detections):
    truths = make_truths()
    result = evaluate(make_detections(truths), truths, threshold=1.0)
    values = ImageStatistics.of(result).values(np.ones((len(truths), 1)))
    assert set(values) == set(RESAMPLED_METRICS)
    for metric, (value,) in values.items():
        assert value == pytest.approx(result[metric], abs=1e-12), metric


def test_what_an_evaluation_leaves_undefined_is_left_out(make_truths, make_detections):
    truths = make_truths()
    boxes = evaluate(make_detections(truths, boxes_only=True), truths, threshold=1.0)
    assert "iou" not in ImageStatistics.of(boxes).metrics
    assert "pd" in ImageStatistics.of(boxes).metrics
    unkept = evaluate(make_detections(truths), truths)
    ranked = {"map50", "map50_95", "map30", "map75", "ap_point"}
    assert set(ImageStatistics.of(unkept).metrics) == ranked


def test_refusals(make_truths, make_detections):
    truths = make_truths()
    result = evaluate(make_detections(truths), truths, threshold=1.0)
    with pytest.raises(UnknownNameError, match="resampled metric 'fps'"):
        ImageStatistics.of(result, ["fps"])
    with pytest.raises(UsageError, match=r"must have shape \(30, n_draws\)"):
        ImageStatistics.of(result).values(np.ones((29, 2)))


def map_counts(n_images=14, seed=0):
    """Maps of all kinds: informative, flat round some targets, of one level, without targets."""
    rng = np.random.default_rng(seed)
    images = []
    for index in range(n_images):
        grey = rng.normal(90, 9, (64, 64))
        mask = np.zeros(grey.shape, bool)
        for row, column in rng.integers(4, 56, (index % 4, 2)):
            mask[row : row + 3, column : column + 2] = True
        grey[mask] += 40
        score_map = np.maximum(grey - 95, 0)
        if index % 5 == 1:
            score_map = np.where(mask, score_map, 0.0)
        if index % 5 == 2:
            score_map = np.zeros(grey.shape)
        images.append(measure_map(score_map, grey.clip(0, 255), mask_regions(mask)))
    return MapCounts.of(images)


def test_metrics_of_score_maps_equal_the_metrics_on_every_draw():
    counts = map_counts()
    assert {"infinite", "undefined"} <= counts.gains.counts("scrg").keys()
    assert min(counts.gains.counts("scrg").values()) > 0
    weights = next(Resamples([f"{index:02d}" for index in range(14)], 60).blocks(60))
    # No image with a target, and none at all.
    weights[:, 0] = [float(index % 4 == 0) for index in range(14)]
    weights[:, 1] = 0
    found = map_metrics(counts, MAP_METRICS)
    assert tuple(found) == RESAMPLED_MAP_METRICS
    expected = [map_values(counts, one) for one in weights.T]
    for name, metric in found.items():
        values = [np.nan if one[name].value is None else one[name].value for one in expected]
        np.testing.assert_allclose(metric(weights), values, rtol=1e-10, atol=1e-12, err_msg=name)


def test_only_the_metrics_of_score_maps_that_are_asked_for():
    assert list(map_metrics(map_counts(5), ["map50", "scrg", "auc"])) == ["auc", "scrg"]
