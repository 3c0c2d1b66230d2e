from __future__ import annotations

import dataclasses
import math

import pytest

from irbench.errors import MissingValidationError, UsageError
from irbench.metrics.counting import count_boxes, f1
from irbench.metrics.matching import match_detections
from irbench.metrics.operating_point import (
    best_f1_threshold,
    choose_threshold,
)
from irbench.protocol import PROTOCOLS, Protocol

BOX = [10, 10, 14, 14]
AWAY = [20, 3, 24, 7]
FAR = [40, 40, 44, 44]


def table_of(boxes, scores, targets):
    return match_detections([boxes], [scores], [targets])


def test_keeps_the_last_hit_and_drops_the_false_alarms_below():
    table = table_of([BOX, AWAY, FAR], [0.9, 0.6, 0.3], [BOX, AWAY])
    assert best_f1_threshold(table).value == 0.6


def test_of_equal_f1_the_higher_threshold():
    # One of 2 targets: F1 = 2/3; after one false alarm and the second hit: 4/5;
    # here the second hit comes after two: 2·2/(4 + 2) = 2/3 again.
    table = table_of([BOX, FAR, [60, 60, 64, 64], AWAY], [0.9, 0.7, 0.6, 0.3], [BOX, AWAY])
    assert best_f1_threshold(table).value == 0.9


def test_equal_scores_are_kept_or_dropped_together():
    # Kept alone the hit would have F1 = 1; the threshold cannot part it from its equals.
    table = table_of([BOX, FAR], [0.5, 0.5], [BOX])
    threshold = best_f1_threshold(table).value
    assert threshold == 0.5
    assert f1(count_boxes(table, threshold)).value == pytest.approx(2 / 3)


def test_no_threshold_that_occurs_does_better(scene, slow_metrics):
    table = match_detections(*scene.lists(), max_detections=scene.max_detections)
    best = best_f1_threshold(table).value
    if best is None:
        assert len(table) == 0 or table.n_targets.sum() == 0
        return
    assert best in table.scores
    reached = f1(count_boxes(table, best)).value
    for score in table.scores:
        other = f1(count_boxes(table, score)).value
        assert other <= reached
        assert other < reached or score <= best


def test_without_a_hit_the_greatest_score():
    assert best_f1_threshold(table_of([AWAY, FAR], [0.2, 0.8], [BOX])).value == 0.8


def test_undefined_without_detections_or_targets():
    assert best_f1_threshold(table_of([], [], [BOX])).reason == "no detection in any image"
    assert best_f1_threshold(table_of([BOX], [1], [])).reason == "no target in any image"
    assert best_f1_threshold(match_detections([], [], [])).value is None


def test_the_iou_threshold_decides_what_a_hit_is():
    loose = [10, 10, 14, 12.4]
    table = table_of([loose, AWAY], [0.4, 0.9], [BOX, AWAY])
    assert best_f1_threshold(table, table.iou_index(0.5)).value == 0.4
    assert best_f1_threshold(table, table.iou_index(0.75)).value == 0.9


VALIDATION = table_of([BOX, FAR], [0.8, 0.3], [BOX])
TESTED = table_of([BOX, FAR], [0.4, 0.9], [BOX])


def chosen(validation=VALIDATION, tested=TESTED, kind="score-map", **fields):
    return choose_threshold(Protocol(**fields), kind, validation, tested)


def test_each_rule_looks_where_it_may():
    assert chosen().value == 0.8
    assert chosen(operating_point="oracle").value == 0.4
    assert chosen(None, operating_point="oracle").value == 0.4
    assert chosen(None, operating_point="fixed", fixed_threshold=0.25).value == 0.25
    assert chosen(None, operating_point="mean-kstd", n_std=7.5).value == 7.5


def test_validation_data_is_not_replaced_by_the_tested_split():
    with pytest.raises(MissingValidationError, match="'val-f1' needs validation data"):
        chosen(None)


def test_every_protocol_names_a_rule():
    for protocol in PROTOCOLS.values():
        assert choose_threshold(protocol, "score-map", VALIDATION, TESTED).is_defined
    assert choose_threshold(PROTOCOLS["basicirstd"], "box", None, TESTED).value == 0.5


@pytest.mark.parametrize("rule", ["val-f1", "oracle"])
def test_f1_is_that_of_the_protocols_iou(rule):
    table = table_of([[10, 10, 14, 12.4], AWAY], [0.4, 0.9], [BOX, AWAY])
    for iou, expected in ((0.5, 0.4), (0.75, 0.9)):
        assert chosen(table, table, operating_point=rule, iou_threshold=iou).value == expected


@pytest.mark.parametrize(
    ("protocol", "got"),
    [("table1", {"score": "raw"}), ("basicirstd", {"fixed_threshold": None})],
)
def test_standard_deviations_need_standardised_scores(protocol, got):
    with pytest.raises(UsageError, match="'mean-kstd' compares standard deviations"):
        dataclasses.replace(PROTOCOLS[protocol], operating_point="mean-kstd", **got)


@pytest.mark.parametrize("kind", ["segmentation", "box"])
def test_probabilities_are_not_standard_deviations(kind):
    point = chosen(kind=kind, operating_point="mean-kstd")
    assert point.value is None
    assert "not in standard deviations" in point.reason


def test_a_threshold_is_a_number():
    fixed = Protocol(operating_point="fixed", fixed_threshold=math.inf)
    assert choose_threshold(fixed, "box", None, TESTED).value == math.inf
    with pytest.raises(UsageError, match="must be a number, got NaN"):
        Protocol(operating_point="fixed", fixed_threshold=math.nan)
