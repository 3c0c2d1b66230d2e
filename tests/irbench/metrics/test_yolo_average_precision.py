"""The dialect of YOLO tools in closed forms; test_every_metric.py has the slow implementation."""

from __future__ import annotations

import numpy as np
import pytest

from irbench.metrics.average_precision import average_precision
from irbench.metrics.counting import count_boxes, precision, recall
from irbench.metrics.matching import match_detections
from irbench.metrics.operating_point import best_f1_threshold
from irbench.metrics.weighted import Draws
from irbench.metrics.yolo_average_precision import (
    ap_ultralytics,
    ap_yolo,
    ap_yolo_form,
    precision_yolo,
    recall_yolo,
)

BOX, AWAY = [10, 10, 14, 14], [20, 3, 24, 7]


def test_by_hand():
    """Hit, false, hit, of 2 targets: 1 to recall 1/2, a step to 2/3, flat to recall 1, then 0."""
    table = match_detections([[BOX, [0, 0, 1, 1], AWAY]], [[3, 2, 1]], [[BOX, AWAY]])
    # 50 intervals at 1 but the last, which falls to 2/3 within it; 50 at 2/3, the last to 0.
    expected = (49 + (1 + 2 / 3) / 2 + 49 * 2 / 3 + 1 / 3) / 100
    assert ap_yolo(table).value == pytest.approx(expected)


@pytest.mark.parametrize("n_targets", [2, 4, 5])
def test_a_triangle_is_added_beyond_the_recall_reached(n_targets):
    """One hit of n targets: 1/n, and half of the rest."""
    targets = [BOX, *([30 * i, 50, 30 * i + 4, 54] for i in range(1, n_targets))]
    table = match_detections([[BOX]], [[0.9]], [targets])
    assert ap_yolo(table).value == pytest.approx(1 / n_targets + (1 - 1 / n_targets) / 2)
    assert average_precision(table).value < ap_yolo(table).value


@pytest.mark.parametrize("n_targets", [2, 4, 5])
def test_without_the_triangle_nothing_is_beyond_the_recall_reached(n_targets):
    """Of the interval that ends there, half: 0.495 for one hit of two."""
    targets = [BOX, *([30 * i, 50, 30 * i + 4, 54] for i in range(1, n_targets))]
    expected = 1 / n_targets - 0.005
    assert ap_ultralytics(match_detections([[BOX]], [[0.9]], [targets])).value == pytest.approx(
        expected
    )
    # False alarms below the last hit change neither dialect's envelope, nor this area.
    below = match_detections([[BOX, AWAY]], [[0.9, 0.1]], [targets])
    assert ap_ultralytics(below).value == pytest.approx(expected)


def test_both_dialects_agree_where_all_targets_are_found(make_scene):
    found = match_detections([[BOX, [0, 0, 1, 1], AWAY]], [[3, 2, 1]], [[BOX, AWAY]])
    assert ap_ultralytics(found).value == pytest.approx(ap_yolo(found).value)
    assert ap_ultralytics(match_detections([[BOX]], [[1]], [[BOX]])).value == pytest.approx(0.995)
    table = match_detections(*make_scene(4, 25, 6, 12).lists())
    assert ap_ultralytics(table).value <= ap_yolo(table).value


def test_without_hits_it_is_zero():
    assert ap_ultralytics(match_detections([[AWAY]], [[1]], [[BOX]])).value == 0
    assert ap_yolo(match_detections([[]], [[]], [[BOX]])).value == 0
    assert ap_yolo(match_detections([[AWAY]], [[1]], [[BOX]])).value == 0


def test_a_perfect_curve_loses_the_last_interval_by_half():
    """At recall 1 the value read is that of the end, 0."""
    assert ap_yolo(match_detections([[BOX]], [[1]], [[BOX]])).value == pytest.approx(0.995)


def test_the_best_f1_is_the_operating_point_of_the_tested_images(make_scene):
    table = match_detections(*make_scene(4, 25, 6, 12).lists())
    counts = count_boxes(table, best_f1_threshold(table).value)
    assert precision_yolo(table).value == pytest.approx(precision(counts).value)
    assert recall_yolo(table).value == pytest.approx(recall(counts).value)


def test_undefined():
    nothing = match_detections([[BOX]], [[1]], [[]])
    assert ap_yolo(nothing).reason == "no target in any image"
    assert recall_yolo(nothing).reason == "no target in any image"
    empty = match_detections([[]], [[]], [[BOX]])
    assert precision_yolo(empty).reason == "no detection in any image"
    assert recall_yolo(empty).value == 0
    assert precision_yolo(nothing).reason == "no target in any image"


@pytest.mark.parametrize("triangle", [True, False])
def test_draws_at_once_equal_each_by_itself(make_scene, triangle):
    table = match_detections(*make_scene(5, 12, 4, 9).lists())
    n = table.n_images
    weights = np.random.default_rng(3).multinomial(n, np.full(n, 1 / n), 20).T.astype(float)
    weights[:, 7] = 0  # no targets at all
    form = ap_yolo_form(table, 0, triangle)
    at_once = form(Draws(weights))
    alone = [form(Draws(weights[:, [draw]]))[0] for draw in range(20)]
    # To the last bit: an interval must not depend on how many draws are made at a time.
    np.testing.assert_array_equal(at_once, alone)
    assert np.isnan(at_once[7])
    assert len(np.unique(at_once)) > 5
