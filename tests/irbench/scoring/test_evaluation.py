"""The evaluator as a whole, on cases that can be counted by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from irbench import Detections, Protocol, Sample, evaluate
from irbench.errors import AnnotationError, DetectionsError, UsageError
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions

SHAPE = (40, 50)


def spot(row, column, side=3):
    mask = np.zeros(SHAPE, bool)
    mask[row : row + side, column : column + side] = True
    return mask


def truth(name, *masks):
    mask = np.any(masks, axis=0) if masks else np.zeros(SHAPE, bool)
    regions = mask_regions(mask)
    return GroundTruth(name, SHAPE, regions.boxes, regions)


def found(scores, *masks):
    parts = [Detections.from_mask(mask) for mask in masks]
    union = Detections.from_mask(np.any(masks, axis=0))
    assert len(union) == len(parts)
    return Detections(union.boxes, scores, union.regions)


@pytest.fixture
def truths():
    return [truth("a", spot(5, 5), spot(20, 20)), truth("b", spot(9, 9)), truth("empty")]


def test_counted_by_hand(truths):
    detections = {
        "a": found([0.9, 0.2], spot(5, 5), spot(30, 40)),
        "empty": found([0.8], spot(1, 1, side=4)),
    }
    result = evaluate(detections, truths, threshold=0.5)
    # Kept: one hit, and one false alarm on the image without targets.
    assert result["precision"] == pytest.approx(1 / 2)
    assert result["recall"] == pytest.approx(1 / 3)
    assert result["f1"] == pytest.approx(2 / 5)
    assert result["pd"] == pytest.approx(1 / 3)
    assert result["fa"] == pytest.approx(16 / (3 * 40 * 50))
    assert result["iou"] == pytest.approx(9 / (27 + 16))
    # Image a: 9 of 18; b: 0 of 9; the empty one: 0 of 16.
    assert result["niou"] == pytest.approx((9 / 18) / 3)
    assert result["pixel_recall"] == pytest.approx(9 / 27)
    # Precision 1 up to recall 1/3: 34 of the 101 recall points.
    assert result["map50"] == pytest.approx(34 / 101)
    assert (result.n_images, result.n_targets) == (3, 3)


def test_false_blobs_as_large_as_a_hit_are_counted(truths):
    detections = {"a": found([1, 1, 1], spot(5, 5), spot(12, 30), spot(30, 10))}
    result = evaluate(detections, truths, threshold=0.5)
    assert result["fa"] == pytest.approx(18 / 6000)
    assert result["fa_legacy"] == 0


def test_without_a_threshold_only_ap_is_defined(truths):
    result = evaluate({"a": found([0.9], spot(5, 5))}, truths)
    assert result["map50"] == pytest.approx(34 / 101)
    for name in ("precision", "recall", "f1", "pd", "fa", "iou", "niou"):
        assert result[name] is None
        assert "no threshold" in result.undefined[name]


def test_the_threshold_comes_from_validation(truths):
    validation = [truth("v", spot(5, 5))]
    on_validation = {"v": found([0.7, 0.3], spot(5, 5), spot(20, 30))}
    detections = {"a": found([0.7, 0.69], spot(5, 5), spot(20, 20))}
    result = evaluate(detections, truths, validation=(on_validation, validation))
    assert result.threshold == pytest.approx(0.7)
    assert result["recall"] == pytest.approx(1 / 3)


def test_oracle_sees_the_tested_images(truths):
    oracle = Protocol(operating_point="oracle")
    detections = {"a": found([0.7, 0.6], spot(5, 5), spot(20, 20)), "b": found([0.1], spot(30, 3))}
    result = evaluate(detections, truths, oracle)
    assert result.threshold == pytest.approx(0.6)
    assert result["precision"] == 1


def test_only_score_maps_are_cut_at_standard_deviations(truths):
    rule = Protocol(operating_point="mean-kstd")
    high, low = ({"b": found([score], spot(9, 9))} for score in (6.0, 0.9))
    boxes = {"b": Detections([[9, 9, 12, 12]], [0.9])}
    for detections, kind in ((low, "segmentation"), (boxes, "box"), (boxes, None)):
        result = evaluate(detections, truths, rule, kind=kind)
        assert result.threshold is None
        for name in ("precision", "f1", "pd", "fa", "iou", "hiou"):
            assert result[name] is None
            assert "not in standard deviations" in result.undefined[name]
        assert result["map50"] > 0
    assert evaluate(high, truths, rule)["recall"] == pytest.approx(1 / 3)
    below = evaluate(low, truths, rule, kind="score-map")
    assert (below.threshold, below["recall"]) == (5.0, 0)


def test_box_methods_have_no_pixel_metrics(truths):
    boxes = {"b": Detections([[9, 9, 12, 12]], [1.0])}
    result = evaluate(boxes, truths, threshold=0.5)
    assert result["recall"] == pytest.approx(1 / 3)
    assert result["iou"] is None
    assert "boxes only" in result.undefined["iou"]
    assert result["pd"] == pytest.approx(1 / 3)


def test_box_labels_have_no_pixel_metrics():
    labels = [GroundTruth("x", SHAPE, np.array([[5, 5, 8, 8]], np.float32), None)]
    result = evaluate({"x": found([1.0], spot(5, 5))}, labels, threshold=0.5)
    assert result["f1"] == 1
    assert result["pd"] == 1
    assert result["iou"] is None


def test_another_iou_threshold_moves_f1_and_not_map50(truths):
    shifted = {"b": found([1.0], spot(10, 10))}  # IoU 4 / 14
    strict = evaluate(shifted, truths, threshold=0.5)
    loose = evaluate(shifted, truths, Protocol(iou_threshold=0.25), threshold=0.5)
    assert strict["f1"] == 0
    assert loose["recall"] == pytest.approx(1 / 3)
    assert strict["map50"] == loose["map50"] == 0


def test_only_the_best_300_of_an_image_count():
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 36, (400, 2))
    boxes = np.hstack([corners, corners + 3])
    scores = np.linspace(1, 2, 400)
    boxes[0] = [20, 20, 23, 23]  # The only hit, with the least score.
    only = [GroundTruth("x", SHAPE, np.array([[20, 20, 23, 23]], np.float32), None)]
    many = {"x": Detections(boxes, scores)}
    generous = dataclasses.replace(Protocol(), max_detections=400)
    assert evaluate(many, only, threshold=0.0).counts.boxes.false_positives.sum() <= 300
    assert evaluate(many, only, generous, threshold=0.0).counts.points.false_components[0] > 300


def test_order_changes_nothing(truths):
    one = {
        "a": found([0.9, 0.9], spot(5, 5), spot(30, 40)),
        "empty": found([0.9], spot(1, 1)),
    }
    other = {"empty": one["empty"], "a": one["a"].take([1, 0])}
    first = evaluate(one, truths, threshold=0.5)
    second = evaluate(other, truths[::-1], threshold=0.5)
    assert first.values == pytest.approx(second.values)


@pytest.mark.parametrize(
    ("detections", "message"),
    [
        ({"stranger": Detections.empty()}, "such as 'stranger'"),
        ({"a": Detections([[0, 0, 51, 3]], [1])}, r"boxes\[0\] on 'a' must lie inside the 40x50"),
        ({"a": Detections([[-1, 0, 5, 3]], [1])}, "must lie inside"),
        ({"a": Detections.from_mask(np.ones((9, 9), bool))}, "made on a 9x9 image"),
    ],
)
def test_what_does_not_fit_the_image_is_refused(truths, detections, message):
    with pytest.raises(DetectionsError, match=message):
        evaluate(detections, truths, threshold=0.5)


def test_metrics_over_all_scores_need_no_threshold(truths):
    shifted = Detections.from_mask(spot(9, 10))  # IoU 6 / 12, a pixel aside
    detections = {"a": found([0.9, 0.2], spot(5, 5), spot(30, 40)), "b": shifted}
    result = evaluate(detections, truths)
    assert result["map30"] == pytest.approx(result["map50"])
    assert result["map75"] < result["map50"]
    assert result["ap_point"] == pytest.approx(result["map50"])
    assert result["precision_yolo"] == 1
    assert result["recall_yolo"] == pytest.approx(2 / 3)
    far = evaluate({"b": Detections.from_mask(spot(11, 11))}, truths)
    assert (far["map30"], far["ap_point"]) == (0, pytest.approx(34 / 101))
    assert "no threshold" in result.undefined["hiou"]


def test_hiou_counted_by_hand(truths):
    detections = {
        "a": found([0.9, 0.8], spot(5, 6), spot(30, 40)),
        "empty": found([0.8], spot(1, 1)),
    }
    result = evaluate(detections, truths, threshold=0.5)
    # One pair of IoU 6 / 12, two misses, two false alarms.
    assert result["hiou_segmentation"] == pytest.approx(1 / 2)
    assert result["hiou_localisation"] == pytest.approx(1 / 5)
    assert result["hiou"] == pytest.approx(1 / 10)
    # The toolkit adds a false alarm on image b, and a miss on the empty one.
    assert result["hiou_toolkit"] == pytest.approx(1 / 14)
    boxes = evaluate({"b": Detections([[9, 9, 12, 12]], [1.0])}, truths, threshold=0.5)
    assert boxes["hiou"] is None
    assert "boxes only" in boxes.undefined["hiou_toolkit"]


def test_hiou_takes_the_first_in_raster_order_of_regions_equally_near():
    target = spot(20, 20, side=5)
    # Both centroids are 2 px from the target's, one on either side; of a union 6 / 28, and 1 / 25.
    pair = found([1, 1], spot(19, 21), spot(24, 22, side=1))
    assert np.ptp(np.abs(pair.regions.centroids[:, 1] - 22)) == 0
    values = [
        evaluate({"a": pair.take(order)}, [truth("a", target)], threshold=0.5)["hiou"]
        for order in ([0, 1], [1, 0])
    ]
    assert values == [pytest.approx(6 / 28 / 2)] * 2


def tampered(**arrays):
    """Detections whose arrays were replaced after they had been checked."""
    one = Detections([[1, 1, 4, 4], [5, 5, 8, 8]], [0.9, 0.8])
    for name, values in arrays.items():
        object.__setattr__(one, name, np.array(values, np.float32))
    return one


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (tampered(scores=[0.9, np.nan]), r"^mine: scores\[1\] on 'b' must be a finite number"),
        (tampered(boxes=[[1, 1, 4, 4], [8, 5, 5, 8]]), r"^mine: boxes\[1\] on 'b' must be finite"),
        (tampered(boxes=[[np.nan] * 4, [5, 5, 8, 8]]), r"^mine: boxes\[0\] on 'b' must be finite"),
        (Detections([[1, 1, 2, 2], [0, 0, 9, 41]], [1, 1]), r"^mine: boxes\[1\] on 'b' must lie"),
        (([[1, 1, 4, 4]], [0.9]), "^mine: the detections on 'b' must be Detections, got tuple"),
    ],
)
@pytest.mark.parametrize("split", ["tested", "validation"])
def test_bad_detections_name_method_image_and_index(truths, one, message, split):
    arguments = {"threshold": 0.5} if split == "tested" else {"validation": ({"b": one}, truths)}
    with pytest.raises(DetectionsError, match=message):
        evaluate({"b": one} if split == "tested" else {}, truths, method="mine", **arguments)


FALLING = (
    *("precision", "f1", "map30", "map50", "map75", "map50_95", "ap_all_point", "ap_yolo"),
    *("ap_ultralytics", "ap_point", "iou", "niou", "hiou", "hiou_localisation"),
    *("pixel_precision", "pixel_f1"),
)
# Not precision_yolo: its threshold is chosen on these images, and moves.
SAME = ("recall", "pd", "pixel_recall", "hiou_segmentation")


def random_set(seed):
    """Six images of 0 to 3 targets each, some found, among clutter, with scores that tie."""
    rng = np.random.default_rng(seed)
    truths, detections = [], {}
    for name in "abcdef":
        cells = [(10 * row + 1, 10 * column + 1) for row in range(4) for column in range(5)]
        places = rng.permutation(cells)
        n = rng.integers(0, 4)
        truths.append(truth(name, *(spot(*place) for place in places[:n])))
        near = [place + rng.integers(0, 3, 2) for place in places[:n] if rng.random() < 0.8]
        shown = [spot(*place) for place in (*near, *places[n : n + rng.integers(0, 3)])]
        if shown and name != "f":
            one = Detections.from_mask(np.any(shown, axis=0))
            detections[name] = Detections(one.boxes, rng.integers(1, 9, len(one)) / 8, one.regions)
    return truths, detections


@pytest.mark.parametrize("score", [0.1, 0.5, 0.95])
@pytest.mark.parametrize("seed", range(4))
def test_another_false_alarm_never_helps(seed, score):
    truths, detections = random_set(seed)
    empty = truth("none")
    before = evaluate(detections, [*truths, empty], threshold=0.4)
    more = {**detections, "none": found([score], spot(20, 20))}
    after = evaluate(more, [*truths, empty], threshold=0.4)
    for name in FALLING:
        assert after[name] <= before[name] + 1e-12, name
    for name in SAME:
        assert after[name] == before[name], name
    assert after["fa"] - before["fa"] == pytest.approx(9 / (7 * 2000) if score > 0.4 else 0)


@pytest.mark.parametrize("seed", range(4))
def test_no_order_and_no_scale_of_the_scores_changes_anything(seed):
    truths, detections = random_set(seed)
    rng = np.random.default_rng(seed)
    before = evaluate(detections, truths, threshold=0.4)
    turned = {
        name: detections[name].take(rng.permutation(len(detections[name])))
        for name in reversed(detections)
    }
    shuffled = [truths[index] for index in rng.permutation(len(truths))]
    assert evaluate(turned, shuffled, threshold=0.4).values == pytest.approx(before.values)
    scaled = {
        name: Detections(one.boxes, 64 * one.scores - 5, one.regions)
        for name, one in detections.items()
    }
    assert evaluate(scaled, truths, threshold=64 * 0.4 - 5).values == before.values


def test_duplicates_are_false_alarms_everywhere(truths):
    box = [9, 9, 12, 12]
    once = evaluate({"b": Detections([box], [0.9])}, truths, threshold=0.5)
    twice = evaluate({"b": Detections([box, box], [0.9, 0.8])}, truths, threshold=0.5)
    assert (once["precision"], twice["precision"]) == (1, 0.5)
    assert (once["fa"], twice["fa"]) == (0, 9 / 6000)
    assert twice["recall"] == twice["pd"] == pytest.approx(1 / 3)
    # Below the hit in score, a duplicate costs no average precision up to the recall reached.
    assert twice["map50"] == once["map50"]
    assert twice["ap_point"] == once["ap_point"]


def test_two_images_of_one_id_are_refused(truths):
    with pytest.raises(UsageError, match="distinct ids, got 'b' at the positions 1 and 3"):
        evaluate({}, [*truths, truth("b", spot(1, 1))], threshold=0.5)


@pytest.mark.parametrize(
    "boxes",
    [
        [[5, 5, 8, 8], [8, 5, 5, 8]],
        [[5, 5, 8, 8], [5, np.nan, 8, 8]],
        [[5, 5, 8, 8], [45, 5, 51, 8]],
    ],
)
def test_true_boxes_that_are_none_are_refused(boxes):
    label = GroundTruth("x", SHAPE, np.array(boxes, np.float32), None)
    with pytest.raises(AnnotationError, match="the true box 1 of 'x' must be"):
        evaluate({}, [label], threshold=0.5)


def test_ground_truth_that_contradicts_itself_is_refused():
    regions = mask_regions(spot(5, 5))
    with pytest.raises(AnnotationError, match=r"as many targets as true boxes \(0\), got 1"):
        evaluate({}, [GroundTruth("x", SHAPE, np.zeros((0, 4), np.float32), regions)])
    with pytest.raises(AnnotationError, match=r"must have shape \(N, 4\), got \(2,\)"):
        evaluate({}, [GroundTruth("x", SHAPE, np.zeros(2, np.float32), None)])


def test_a_threshold_is_a_number(truths):
    with pytest.raises(UsageError, match="threshold must be a number or None, got NaN"):
        evaluate({}, truths, threshold=float("nan"))


def test_no_images_at_all():
    result = evaluate({}, [], threshold=0.5)
    assert all(value is None for value in result.values.values())
    assert all(result.undefined[name] for name in result.values)


def test_samples_stand_in_for_ground_truth():
    mask = np.zeros((20, 20), bool)
    mask[3:6, 4:8] = True
    sample = Sample("a", np.zeros((20, 20), np.uint8), mask)
    found = {"a": Detections([[4, 3, 8, 6]], [0.9])}
    of_sample = evaluate(found, [sample], threshold=0.5)
    of_truth = evaluate(found, [GroundTruth.of(sample)], threshold=0.5)
    assert of_sample.values == of_truth.values
    assert of_sample["pd"] == of_sample["f1"] == 1
