"""All metrics of score maps together: their definitions, and what an evaluation says of them."""

from __future__ import annotations

import numpy as np
import pytest

from irbench import Detections
from irbench.errors import DetectionsError, UsageError
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions
from irbench.metrics.definition import METRICS
from irbench.metrics.map_statistics import (
    MAP_METRICS,
    MapCounts,
    constant_map,
    measure_map,
)
from irbench.scoring.evaluation import evaluate
from irbench.scoring.scored_output import NO_MASKS, NO_REGIONS, NO_SCORE_MAPS

SHAPE = (40, 50)


def map_values(counts, weights=None):
    return {
        name: metric(getattr(counts, metric.part), weights) for name, metric in MAP_METRICS.items()
    }


def make_scene(seed):
    rng = np.random.default_rng(seed)
    mask = np.zeros(SHAPE, bool)
    for row, column in rng.integers(2, 37, (rng.integers(0, 3), 2)):
        mask[row : row + 2, column : column + 2] = True
    image = 100 + rng.normal(0, 5, SHAPE) + 40 * mask
    return image, np.maximum(image - 105, 0), mask


@pytest.fixture
def scenes():
    return {f"image-{i}": make_scene(i) for i in range(6)}


@pytest.fixture
def truths(scenes):
    return [
        GroundTruth(name, SHAPE, mask_regions(mask).boxes, mask_regions(mask))
        for name, (_, _, mask) in scenes.items()
    ]


@pytest.fixture
def statistics(scenes):
    return {
        name: measure_map(score_map, image, mask_regions(mask))
        for name, (image, score_map, mask) in scenes.items()
    }


def test_every_metric_of_maps_is_defined_and_no_other():
    assert [name for name, metric in METRICS.items() if metric.kind == "maps"] == list(MAP_METRICS)


@pytest.mark.parametrize("weights", [None, [0, 2, 1, 0, 5, 1], [0.5, 0, 0, 0, 0.25, 1.5]])
def test_values_lie_within_their_bounds(statistics, weights):
    values = map_values(MapCounts.of(list(statistics.values())), weights)
    for name, value in values.items():
        low, high = METRICS[name].bounds
        assert value.is_defined, name
        assert low <= value.value <= high


def test_an_evaluation_has_the_metrics_of_maps(statistics, truths):
    result = evaluate({}, truths, threshold=1.0, map_statistics=statistics)
    expected = map_values(MapCounts.of(list(statistics.values())))
    assert {name: result[name] for name in MAP_METRICS} == {
        name: value.value for name, value in expected.items()
    }
    assert isinstance(result.counts.maps, MapCounts)


def test_a_missing_map_counts_as_a_black_one(statistics, scenes, truths):
    image, _, mask = scenes["image-2"]
    black = measure_map(np.zeros(SHAPE), image, mask_regions(mask))
    without = {name: one for name, one in statistics.items() if name != "image-2"}
    found = evaluate({}, truths, threshold=1.0, map_statistics=without)
    expected = evaluate({}, truths, threshold=1.0, map_statistics={**without, "image-2": black})
    for name in ("auc", "auc_df", "auc_dt", "auc_ft"):
        assert found[name] == expected[name]
    gains = found.counts.maps.gains.counts("bsf")
    assert gains["undefined"] == len(truths[2].boxes)


def test_without_maps_there_is_a_reason(truths):
    result = evaluate({}, truths, threshold=1.0)
    assert {result.undefined[name] for name in MAP_METRICS} == {NO_SCORE_MAPS}
    boxes = {"image-1": Detections(np.array([[1, 1, 4, 4]]), [1.0])}
    result = evaluate(boxes, truths, threshold=1.0)
    assert {result.undefined[name] for name in MAP_METRICS} == {NO_REGIONS}
    assert result.counts.maps is None


def test_box_labels_have_no_target_pixels(statistics, truths):
    boxes = [GroundTruth(t.id, t.shape, t.boxes, None) for t in truths]
    result = evaluate({}, boxes, threshold=1.0, map_statistics=statistics)
    assert {result.undefined[name] for name in MAP_METRICS} == {NO_MASKS}


def test_maps_of_other_images_are_refused(statistics, truths):
    with pytest.raises(DetectionsError, match="1 are not, such as 'image-5'"):
        evaluate({}, truths[:5], threshold=1.0, map_statistics=statistics)


def test_a_map_of_another_shape_is_refused(scenes):
    image, score_map, mask = scenes["image-1"]
    with pytest.raises(UsageError, match=r"shape \(39, 50\), got \(40, 50\)"):
        measure_map(score_map[1:], image, mask_regions(mask))


def test_probabilities_are_compared_as_they_are(scenes):
    image, _, mask = scenes["image-1"]
    targets = mask_regions(mask)
    sure, unsure = 0.9 * mask + 0.05, 0.03 * mask + 0.01
    pairs = [measure_map(m, image, targets, is_probability=True) for m in (sure, unsure)]
    # A target of the second image lies below the background of the first.
    assert map_values(MapCounts.of(pairs))["auc"].value == 0.75
    assert map_values(MapCounts.of(pairs))["auc_df"].value == 1
    scores = [measure_map(m, image, targets) for m in (sure, unsure)]
    assert map_values(MapCounts.of(scores))["auc"].value == 1
    with pytest.raises(UsageError, match="one binning"):
        MapCounts.of([pairs[0], scores[0]])


def test_the_stand_in_has_the_pixels_of_the_image(scenes):
    _, _, mask = scenes["image-1"]
    stand_in = constant_map(SHAPE, mask_regions(mask), "unit/1")
    assert stand_in.histograms.target.total == mask.sum()
    assert stand_in.histograms.background.total == (~mask).sum()
    assert len(stand_in.contrasts) == len(mask_regions(mask))
