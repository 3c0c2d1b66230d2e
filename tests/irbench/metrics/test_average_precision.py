from __future__ import annotations

import contextlib
import io

import faster_coco_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from irbench.errors import UnknownNameError
from irbench.metrics.average_precision import (
    AP_ESTIMATORS,
    all_point,
    average_precision,
    average_precision_coco101,
    average_precision_form,
    map50_95,
    precision_at_recalls,
)
from irbench.metrics.curve import PrecisionRecallCurve, precision_recall_curve
from irbench.metrics.matching import match_detections
from irbench.metrics.weighted import Draws
from irbench.metrics.yolo_average_precision import best_f1, joined_at_recalls
from irbench.protocol import PROTOCOLS

BOX = [10, 10, 14, 14]
AWAY = [20, 3, 24, 7]


def all_point_of(curve):
    """The area of a curve by the other estimator; None without targets."""
    n_targets = np.array([curve.n_targets])
    area = float(all_point(curve.true_positives[None], curve.kept[None], n_targets)[0])
    return area if n_targets[0] else None


def lists_of(seed, n_images, n_detections, spread, n_targets=4):
    """A set with distinct scores; float32, as detections are."""
    rng = np.random.default_rng(seed)
    boxes, scores, targets = [], [], []
    ranks = rng.permutation(n_images * n_detections) / 65536
    for image in range(n_images):
        corners = rng.integers(0, 240, (rng.integers(0, n_targets + 1), 2))
        truth = np.hstack([corners, corners + rng.integers(1, 13, corners.shape)])
        n = rng.integers(0, n_detections + 1)
        found = np.hstack([c := rng.uniform(0, 240, (n, 2)), c + rng.uniform(0.5, 13, (n, 2))])
        near = rng.random(n) < 0.7
        if len(truth):
            source = truth[rng.integers(0, len(truth), near.sum())]
            found[near] = source + rng.normal(0, spread, source.shape)
            found[:, 2:] = np.maximum(found[:, 2:], found[:, :2] + 0.25)
        boxes.append(found.astype(np.float32))
        scores.append(ranks[image * n_detections :][:n].astype(np.float32))
        targets.append(truth.astype(np.float32))
    return boxes, scores, targets


def coco_average_precision(boxes, scores, targets, backend="pycocotools"):
    """Average precision at each of the ten IoU thresholds, by COCO's evaluators, maxDets 300."""
    truth, found = coco_sets(boxes, scores, targets)
    with contextlib.redirect_stdout(io.StringIO()):
        if backend == "pycocotools":
            sets = []
            for content in (truth, found):
                coco = COCO()
                coco.dataset = content
                coco.createIndex()
                sets.append(coco)
            evaluator = COCOeval(*sets, "bbox")
        else:
            coco = faster_coco_eval.COCO(truth)
            found = coco.loadRes(found["annotations"])
            evaluator = faster_coco_eval.COCOeval_faster(coco, found, "bbox")
        evaluator.params.maxDets = [1, 10, 300]
        evaluator.evaluate()
        evaluator.accumulate()
    return evaluator.eval["precision"][:, :, 0, 0, -1].mean(axis=1)


def coco_sets(boxes, scores, targets):
    """The same set as two COCO files, truth and results."""

    def annotation(image, box):
        x0, y0, x1, y1 = (float(side) for side in box)
        sides = [x0, y0, x1 - x0, y1 - y0]
        area = sides[2] * sides[3]
        return {"image_id": image, "category_id": 1, "bbox": sides, "area": area, "iscrowd": 0}

    truth, found = [], []
    for image, (ours, ranks, theirs) in enumerate(zip(boxes, scores, targets, strict=True), 1):
        truth += [annotation(image, box) for box in theirs]
        found += [
            annotation(image, box) | {"score": float(score)}
            for box, score in zip(ours, ranks, strict=True)
        ]
    for rows in (truth, found):
        for index, row in enumerate(rows, 1):
            # From 1: pycocotools takes the id 0 for "not matched".
            row["id"] = index
    frame = {
        "images": [{"id": index + 1} for index in range(len(boxes))],
        "categories": [{"id": 1, "name": "target"}],
    }
    return frame | {"annotations": truth}, frame | {"annotations": found}


CASES = {
    "one-image": (10, 1, 6, 0.5),
    "small": (1, 10, 5, 0.3),
    "crowded": (2, 15, 60, 1.0, 10),
    "whole-pixels": (3, 25, 12, 0.0),
    "medium": (4, 60, 20, 0.6),
    "over-the-limit": (5, 8, 500, 0.8),
    "sparse": (6, 80, 2, 0.5, 1),
}


@pytest.mark.parametrize("backend", ["pycocotools", "faster-coco-eval"])
@pytest.mark.parametrize("case", CASES)
def test_equals_cocos_evaluators_with_distinct_scores(case, backend):
    lists = lists_of(*CASES[case])
    table = match_detections(*lists)
    ours = [average_precision(table, t).value for t in table.iou_thresholds]
    theirs = coco_average_precision(*lists, backend=backend)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
    assert map50_95(table).value == pytest.approx(theirs.mean(), abs=1e-9)
    assert 0 < theirs[0] < 1
    assert (max(map(len, lists[0])) > 300) == (case == "over-the-limit")


def test_equals_pycocotools_on_what_it_can_trip_over():
    """Images without targets or detections, duplicates, nested targets, exact thresholds."""
    wide = [0, 0, 20, 1]
    lists = (
        [[[*wide[:2], 20 * t, 1] for t in np.linspace(0.5, 1, 11)], [BOX, AWAY], [], [BOX, BOX]],
        [np.linspace(0.3, 0.9, 11), [0.95, 0.21], [], [0.57, 0.58]],
        [[wide], [], [AWAY], [BOX, [8, 8, 16, 16]]],
    )
    table = match_detections(*lists)
    ours = [average_precision(table, t).value for t in table.iou_thresholds]
    np.testing.assert_allclose(ours, coco_average_precision(*lists), rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_equal_iou_with_two_targets_is_decided_as_coco_does(seed):
    """Targets in raster order, as COCO files made from masks have them."""
    rng = np.random.default_rng(seed)
    corners = np.unique(rng.integers(0, 5, (5, 2)), axis=0)[:, ::-1]
    targets = np.hstack([corners, corners + 6])
    boxes = np.repeat(targets, 2, axis=0) + rng.choice([0, 1], (2 * len(targets), 1))
    lists = [boxes], [rng.permutation(len(boxes))], [targets]
    table = match_detections(*lists)
    ours = [average_precision(table, t).value for t in table.iou_thresholds]
    np.testing.assert_allclose(ours, coco_average_precision(*lists), rtol=0, atol=1e-9)


@pytest.mark.parametrize("estimator", AP_ESTIMATORS)
@pytest.mark.parametrize(("n_hits", "n_false", "n_missed"), [(1, 1, 0), (3, 2, 4), (2, 5, 1)])
def test_detections_of_one_score_make_a_single_point(n_hits, n_false, n_missed, estimator):
    """Precision p up to the recall r of the group: area p·r, and p at 101 recalls up to r."""
    boxes = [[10 * i, 0, 10 * i + 4, 4] for i in range(n_hits + n_false + n_missed)]
    targets = boxes[:n_hits] + boxes[n_hits + n_false :]
    found = boxes[: n_hits + n_false]
    precision, recall = n_hits / (n_hits + n_false), n_hits / (n_hits + n_missed)
    expected = precision * recall
    if estimator == "coco-101":
        expected = precision * np.count_nonzero(np.linspace(0, 1, 101) <= recall) / 101
    for order in (found, found[::-1]):
        table = match_detections([order], [[0.5] * len(order)], [targets])
        assert average_precision(table, estimator=estimator).value == pytest.approx(
            expected, abs=1e-12
        )


def test_a_hit_and_a_false_alarm_of_equal_score_have_one_ap_in_any_order():
    """Other evaluators answer 1.0 or 0.5, by the order of the list or of the images."""
    values = [
        average_precision(match_detections(*lists)).value
        for lists in (
            ([[BOX, AWAY]], [[0.5, 0.5]], [[BOX]]),
            ([[AWAY, BOX]], [[0.5, 0.5]], [[BOX]]),
            ([[BOX], [AWAY]], [[0.5], [0.5]], [[BOX], []]),
            ([[AWAY], [BOX]], [[0.5], [0.5]], [[], [BOX]]),
        )
    ]
    assert values == [0.5] * 4


@pytest.mark.parametrize("estimator", AP_ESTIMATORS)
def test_hand_made_curve(estimator):
    """Hit, false, hit, of 4 targets: precision 1 up to recall 1/4, 2/3 up to 1/2, then 0."""
    boxes = [[10 * i, 0, 10 * i + 4, 4] for i in range(5)]
    table = match_detections([boxes[:3]], [[3, 2, 1]], [[boxes[0], boxes[2], *boxes[3:]]])
    expected = {"coco-101": (26 + 25 * 2 / 3) / 101, "all-point": 1 / 4 + 1 / 4 * 2 / 3}[estimator]
    assert average_precision(table, estimator=estimator).value == pytest.approx(expected)


def test_no_area_is_added_beyond_the_recall_that_was_reached():
    """A sentinel at the end of the curve would add up to P(1 - R)/2."""
    table = match_detections([[BOX]], [[0.9]], [[BOX, AWAY]])
    assert average_precision(table, estimator="all-point").value == 0.5
    assert average_precision(table).value == 51 / 101


@pytest.mark.parametrize("n", [2, 3, 7, 150])
@pytest.mark.parametrize("found", [1, 2])
def test_where_the_estimators_differ(n, found):
    """Recall k / n is reached: k / n of the area, and the recalls 0, 0.01, … up to it of 101."""
    targets = [[10 * i, 0, 10 * i + 4, 4] for i in range(n)]
    hits = targets[:found]
    clutter = [[10 * i, 50, 10 * i + 4, 54] for i in range(n)]
    # The false alarms rank below: they change neither.
    scores = np.append(2 + np.arange(found), np.linspace(0, 1, n))
    table = match_detections([hits + clutter], [scores], [targets])
    assert average_precision(table, estimator="all-point").value == pytest.approx(found / n)
    n_reached = np.count_nonzero(np.arange(101) * n <= 100 * found)
    assert average_precision(table).value == pytest.approx(n_reached / 101)
    assert abs(found / n - n_reached / 101) > 1e-4 or found == n


def test_the_estimators_weigh_a_drop_of_precision_differently():
    """Hit, false alarm, hit, of three: 1/3 + 2/3 * 1/3, against 34 and 33 of 101 recalls."""
    targets = [[10 * i, 0, 10 * i + 4, 4] for i in range(3)]
    table = match_detections([[targets[0], [50, 50, 54, 54], targets[1]]], [[3, 2, 1]], [targets])
    area = average_precision(table, estimator="all-point").value
    assert area == pytest.approx(1 / 3 + 2 / 3 * 1 / 3)
    assert average_precision(table).value == pytest.approx((34 + 33 * 2 / 3) / 101)


@pytest.mark.parametrize("estimator", AP_ESTIMATORS)
@pytest.mark.parametrize("n", [1, 3, 7, 49])
def test_perfect_detections_have_ap_one_exactly(n, estimator):
    boxes = [[10 * i, 0, 10 * i + 4, 4] for i in range(n)]
    table = match_detections([boxes], [np.arange(n)], [boxes])
    assert average_precision(table, estimator=estimator).value == 1
    assert map50_95(table).value == 1


def test_undefined_without_targets_and_zero_without_detections():
    nothing = match_detections([[BOX], []], [[0.5], []], [[], []])
    for result in (average_precision(nothing), map50_95(nothing)):
        assert (result.value, result.reason) == (None, "no target in any image")
    missed = match_detections([[], []], [[], []], [[BOX], []])
    assert average_precision(missed).value == map50_95(missed).value == 0
    assert average_precision(missed, estimator="all-point").value == 0


@pytest.mark.parametrize(
    "transform",
    [lambda s: 5 * s - 3, np.exp, lambda s: s**3, np.arctan, lambda s: -1 / (s + 1)],
)
def test_a_monotone_transform_of_the_scores_changes_nothing(transform, scene):
    boxes, scores, targets = scene.lists()
    # Ranks, so that no transform rounds two scores to one.
    ranks = {score: rank for rank, score in enumerate(sorted({s for i in scores for s in i}))}
    before = match_detections(boxes, scores, targets)
    shifted = [transform(np.array([ranks[score] for score in i]) / 20) for i in scores]
    after = match_detections(boxes, shifted, targets)
    assert average_precision(before) == average_precision(after)
    assert map50_95(before) == map50_95(after)


@given(st.data())
@settings(max_examples=60)
def test_permuting_images_and_detections_changes_nothing(make_scene, data):
    levels = data.draw(st.sampled_from([1, 2, 4]))
    scene = make_scene(data.draw(st.integers(0, 10_000)), 5, levels)
    images = data.draw(st.permutations(range(5)))
    boxes, scores, targets = scene.lists()
    orders = {i: data.draw(st.permutations(range(len(boxes[i])))) for i in images}
    before = match_detections(boxes, scores, targets)
    after = match_detections(
        [[boxes[i][j] for j in orders[i]] for i in images],
        [[scores[i][j] for j in orders[i]] for i in images],
        [targets[i] for i in images],
    )
    assert map50_95(before) == map50_95(after)
    assert average_precision(before, 0.5, None, "all-point") == average_precision(
        after, 0.5, None, "all-point"
    )


@given(st.integers(0, 10_000), st.floats(0, 1.2))
@settings(max_examples=60)
def test_another_false_alarm_raises_nothing(make_scene, seed, score):
    boxes, scores, targets = make_scene(seed, 5, 4).lists()
    before = average_precision(match_detections(boxes, scores, targets)).value
    more = match_detections([*boxes, [BOX]], [*scores, [score]], [*targets, []])
    after = average_precision(more).value
    assert (before is None) == (after is None)
    assert before is None or after <= before + 1e-12


def test_the_estimators_are_those_that_protocols_name():
    assert {protocol.ap_estimator for protocol in PROTOCOLS.values()} <= set(AP_ESTIMATORS)
    with pytest.raises(UnknownNameError, match="Did you mean coco-101"):
        average_precision(match_detections([], [], []), estimator="coco-100")


def test_the_curve_of_a_hand_made_set():
    table = match_detections(
        [[BOX, AWAY], [BOX, AWAY]], [[0.9, 0.5], [0.5, 0.1]], [[BOX], [BOX, [0, 0, 2, 2]]]
    )
    curve = precision_recall_curve(table)
    assert curve.thresholds.tolist() == [0.9, 0.5, 0.1]
    assert curve.true_positives.tolist() == [1, 2, 2]
    assert curve.kept.tolist() == [1, 3, 4]
    assert curve.precision.tolist() == [1, 2 / 3, 1 / 2]
    assert curve.recall.tolist() == [1 / 3, 2 / 3, 2 / 3]
    np.testing.assert_allclose(curve.f1, [1 / 2, 2 / 3, 4 / 7])


@pytest.mark.parametrize("weighted", [False, True])
def test_the_curve_agrees_with_counting(scene, slow_metrics, weighted):
    slow = slow_metrics(scene)
    table = match_detections(*scene.lists(), max_detections=scene.max_detections)
    weights = np.ones(len(scene.images)) if weighted else None
    curve = precision_recall_curve(table, 5, weights)
    expected = [slow.counts(score, table.iou_thresholds[5]) for score in curve.thresholds]
    assert list(zip(curve.true_positives, curve.kept, strict=True)) == expected
    assert len(curve) == len(np.unique(table.scores))
    assert np.isnan(curve.recall).all() == (slow.n_targets == 0 or len(curve) == 0)


def test_the_points_of_hits_have_the_area_of_all_points(scene):
    """The full curve goes through the same estimator."""
    table = match_detections(*scene.lists())
    weights = np.random.default_rng(8).integers(0, 3, len(scene.images))
    for w in (None, weights):
        full = precision_recall_curve(table, 0, w)
        estimates = {
            "coco-101": average_precision_coco101,
            "all-point": all_point_of,
        }
        for name, estimate in estimates.items():
            found = average_precision(table, 0.5, w, name)
            expected = estimate(full)
            assert found.reason == average_precision_coco101(full).reason
            assert found.value == pytest.approx(getattr(expected, "value", expected), abs=1e-12)


def test_a_score_on_images_of_weight_zero_is_no_point():
    table = match_detections([[AWAY] * 2, [BOX, AWAY]], [[0.9, 0.4], [0.5, 0.3]], [[], [BOX]])
    curve = precision_recall_curve(table, 0, np.array([0, 2]))
    assert curve.thresholds.tolist() == [0.5, 0.3]
    assert average_precision(table, weights=np.array([0, 1])).value == 1


def test_estimators_take_a_curve_of_any_origin():
    curve = PrecisionRecallCurve(np.array([2.0, 1.0]), np.array([1.0, 1.0]), np.array([1.0, 2]), 1)
    assert average_precision_coco101(curve).value == all_point_of(curve) == 1


def test_a_long_perfect_curve_has_area_one_to_the_last_bit():
    rng = np.random.default_rng(0)
    for _ in range(500):
        hits = np.cumsum(rng.integers(1, 6, rng.integers(1, 400))).astype(float)
        curve = PrecisionRecallCurve(-hits, hits, hits, hits[-1])
        assert all_point_of(curve) == 1


CURVES = {
    "many points": (np.cumsum(np.random.default_rng(1).integers(0, 3, (20, 50)), axis=1), 4),
    "no points": (np.zeros((20, 0)), 3),
    "no targets": (np.zeros((20, 5)), 0),
    "all found": (np.tile(np.arange(1.0, 5.0), (20, 1)), 0),
}


@pytest.mark.parametrize("name", CURVES)
def test_the_compiled_forms_equals_the_other_to_the_last_bit(name):
    compiled_forms = pytest.importorskip("irbench.metrics.compiled_forms", exc_type=ImportError)
    hits, missed = CURVES[name]
    random = np.random.default_rng(2)
    hits = hits.astype(float)
    kept = hits + np.cumsum(random.integers(0, 2, hits.shape), axis=1)
    targets = (hits[:, -1] if hits.shape[1] else np.zeros(20)) + missed
    recalls = np.linspace(0.0, 1.0, 101)
    slow = precision_at_recalls(hits, kept, targets, recalls)
    np.testing.assert_array_equal(
        compiled_forms.precision_at_recalls(hits, kept, targets, recalls), slow
    )
    # By the definition: the best of all points at this recall or beyond.
    with np.errstate(all="ignore"):
        recall, precision = hits / targets[:, None], np.nan_to_num(hits / kept)
    if targets.all():
        expected = [
            [max([0.0, *p[r >= at]]) for at in recalls]
            for r, p in zip(recall, precision, strict=True)
        ]
        np.testing.assert_array_equal(slow, expected)


@pytest.mark.parametrize("levels", [3, 10**6], ids=["ties", "distinct"])
@pytest.mark.parametrize("whole", [True, False])
def test_the_compiled_ranking_equals_its_points_to_the_last_bit(make_scene, levels, whole):
    compiled_forms = pytest.importorskip("irbench.metrics.compiled_forms", exc_type=ImportError)
    table = match_detections(*make_scene(4, 12, levels, 9).lists(), (0.3, 0.5))
    random = np.random.default_rng(3)
    weights = random.integers(0, 3, (table.n_images, 40)).astype(float)
    # A draw without any image, and weights of parts of an image.
    weights[:, 0] = 0
    draws = Draws(weights if whole else weights * random.random(weights.shape))
    targets = draws.sums(table.n_targets)
    several = np.stack([targets, targets + random.integers(0, 4, 40) * (targets > 0)])
    for recalls in (np.linspace(0.0, 1.0, 101), np.array([0.0, 0.1, 0.11, 0.9])):
        found = compiled_forms.mean_precisions(
            draws.by_draw,
            *table.weighted.joined_hits((1, 0)),
            table.weighted.kept(draws),
            several,
            recalls,
        )
        for column, of_column in zip((1, 0), found, strict=True):
            points, kept, _ = table.weighted.points(draws, column)
            for one, of_targets in zip(of_column, several, strict=True):
                slow = precision_at_recalls(points, kept, of_targets, recalls)
                np.testing.assert_array_equal(one, slow.mean(axis=1))
    assert found.any()


@pytest.mark.parametrize("levels", [3, 10**6], ids=["ties", "distinct"])
def test_the_compiled_lines_of_yolo_tools_equal_the_others_to_the_last_bit(make_scene, levels):
    compiled_forms = pytest.importorskip("irbench.metrics.compiled_forms", exc_type=ImportError)
    table = match_detections(*make_scene(4, 12, levels, 9).lists(), (0.3,))
    weights = np.random.default_rng(3).integers(0, 3, (table.n_images, 40)).astype(float)
    weights[:, 0] = 0
    draws = Draws(weights)
    hits, kept, n_targets = table.weighted.points(draws, 0)
    before, n_kept = map(np.ascontiguousarray, table.weighted.kept_before(draws, 0))
    given = (hits, kept, before, n_kept, n_targets, np.linspace(0.0, 1.0, 101))
    slow = joined_at_recalls(*given)
    np.testing.assert_array_equal(compiled_forms.joined_at_recalls(*given), slow)
    assert (slow[1] >= slow[0]).all()
    assert (slow[1] > slow[0]).any()
    given = (hits, kept, n_kept, n_targets)
    np.testing.assert_array_equal(compiled_forms.best_f1(*given), best_f1(*given))


@pytest.mark.parametrize("estimator", AP_ESTIMATORS)
@pytest.mark.parametrize("n_draws", [2, 40])
def test_missed_targets_of_several_kinds_at_once_or_one_by_one(make_scene, estimator, n_draws):
    table = match_detections(*make_scene(4, 12, 5, 9).lists(), (0.3, 0.5))
    form = average_precision_form(table, [0, 1], AP_ESTIMATORS[estimator])
    random = np.random.default_rng(4)
    weights = random.integers(0, 3, (table.n_images, n_draws)).astype(float)
    missed = random.integers(0, 3, (2, n_draws)).astype(float)
    together = Draws(weights)
    late = together.with_missed(missed[0])
    found = [form(together), form(late), form(together.with_missed(missed[1]))]
    alone = [form(Draws(weights, one)) for one in (None, *missed)]
    np.testing.assert_array_equal(found, alone)
    assert not np.array_equal(found[0], found[1])


@pytest.mark.parametrize("levels", [3, 10**6], ids=["ties", "distinct"])
@pytest.mark.parametrize("estimator", AP_ESTIMATORS)
def test_draws_at_once_equal_each_by_itself(make_scene, levels, estimator):
    table = match_detections(*make_scene(4, 12, levels, 9).lists(), (0.3, 0.5))
    n = table.n_images
    weights = np.random.default_rng(5).multinomial(n, np.full(n, 1 / n), 60).T.astype(float)
    weights[:, 7] = 0  # no targets at all
    form = average_precision_form(table, [0, 1], AP_ESTIMATORS[estimator])
    at_once = form(Draws(weights))
    alone = [form(Draws(weights[:, [draw]]))[0] for draw in range(60)]
    # To the last bit: an interval must not depend on how many draws are made at a time.
    np.testing.assert_array_equal(at_once, alone)
    assert np.isnan(at_once[7])
    assert len(np.unique(at_once)) > 5
