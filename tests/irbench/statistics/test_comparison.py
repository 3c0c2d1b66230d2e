"""Several methods at once: equal to the pieces it is made of, and blind to any order."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from irbench.errors import UnknownNameError, UsageError
from irbench.protocol import TABLE1
from irbench.scoring.scored_output import score
from irbench.statistics.comparison import Comparison
from irbench.statistics.multiple_testing import holm
from irbench.statistics.paired import mcnemar_exact
from irbench.statistics.resamples import Resamples

METRICS = ("map50", "f1", "iou", "fa")


def compare(truths, detections, metrics=METRICS, threshold=1.0, protocol=TABLE1, seed=0):
    outputs = {
        name: score(found, truths, protocol, threshold=threshold)
        for name, found in detections.items()
    }
    resamples = Resamples([truth.id for truth in truths], 200, seed)
    return Comparison(outputs, truths, metrics, resamples=resamples)


@pytest.fixture(scope="module")
def truths(make_truths):
    return make_truths(2, 40)


@pytest.fixture(scope="module")
def detections(truths, make_detections):
    return {
        "good": make_detections(truths, 1, power=0.95, clutter=0.2),
        "twin": make_detections(truths, 2, power=0.95, clutter=0.2),
        "poor": make_detections(truths, 3, power=0.3, clutter=2.0),
    }


@pytest.fixture(scope="module")
def three(truths, detections):
    return compare(truths, detections)


def test_a_better_method_is_told_from_a_worse_one_and_not_from_an_equal_one(three):
    ranking = three.ranking("f1")
    assert ranking[-1].method == "poor"
    assert [one.letters for one in ranking] == ["a", "a", "b"]
    assert three.ranking("fa")[-1].method == "poor"


def test_the_interval_holds_the_estimate(three):
    for method, metric in itertools.product(three.methods, METRICS):
        interval = three.interval(method, metric)
        assert interval.estimate == three.outputs[method].result[metric]
        assert interval.lower <= interval.estimate <= interval.upper


def test_of_many_methods_holm_is_over_the_pairs_of_a_metric(three):
    for by in (*METRICS, "overlap", "distance"):
        tests = three.tests(by)
        assert [(one.first, one.second) for one in tests] == [
            ("good", "twin"), ("good", "poor"), ("twin", "poor"),
        ]  # fmt: skip
        assert [one.p_holm for one in tests] == holm([one.test.p_value for one in tests]).tolist()
        assert three.p_holm(by)[2, 0] == tests[1].p_holm


def test_of_two_methods_holm_is_over_all_that_is_tested(truths, detections):
    two = compare(truths, {name: detections[name] for name in ("good", "poor")})
    tests = [two.tests(by)[0] for by in (*METRICS, "overlap", "distance")]
    assert [one.p_holm for one in tests] == holm([one.test.p_value for one in tests]).tolist()


def test_the_difference_is_that_of_the_values_draw_by_draw(three):
    there, back = three.difference("good", "poor", "f1"), three.difference("poor", "good", "f1")
    estimates = [three.outputs[name].result["f1"] for name in ("good", "poor")]
    assert there.interval.estimate == estimates[0] - estimates[1]
    assert there.interval.lower == pytest.approx(-back.interval.upper, abs=1e-12)
    assert there == three.tests("f1")[1].test


def test_mcnemar_is_over_the_targets_found(three):
    for rule in ("overlap", "distance"):
        one, other = (three.outputs[name].found[rule] for name in ("good", "poor"))
        assert three.tests(rule)[1].test == mcnemar_exact(one, other)


def test_found_alone(three, truths):
    for rule in ("overlap", "distance"):
        found = {}
        for name, output in three.outputs.items():
            flags = iter(output.found[rule])
            found[name] = {
                (truth.id, i) for truth in truths for i in range(len(truth.boxes)) if next(flags)
            }
        for name in three.methods:
            others = set().union(*(found[other] for other in three.methods if other != name))
            alone = {(truth.id, index) for truth, index in three.found_alone(name, rule)}
            assert alone == found[name] - others
        assert three.found_alone("good", rule) or three.found_alone("twin", rule)


def test_identical_methods(truths, detections):
    same = compare(truths, {"one": detections["good"], "other": detections["good"]}, METRICS)
    for metric in METRICS:
        (one,) = same.tests(metric)
        assert one.test.p_value == one.p_holm == 1
        assert one.test.interval.estimate == one.test.interval.lower == one.test.interval.upper == 0
    assert same.tests("overlap")[0].test.p_value == 1
    assert same.found_alone("one", "overlap") == []
    assert [one.rank for one in same.ranking("map50")] == [1, 1]


def test_order_of_images_and_detections_changes_nothing(
    three, truths, detections, with_other_order
):
    shuffled = {name: with_other_order(truths, one) for name, one in detections.items()}
    images = shuffled["good"][0]
    other = compare(images, {name: found for name, (_, found) in shuffled.items()})
    for metric, method in itertools.product(METRICS, three.methods):
        one, same = three.interval(method, metric), other.interval(method, metric)
        assert dataclasses.astuple(one) == pytest.approx(dataclasses.astuple(same), abs=1e-12)
    for by in (*METRICS, "overlap", "distance"):
        np.testing.assert_allclose(three.p_holm(by), other.p_holm(by), atol=1e-12)
    for method in three.methods:
        alone = {(one.id, *one.boxes[k]) for one, k in three.found_alone(method, "overlap")}
        again = {(one.id, *one.boxes[k]) for one, k in other.found_alone(method, "overlap")}
        assert alone == again


def test_another_seed_is_another_set_of_draws(truths, detections, three):
    other = compare(truths, detections, seed=1)
    assert other.interval("poor", "f1") != three.interval("poor", "f1")
    assert other.interval("poor", "f1").estimate == three.interval("poor", "f1").estimate


def test_without_an_operating_point_only_average_precision_is_compared(truths, detections):
    two = compare(truths, {name: detections[name] for name in ("good", "poor")}, threshold=None)
    f1, overlap, precision = (two.tests(by)[0] for by in ("f1", "overlap", "map50"))
    assert f1.test.p_value is None
    assert f1.p_holm is None
    assert overlap.test is None
    assert precision.p_holm is not None
    assert two.interval("good", "f1").estimate is None
    assert two.found_alone("good", "overlap") == []
    assert [one.rank for one in two.ranking("f1")] == [None, None]


def test_a_protocol_with_an_iou_that_is_none_of_cocos(truths, detections):
    protocol = dataclasses.replace(TABLE1, iou_threshold=0.3)
    two = compare(truths, {name: detections[name] for name in ("good", "poor")}, protocol=protocol)
    output = two.outputs["good"]
    assert output.found["overlap"].sum() == output.result.counts.boxes.true_positives.sum()


def test_no_targets_at_all(truths, detections):
    bare = [
        dataclasses.replace(one, boxes=one.boxes[:0], targets=one.targets.take([]))
        for one in truths
    ]
    two = compare(bare, {name: detections[name] for name in ("good", "poor")})
    (f1,), (fa,) = two.tests("f1"), two.tests("fa")
    assert f1.test.p_value is None
    assert fa.test.p_value is not None
    assert two.interval("good", "map50").n_undefined == 200
    assert two.tests("overlap")[0].test.p_value == 1


def test_refusals(truths, detections):
    with pytest.raises(UsageError, match="at least two methods"):
        compare(truths, {"good": detections["good"]})
    with pytest.raises(UnknownNameError, match="fps"):
        compare(truths, detections, ["fps"])
    outputs = {
        name: score(found, truths, TABLE1, threshold=1.0) for name, found in detections.items()
    }
    with pytest.raises(UsageError, match="same order"):
        Comparison(outputs, truths, resamples=Resamples(sorted(one.id for one in truths)))
