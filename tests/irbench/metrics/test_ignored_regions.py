from __future__ import annotations

import contextlib
import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import irbench
from irbench.detections import Detections
from irbench.detections.boxes import covered_share
from irbench.ground_truth import GroundTruth
from irbench.metrics.ignored_regions import without_ignored
from irbench.protocol import TABLE1

SHAPE = (100, 100)
N_IMAGES = 6


def boxes_of(rng, n, low, high):
    corner = rng.integers(0, 100 - high, (n, 2))
    return np.hstack([corner, corner + rng.integers(low, high, (n, 2))]).astype(np.float32)


def scene(seed):
    """Targets, regions that may cover some of them, and detections near and far of both."""
    rng = np.random.default_rng(seed)
    truths, found = [], {}
    for index in range(N_IMAGES):
        targets = boxes_of(rng, rng.integers(0, 6), 3, 9)
        ignored = boxes_of(rng, rng.integers(0, 4), 10, 40)
        near = np.vstack([targets, targets, boxes_of(rng, 8, 2, 12)])
        near = near + rng.integers(-2, 3, near.shape)
        near[:, :2] = np.clip(near[:, :2], 0, 98)
        near[:, 2:] = np.clip(np.maximum(near[:, 2:], near[:, :2] + 1), 1, 100)
        # Distinct scores: COCO breaks ties by the order of a list.
        scores = rng.permutation(len(near)) / len(near) + 0.001 * index
        truths.append(GroundTruth(str(index), SHAPE, targets, None, ignored))
        found[str(index)] = Detections(near, scores)
    return truths, found


def coco_evaluated(truths, found, thresholds):
    """pycocotools, with the ignored regions as crowds."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    annotations, results = [], []
    for truth in truths:
        for crowd, boxes in ((0, truth.boxes), (1, truth.ignored)):
            for x0, y0, x1, y1 in boxes.tolist():
                annotations.append(
                    {
                        "id": len(annotations) + 1, "image_id": int(truth.id), "category_id": 1,
                        "bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0),
                        "iscrowd": crowd,
                    }
                )  # fmt: skip
        for (x0, y0, x1, y1), score in found[truth.id]:
            bbox = [float(v) for v in (x0, y0, x1 - x0, y1 - y0)]
            results.append(
                {"image_id": int(truth.id), "category_id": 1, "bbox": bbox, "score": score}
            )
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": int(t.id), "width": 100, "height": 100} for t in truths],
            "annotations": annotations,
            "categories": [{"id": 1}],
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.params.iouThrs = np.array(thresholds)
        evaluation.params.maxDets = [1, 10, 300]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


@pytest.mark.parametrize("seed", range(8))
def test_ap_and_the_detections_that_count_are_coco_s(seed):
    truths, found = scene(seed)
    evaluation = coco_evaluated(truths, found, [0.5])
    precision = evaluation.eval["precision"][0, :, 0, 0, -1]
    result = irbench.evaluate(found, truths, TABLE1, threshold=0.0)
    assert result["map50"] == pytest.approx(precision.mean(), abs=1e-9)
    images = {one["image_id"]: one for one in evaluation.evalImgs[:N_IMAGES] if one}
    for truth in truths:
        one = images.get(int(truth.id))
        counted = without_ignored(found[truth.id], truth.boxes, truth.ignored, TABLE1)
        if one is not None:
            kept = np.array(one["dtScores"])[~one["dtIgnore"][0].astype(bool)]
            assert sorted(counted.scores.tolist()) == pytest.approx(sorted(kept.tolist()))


@pytest.mark.parametrize("threshold", [0.25, 0.75])
def test_the_share_is_the_protocol_s_iou_threshold(threshold):
    truths, found = scene(99)
    evaluation = coco_evaluated(truths, found, [threshold])
    protocol = replace(TABLE1, iou_threshold=threshold)
    images = {one["image_id"]: one for one in evaluation.evalImgs[:N_IMAGES] if one}
    for truth in truths:
        counted = without_ignored(found[truth.id], truth.boxes, truth.ignored, protocol)
        one = images.get(int(truth.id))
        if one is not None:
            assert len(counted) == np.count_nonzero(one["dtIgnore"][0] == 0)


def test_a_perfect_detector_that_finds_the_ignored_too_is_perfect():
    truth = GroundTruth(
        "a", SHAPE, np.array([[10, 10, 13, 13]], np.float32), None,
        np.array([[40, 40, 60, 60]], np.float32),
    )  # fmt: skip
    found = {"a": Detections([[10, 10, 13, 13], [45, 45, 50, 50], [50, 50, 55, 55]], [0.9, 1, 0.8])}
    result = irbench.evaluate(found, [truth], TABLE1, threshold=0.0)
    assert (result["precision"], result["recall"], result["map50_95"]) == (1, 1, 1)
    assert result["fa"] == 0
    bare = replace(truth, ignored=np.zeros((0, 4), np.float32))
    assert irbench.evaluate(found, [bare], TABLE1, threshold=0.0)["precision"] == pytest.approx(
        1 / 3
    )


def test_a_hit_in_an_ignored_region_is_a_hit():
    target = np.array([[45, 45, 50, 50]], np.float32)
    truth = GroundTruth("a", SHAPE, target, None, np.array([[40, 40, 60, 60]], np.float32))
    found = {"a": Detections(target, [0.9])}
    assert irbench.evaluate(found, [truth], TABLE1, threshold=0.0)["recall"] == 1


def test_the_best_of_an_image_are_chosen_before():
    protocol = replace(TABLE1, max_detections=1)
    found = Detections([[45, 45, 50, 50], [10, 10, 13, 13]], [0.9, 0.5])
    counted = without_ignored(found, [[10, 10, 13, 13]], [[40, 40, 60, 60]], protocol)
    # As in COCO, a detection in an ignored region takes its place among the best.
    assert len(counted) == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_counts_is_the_same_when_it_is_asked_for_again(seed):
    truths, found = scene(seed)
    for truth in truths:
        once = without_ignored(found[truth.id], truth.boxes, truth.ignored, TABLE1)
        assert without_ignored(once, truth.boxes, truth.ignored, TABLE1) == once


def test_the_covered_share_is_pycocotools_iou_with_a_crowd():
    from pycocotools import mask

    rng = np.random.default_rng(1)
    a, b = boxes_of(rng, 20, 1, 30), boxes_of(rng, 10, 1, 30)

    def sides(boxes):
        return np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]).astype(np.float64)

    np.testing.assert_allclose(covered_share(a, b), mask.iou(sides(a), sides(b), [1] * len(b)))
