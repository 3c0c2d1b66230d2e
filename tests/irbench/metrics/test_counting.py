from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.metrics.counting import count_boxes, f1, precision, recall
from irbench.metrics.matching import match_detections

BOX = [10, 10, 14, 14]
AWAY = [20, 3, 24, 7]


def counts_of(boxes, scores, targets, threshold=0.5):
    return count_boxes(match_detections(boxes, scores, targets), threshold)


def test_hand_made_set():
    counts = counts_of(
        [[BOX, AWAY], [BOX, BOX], [AWAY]],
        [[0.9, 0.1], [0.8, 0.7], [0.5]],
        [[BOX], [BOX, AWAY], []],
    )
    assert counts.true_positives.tolist() == [1, 1, 0]
    assert counts.false_positives.tolist() == [0, 1, 1]
    assert counts.targets.tolist() == [1, 2, 0]
    assert precision(counts).value == 2 / 4
    assert recall(counts).value == 2 / 3
    assert f1(counts).value == 4 / 7


def test_false_alarms_on_images_without_targets_count():
    with_empty = counts_of([[BOX], [AWAY]], [[0.9], [0.9]], [[BOX], []])
    assert precision(with_empty).value == 0.5


def test_a_score_equal_to_the_threshold_is_kept():
    table = match_detections([[BOX]], [np.array([0.1], np.float32)], [[BOX]])
    assert recall(count_boxes(table, float(np.float32(0.1)))).value == 1
    assert recall(count_boxes(table, np.nextafter(float(np.float32(0.1)), 1))).value == 0


def test_nothing_kept():
    counts = counts_of([[BOX]], [[0.9]], [[BOX]], math.inf)
    assert precision(counts).value is None
    assert precision(counts).reason == "no detection reaches the threshold"
    assert recall(counts).value == f1(counts).value == 0


def test_no_hit_though_there_are_targets():
    counts = counts_of([[AWAY]], [[0.9]], [[BOX]])
    assert precision(counts).value == recall(counts).value == f1(counts).value == 0


def test_no_targets():
    counts = counts_of([[AWAY]], [[0.9]], [[]])
    assert precision(counts).value == 0
    for metric in (recall, f1):
        assert metric(counts).value is None
        assert metric(counts).reason == "no target in any image"


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))
@settings(max_examples=60)
def test_another_false_alarm_never_raises_precision(make_scene, seed, threshold):
    boxes, scores, targets = make_scene(seed, 4, 4).lists()
    before = counts_of(boxes, scores, targets, threshold)
    far = [500, 500, 504, 504]
    after = counts_of([[*boxes[0], far], *boxes[1:]], [[*scores[0], 1.0], *scores[1:]], targets,
                      threshold)  # fmt: skip
    assert recall(after) == recall(before)
    assert precision(before).value is None or precision(after).value <= precision(before).value


def test_f1_is_the_harmonic_mean(scene):
    counts = count_boxes(match_detections(*scene.lists()), scene.threshold)
    p, r, f = precision(counts).value, recall(counts).value, f1(counts).value
    if p and r:
        assert f == pytest.approx(2 / (1 / p + 1 / r), rel=1e-14)
