"""Which targets are found: as many as the metrics count, and the right ones."""

from __future__ import annotations

import numpy as np
import pytest

from irbench.detections import Detections
from irbench.errors import DetectionsError
from irbench.ground_truth import GroundTruth
from irbench.metrics.found_targets import found_by_distance, found_by_iou
from irbench.metrics.matching import match_detections
from irbench.scoring.evaluation import evaluate


def test_by_iou_at_a_threshold():
    targets = [[[0, 0, 4, 4], [10, 10, 14, 14]], [], [[5, 5, 9, 9]]]
    boxes = [[[10, 10, 14, 14], [0, 0, 4, 3]], [[1, 1, 2, 2]], [[5, 5, 9, 9]]]
    table = match_detections(boxes, [[0.9, 0.5], [0.9], [0.4]], targets)
    assert found_by_iou(table, 0.5).tolist() == [True, True, False]
    assert found_by_iou(table, 0.6).tolist() == [False, True, False]
    assert found_by_iou(table, 0.0, table.iou_index(0.8)).tolist() == [False, True, True]
    assert not found_by_iou(table, np.inf).any()


def test_by_distance():
    def truth(name, *boxes):
        return GroundTruth(name, (32, 32), np.array(boxes, np.float32).reshape(-1, 4), None)

    truths = [truth("a", [0, 0, 4, 4], [10, 10, 14, 14]), truth("b"), truth("c", [5, 5, 9, 9])]
    kept = [
        Detections([[12, 10, 16, 14]], [1.0]),  # 2 px off the second target
        Detections([[1, 1, 2, 2]], [1.0]),
        Detections([[8, 5, 12, 9]], [1.0]),  # 3 px off, not under 3
    ]
    assert found_by_distance(kept, truths).tolist() == [False, True, False]
    assert found_by_distance(kept, truths, 3.5).tolist() == [False, True, True]
    assert found_by_distance([Detections.empty()] * 3, truths).tolist() == [False] * 3
    assert found_by_distance([], []).tolist() == []
    with pytest.raises(DetectionsError, match="as many images, got 2 and 3"):
        found_by_distance(kept[:2], truths)


@pytest.mark.parametrize("boxes_only", [False, True])
@pytest.mark.parametrize("threshold", [0.0, 1.0, 2.5, np.inf])
def test_as_many_as_the_metrics_count(make_truths, make_detections, threshold, boxes_only):
    truths = make_truths(6)
    detections = make_detections(truths, 7, boxes_only=boxes_only)
    result = evaluate(detections, truths, threshold=threshold)
    image = np.repeat(np.arange(len(truths)), [len(truth.boxes) for truth in truths])
    by_iou = found_by_iou(result.counts.table, threshold)
    kept = [detections[truth.id].above(threshold) for truth in truths]
    by_distance = found_by_distance(kept, truths)
    for found, counts in (
        (by_iou, result.counts.boxes.true_positives),
        (by_distance, result.counts.points.hits),
    ):
        assert np.array_equal(np.bincount(image[found], minlength=len(truths)), counts)
