"""One scorer: what a run's row says, a comparison and a report say too."""

from __future__ import annotations

import numpy as np

from irbench.detections import Detections
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions
from irbench.scoring.scored_output import NO_REGIONS, score
from irbench.statistics.bootstrap import Spread, confidence_interval, jackknife
from irbench.statistics.comparison import Comparison
from irbench.statistics.image_statistics import ImageStatistics
from irbench.statistics.resamples import N_RESAMPLES, Resamples


def truths_of(n_images=4):
    mask = np.zeros((20, 20), bool)
    mask[8:10, 8:10] = True
    regions = mask_regions(mask)
    return [GroundTruth(f"{i}", mask.shape, regions.boxes, regions) for i in range(n_images)]


def test_a_score_map_method_that_finds_nothing_has_an_iou_of_zero():
    # Whether its images came with empty regions, as from a detector, or are absent, as on disk.
    truths = truths_of()
    empty = {truth.id: Detections.empty(truth.shape) for truth in truths}
    for detections in ({}, empty):
        result = score(detections, truths, threshold=1.0, kind="score-map").result
        assert (result["iou"], result["niou"], result["hiou"]) == (0, 0, 0)
    assert score({}, truths, threshold=1.0, kind="box").result.undefined["iou"] == NO_REGIONS


def test_boxes_without_regions_are_no_regions_of_any_kind():
    truths = truths_of()
    boxes = {"0": Detections(np.array([[8, 8, 10, 10]]), [2.0])}
    result = score(boxes, truths, threshold=1.0, kind="segmentation").result
    assert result.undefined["iou"] == NO_REGIONS


def test_a_comparison_and_a_report_draw_alike():
    """By default both make the same draws, whatever the order of the images."""
    truths = truths_of()
    found = {"1": Detections.from_mask(truths[1].targets.to_mask())}
    output = score(found, truths, threshold=0.5, kind="score-map")
    draws = Resamples([truth.id for truth in truths])
    assert draws.n_resamples == N_RESAMPLES
    compared = Comparison({"a": output, "b": output}, truths, ["iou"], resamples=draws)
    turned = score(found, truths[::-1], threshold=0.5, kind="score-map")
    again = Resamples([truth.id for truth in truths[::-1]])
    turned_images = ImageStatistics.of(turned.result, ["iou"])
    values = [turned_images.values(block)["iou"] for block in again.blocks()]
    spread = Spread(np.concatenate(values), jackknife(turned_images)["iou"])
    assert compared.interval("a", "iou") == confidence_interval(output.result["iou"], spread)
