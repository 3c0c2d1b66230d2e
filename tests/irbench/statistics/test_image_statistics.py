"""Every metric of quality on a draw equals its value on the images drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from irbench.errors import UnknownNameError, UsageError
from irbench.metrics.definition import METRICS, quality_metrics
from irbench.metrics.map_statistics import measure_map
from irbench.metrics.weighted import Draws, Ratio, WholeRatios
from irbench.scoring.evaluation import evaluate
from irbench.statistics.image_statistics import ImageStatistics
from irbench.statistics.resamples import Resamples


def maps_of(truths, seed=0):
    """Maps of all kinds: informative, flat round the targets, of one level."""
    rng = np.random.default_rng(seed)
    maps = {}
    for index, truth in enumerate(truths):
        grey = rng.normal(90, 9, truth.shape)
        mask = truth.targets.to_mask()
        grey[mask] += 40
        score_map = np.maximum(grey - 95, 0)
        if index % 5 == 1:
            score_map = np.where(mask, score_map, 0.0)
        if index % 5 == 2:
            score_map = np.zeros(grey.shape)
        maps[truth.id] = measure_map(score_map, grey.clip(0, 255), truth.targets)
    return maps


@pytest.mark.parametrize(("n_images", "threshold"), [(12, 1.0), (3, 1.5), (2, 9.0)])
def test_a_draw_is_an_evaluation_of_the_images_drawn(
    make_truths, make_detections, n_images, threshold
):
    truths = make_truths(1, n_images)
    found, maps = make_detections(truths, 2), maps_of(truths)
    result = evaluate(found, truths, threshold=threshold, map_statistics=maps, kind="score-map")
    weights = next(Resamples([truth.id for truth in truths], 12).blocks(12))
    values = ImageStatistics.of(result).values(weights)
    assert set(values) == set(quality_metrics())
    for draw, times in enumerate(weights.T.astype(int)):
        copies = [
            (f"{truth.id}-{copy}", truth)
            for truth, n in zip(truths, times, strict=True)
            for copy in range(n)
        ]
        drawn = evaluate(
            {name: found[truth.id] for name, truth in copies if truth.id in found},
            [replace(truth, id=name) for name, truth in copies],
            threshold=threshold,
            map_statistics={name: maps[truth.id] for name, truth in copies},
            kind="score-map",
        )
        for name, one in values.items():
            expected = np.nan if drawn[name] is None else drawn[name]
            np.testing.assert_allclose(
                one[draw], expected, rtol=1e-10, atol=1e-12, err_msg=f"{name}, draw {draw}"
            )


def test_every_metric_but_cost_and_settings_is_one_of_quality():
    others = {name for name, metric in METRICS.items() if metric.kind in ("cost", "setting")}
    assert set(quality_metrics()) == set(METRICS) - others


def test_what_an_evaluation_has_no_counts_of_is_left_out(make_truths, make_detections):
    truths = make_truths()
    boxes = evaluate(make_detections(truths, boxes_only=True), truths, threshold=1.0)
    assert "iou" not in ImageStatistics.of(boxes).metrics
    assert "pd" in ImageStatistics.of(boxes).metrics
    unkept = evaluate(make_detections(truths), truths)
    ranked = {"map50", "map50_95", "map30", "map75", "ap_all_point", "ap_point"}
    ranked |= {"ap_yolo", "ap_ultralytics", "precision_yolo", "recall_yolo"}
    assert set(ImageStatistics.of(unkept).metrics) == ranked


def test_refusals(make_truths, make_detections):
    truths = make_truths()
    result = evaluate(make_detections(truths), truths, threshold=1.0)
    with pytest.raises(UnknownNameError, match="resampled metric 'fps'"):
        ImageStatistics.of(result, ["fps"])
    with pytest.raises(UsageError, match=r"must have shape \(30, n_draws\)"):
        ImageStatistics.of(result).values(np.ones((29, 2)))


def test_ratios_of_whole_numbers_have_the_bits_that_they_have_alone():
    rng = np.random.default_rng(5)
    counts = rng.integers(0, 2**31, (4, 300))
    counts[3] = 0
    ratios = {
        "plain": Ratio(counts[0], counts[1]),
        "required": Ratio(counts[1].astype(float), counts[0], counts[2]),
        "undefined": Ratio(counts[0], counts[3]),
        "of parts": Ratio(counts[0] / 2**40, counts[1]),
        "no array": Ratio(counts[0].tolist(), counts[1]),  # a plug-in's, which fails by itself
        "not counted": Ratio(np.where(counts[0] % 2, np.nan, counts[0]), counts[1]),
    }
    draws = Draws(rng.integers(0, 9, (300, 50)).astype(float))
    together = WholeRatios(300, ratios)(draws)
    assert list(together) == ["plain", "required", "undefined"]
    for name, values in together.items():
        assert values.tobytes() == ratios[name](draws).tobytes()
