"""Breakdowns, against pycocotools with area ranges of our own, and by hand."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from irbench.data.stats import AREA_BINS as STATS_BINS
from irbench.detections import Detections
from irbench.errors import DetectionsError, UsageError
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions
from irbench.metrics.average_precision import average_precision
from irbench.metrics.breakdown import (
    AREA_BINS,
    COUNT_BINS,
    SCR_BINS,
    Bin,
    by_signal_to_clutter,
    by_target_area,
    by_target_count,
)
from irbench.metrics.ignored_targets import match_with_ignored
from irbench.metrics.matching import match_detections

SHAPE = (64, 64)


def label_set(seed, n_images=20, n_detections=15):
    """Box labels of all sizes, and detections with distinct scores round them and elsewhere."""
    rng = np.random.default_rng(seed)
    found, truths = [], []
    ranks = rng.permutation(n_images * n_detections) / 1024
    for image in range(n_images):
        corner = rng.integers(0, 50, (rng.integers(0, 6), 2))
        targets = np.hstack([corner, corner + rng.integers(1, 12, corner.shape)])
        n = rng.integers(0, n_detections + 1)
        corner = rng.uniform(0, 50, (n, 2))
        boxes = np.hstack([corner, corner + rng.uniform(1, 12, (n, 2))])
        near = rng.random(n) < 0.7
        if len(targets):
            source = targets[rng.integers(0, len(targets), near.sum())]
            boxes[near] = source + rng.normal(0, 0.5, source.shape)
            boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 0.5)
        found.append(Detections(boxes, ranks[image * n_detections :][:n]))
        truths.append(GroundTruth(str(image), SHAPE, targets.astype(np.float32), None))
    return found, truths


def coco_by_area(found, truths, ranges, max_detections=300, iou=0.5):
    """AP of each area range by pycocotools, NaN without targets."""
    annotations = {"truth": [], "found": []}
    for image, (one, truth) in enumerate(zip(found, truths, strict=True), 1):
        sides = truth.boxes[:, 2:].astype(float) - truth.boxes[:, :2]
        areas = sides.prod(axis=1) if truth.targets is None else truth.targets.areas
        rows = [("truth", truth.boxes, areas, None), ("found", one.boxes, one.areas, one.scores)]
        for name, boxes, sizes, scores in rows:
            for index, box in enumerate(boxes.astype(float)):
                row = {
                    "id": len(annotations[name]) + 1,
                    "image_id": image,
                    "category_id": 1,
                    "bbox": [*box[:2], *(box[2:] - box[:2])],
                    "area": float(sizes[index]),
                    "iscrowd": 0,
                }
                if scores is not None:
                    row["score"] = float(scores[index])
                annotations[name].append(row)
    sets = []
    with contextlib.redirect_stdout(io.StringIO()):
        for rows in annotations.values():
            coco = COCO()
            coco.dataset = {
                "images": [{"id": index + 1} for index in range(len(truths))],
                "categories": [{"id": 1}],
                "annotations": rows,
            }
            coco.createIndex()
            sets.append(coco)
        evaluator = COCOeval(*sets, "bbox")
        evaluator.params.areaRng = [list(one) for one in ranges]
        evaluator.params.areaRngLbl = [str(index) for index in range(len(ranges))]
        evaluator.params.iouThrs = np.array([iou])
        evaluator.params.maxDets = [max_detections]
        evaluator.evaluate()
        evaluator.accumulate()
    values = evaluator.eval["precision"][0, :, 0, :, 0].mean(axis=0)
    return np.where(values < 0, np.nan, values)


def values_of(rows):
    return np.array([row.average_precision.value for row in rows], float)


# Both bounds of COCO's ranges are included: ours end before the next bin.
RANGES = [(one.lower, np.nextafter(one.upper, 0)) for one in AREA_BINS]


@pytest.mark.parametrize("seed", range(6))
def test_by_area_equals_pycocotools_with_boxes(seed):
    found, truths = label_set(seed)
    ours = values_of(by_target_area(found, truths))
    np.testing.assert_allclose(ours, coco_by_area(found, truths, RANGES), rtol=0, atol=1e-9)
    assert len(set(ours.round(6))) == len(AREA_BINS)


def test_by_area_equals_pycocotools_where_the_limit_cuts():
    found, truths = label_set(7, 10, 30)
    ours = values_of(by_target_area(found, truths, max_detections=6))
    expected = coco_by_area(found, truths, RANGES, max_detections=6)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("iou", [0.1, 0.3, 0.75])
def test_any_iou_threshold_equals_pycocotools(iou):
    """Such as that of mAP@30, which is none of COCO's ten."""
    found, truths = label_set(8)
    ours = values_of(by_target_area(found, truths, iou_threshold=iou))
    expected = coco_by_area(found, truths, [*RANGES, (0, 1e9)], iou=iou)
    np.testing.assert_allclose(ours, expected[:-1], rtol=0, atol=1e-9)
    table = match_detections(*box_lists(found, truths), (iou,))
    assert average_precision(table, iou).value == pytest.approx(expected[-1], abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_by_area_equals_pycocotools_with_regions(seed):
    """Areas are then pixels of the region, not of its box."""
    rng = np.random.default_rng(seed)
    found, truths = [], []
    for index in range(15):
        masks = np.zeros((2, *SHAPE), bool)
        for row, column in rng.permutation(36).reshape(-1, 1)[:8] // [6, 1] % 6 * 10:
            height, width = rng.integers(1, 9, 2)
            for mask, moved in zip(masks, ((0, 0), rng.integers(0, 2, 2)), strict=True):
                if rng.random() < 0.8:
                    top, left = row + moved[0], column + moved[1]
                    mask[top : top + height, left : left + width] = True
                    mask[top, left + width - 1] &= height * width < 4
        regions, targets = mask_regions(masks[1]), mask_regions(masks[0])
        scores = rng.permutation(len(regions)) + index / 100
        found.append(Detections(regions.boxes, scores, regions))
        truths.append(GroundTruth(str(index), SHAPE, targets.boxes, targets))
    ours = values_of(by_target_area(found, truths))
    np.testing.assert_allclose(ours, coco_by_area(found, truths, RANGES), rtol=0, atol=1e-9)


def test_one_bin_of_everything_is_the_metric():
    found, truths = label_set(3)
    table = match_detections(*box_lists(found, truths))
    whole = average_precision(table).value
    (row,) = by_target_area(found, truths, threshold=0.1, bins=[Bin("all", 0)])
    assert row.average_precision.value == whole
    assert row.n_targets == table.n_targets.sum()
    assert row.n_false_alarms == np.sum(~table.hit[:, 0] & (table.scores >= 0.1))
    ratios = [np.ones(len(truth.boxes)) for truth in truths]
    (row,) = by_signal_to_clutter(found, truths, ratios, bins=[Bin("all", 0)])
    assert row.average_precision.value == whole
    (row,) = by_target_count(found, truths, bins=[Bin("all", 0)])
    assert (row.average_precision.value, row.n_images) == (whole, len(truths))


def box_lists(found, truths):
    return [[o.boxes for o in found], [o.scores for o in found], [t.boxes for t in truths]]


def test_the_bins_are_those_of_the_statistics_and_share_out_all_targets():
    for one, (low, high) in zip(AREA_BINS, STATS_BINS, strict=True):
        inside = one.holds(np.arange(1, 200))
        expected = (np.arange(1, 200) >= low) & (np.arange(1, 200) <= (high or 1000))
        np.testing.assert_array_equal(inside, expected)
    for bins in (AREA_BINS, SCR_BINS, COUNT_BINS):
        values = np.append(np.linspace(0, 100, 4001), 1e9)
        assert (np.sum([one.holds(values) for one in bins], axis=0) == 1).all()
        assert not any(one.holds(np.nan) for one in bins)
    found, truths = label_set(5)
    n_targets = sum(len(truth.boxes) for truth in truths)
    assert sum(row.n_targets for row in by_target_area(found, truths)) == n_targets
    assert sum(row.n_targets for row in by_target_count(found, truths)) == n_targets
    assert sum(row.n_images for row in by_target_count(found, truths)) == len(truths)


SMALL, LARGE = [5, 5, 8, 8], [20, 20, 28, 28]


def one_image(*boxes, scores=None):
    truth = GroundTruth("x", SHAPE, np.array([SMALL, LARGE], np.float32), None)
    return [Detections(list(boxes), scores or np.arange(len(boxes), 0, -1))], [truth]


def test_a_hit_of_an_ignored_target_is_left_out_and_its_duplicate_is_not():
    found, truths = one_image(LARGE, LARGE, SMALL)
    small, large = (by_target_area(found, truths, threshold=0)[i] for i in (0, 3))
    # The duplicate is too large for the bin of the small target, and counts in its own.
    assert (small.average_precision.value, small.n_false_alarms) == (1, 0)
    assert (large.average_precision.value, large.n_false_alarms) == (1, 1)
    ratios = [np.array([1.0, 9.0])]
    low, _, high = by_signal_to_clutter(found, truths, ratios, threshold=0)
    # No ratio tells which bin the duplicate is of: it counts in both.
    assert low.average_precision.value == pytest.approx(1 / 2)
    assert (low.n_false_alarms, high.n_false_alarms) == (1, 1)
    assert (low.recall.value, high.recall.value) == (1, 1)


def test_a_counted_target_is_preferred_to_an_ignored_one_of_greater_iou():
    near, far = [10, 10, 20, 20], [12, 10, 22, 20]
    counted = [np.array([False, True])]
    table = match_with_ignored([[near, near]], [[2, 1]], [[near, far]], counted)
    # The first takes the counted one; the second is left with the ignored one.
    assert table.detection_index.tolist() == [0]
    assert table.hit.tolist() == [[True]]


def test_targets_without_a_ratio_have_a_row_of_their_own():
    found, truths = one_image(LARGE, SMALL)
    rows = by_signal_to_clutter(found, truths, [np.array([np.nan, 4.0])])
    assert [row.label for row in rows] == ["< 3", "3–6", "≥ 6", "undefined"]
    assert [row.n_targets for row in rows] == [0, 1, 0, 1]
    assert rows[0].average_precision.reason == "no target in any image"
    assert rows[1].recall.reason == "no threshold"
    assert rows[1].n_false_alarms is None


def test_by_count_takes_whole_images():
    found, truths = label_set(2)
    rows = by_target_count(found, truths, threshold=0.1)
    table = match_detections(*box_lists(found, truths))
    false = (table.scores >= 0.1) & ~table.hit[:, 0]
    per_image = np.bincount(table.image_index[false], minlength=len(truths))
    assert sum(row.n_false_alarms for row in rows) == per_image.sum()
    assert rows[0].n_false_alarms == per_image[table.n_targets == 0].sum() > 0
    assert rows[0].average_precision.value is None
    one = [index for index, truth in enumerate(truths) if len(truth.boxes) == 1]
    alone = match_detections(*box_lists([found[i] for i in one], [truths[i] for i in one]))
    assert rows[1].average_precision == average_precision(alone)


@pytest.mark.parametrize("breakdown", ["area", "ratio", "count"])
def test_no_order_of_a_list_matters(breakdown):
    rng = np.random.default_rng(0)
    found, truths = label_set(1)
    found = [Detections(one.boxes, np.round(one.scores * 8)) for one in found]
    ratios = [rng.uniform(0, 9, len(truth.boxes)) for truth in truths]

    def rows(order, shuffled):
        inner = [rng.permutation(len(found[i])) if shuffled else slice(None) for i in order]
        detections = [
            Detections(found[i].boxes[how], found[i].scores[how])
            for i, how in zip(order, inner, strict=True)
        ]
        images = [truths[i] for i in order]
        if breakdown == "area":
            return by_target_area(detections, images, threshold=2)
        if breakdown == "count":
            return by_target_count(detections, images, threshold=2)
        return by_signal_to_clutter(detections, images, [ratios[i] for i in order], threshold=2)

    assert rows(range(20), False) == rows(rng.permutation(20), True)


def test_nothing_at_all():
    for row in (
        *by_target_area([], []),
        *by_signal_to_clutter([], [], []),
        *by_target_count([], []),
    ):
        assert (row.n_images, row.n_targets, row.average_precision.value) == (0, 0, None)


def test_refusals():
    found, truths = one_image(SMALL)
    with pytest.raises(UsageError, match="as many images, got 1 and 0"):
        by_target_area(found, [])
    with pytest.raises(DetectionsError, match=r"targets of image 0 must have shape \(2,\)"):
        by_signal_to_clutter(found, truths, [np.ones(3)])
    with pytest.raises(DetectionsError, match="targets of each of 1 images, got 0"):
        by_signal_to_clutter(found, truths, [])
