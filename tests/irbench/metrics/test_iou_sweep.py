from __future__ import annotations

import pytest

from irbench.errors import UsageError
from irbench.metrics.average_precision import average_precision, mean_average_precision
from irbench.metrics.iou_sweep import average_precision_by_iou
from irbench.metrics.matching import match_detections


def test_each_is_the_average_precision_at_it(scene, slow_metrics):
    slow = slow_metrics(scene)
    thresholds = (0.1, 0.3, 0.5, 0.75, 1.0)
    table = match_detections(*scene.lists(), thresholds, scene.max_detections)
    found = average_precision_by_iou(table)
    assert list(found) == list(thresholds)
    for threshold, value in found.items():
        expected = slow.ap(threshold)
        assert value.value == (None if expected is None else pytest.approx(expected, abs=1e-12))


def test_a_choice_in_its_own_order(make_scene):
    table = match_detections(*make_scene(4, 25, 6, 12).lists())
    found = average_precision_by_iou(table, (0.75, 0.5), estimator="all-point")
    assert list(found) == [0.75, 0.5]
    assert found[0.5] == average_precision(table, 0.5, estimator="all-point")
    mean = sum(value.value for value in average_precision_by_iou(table).values()) / 10
    assert mean == pytest.approx(mean_average_precision(table).value)


def test_it_never_rises_with_the_threshold(make_scene):
    table = match_detections(*make_scene(2, 12, 3).lists(), (0.1, 0.3, 0.5, 0.75, 0.9))
    values = [value.value for value in average_precision_by_iou(table).values()]
    assert values == sorted(values, reverse=True)


def test_one_that_the_table_lacks_is_refused():
    with pytest.raises(UsageError, match="must be one that the table was built with"):
        average_precision_by_iou(match_detections([], [], []), (0.3,))
