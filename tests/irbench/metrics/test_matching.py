from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irbench.errors import DetectionsError, UsageError
from irbench.metrics.matching import COCO_IOU_THRESHOLDS, match_detections

BOX = [10, 10, 14, 14]
AWAY = [20, 3, 24, 7]


def hits(boxes, scores, targets, iou_threshold=0.5, **kwargs):
    """Target of each detection of one image, in the order of the table."""
    table = match_detections([boxes], [scores], [targets], (iou_threshold,), **kwargs)
    return table.target_index[:, 0].tolist()


def test_the_thresholds_are_those_of_coco_bit_for_bit():
    from pycocotools.cocoeval import Params

    assert list(COCO_IOU_THRESHOLDS) == Params("bbox").iouThrs.tolist()


def test_equals_the_slow_matching(scene, slow_metrics):
    slow = slow_metrics(scene)
    table = match_detections(*scene.lists(), max_detections=scene.max_detections)
    for column, t in enumerate(table.iou_thresholds):
        for index, (image, pairs) in enumerate(zip(scene.images, slow.counted, strict=True)):
            rows = table.image_index == index
            expected = slow.hits([box for _, box in pairs], image.targets, t)
            assert table.target_index[rows, column].tolist() == expected


def test_the_rows_lead_back_to_the_lists(scene):
    boxes, scores, targets = scene.lists()
    table = match_detections(boxes, scores, targets, max_detections=scene.max_detections)
    assert table.n_images == len(scene.images)
    assert table.n_targets.tolist() == [len(one) for one in targets]
    assert (np.diff(table.image_index) >= 0).all()
    for image, detection, score in zip(
        table.image_index, table.detection_index, table.scores, strict=True
    ):
        assert scores[image][detection] == score
    seen = list(zip(table.image_index.tolist(), table.detection_index.tolist(), strict=True))
    assert len(set(seen)) == len(seen)


def test_no_target_is_hit_twice(scene):
    table = match_detections(*scene.lists())
    for column in range(len(table.iou_thresholds)):
        found = table.hit[:, column]
        pairs = np.stack([table.image_index, table.target_index[:, column]])[:, found]
        assert len(np.unique(pairs, axis=1).T) == found.sum()


def test_duplicates_are_false_alarms():
    assert hits([BOX, BOX, BOX], [0.7, 0.9, 0.8], [BOX]) == [0, -1, -1]


def test_the_best_score_chooses_first_even_if_another_fits_better():
    assert hits([[10, 10, 14, 13], BOX], [0.9, 0.8], [BOX]) == [0, -1]


def test_a_detection_falls_back_on_a_free_target():
    first, second = [10, 10, 20, 20], [12, 10, 22, 20]
    assert hits([[10.8, 10, 20.8, 20]] * 2, [0.9, 0.8], [first, second]) == [0, 1]
    assert hits([first, [11, 10, 21, 20]], [0.9, 0.8], [first, second]) == [0, 1]


def test_of_equal_ious_the_last_in_raster_order():
    between, first, second = [11, 10, 21, 20], [10, 10, 20, 20], [12, 10, 22, 20]
    assert hits([between] * 2, [0.9, 0.8], [first, second]) == [1, 0]
    assert hits([between] * 2, [0.9, 0.8], [second, first]) == [0, 1]


def test_equal_scores_choose_in_order_of_their_boxes():
    left, right = [9.5, 10, 13.5, 14], [10.5, 10, 14.5, 14]
    table = match_detections([[right, left]], [[0.5, 0.5]], [[BOX]], (0.5,))
    assert table.detection_index.tolist() == [1, 0]
    assert table.target_index[:, 0].tolist() == [0, -1]


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.75, 0.8])
def test_an_iou_equal_to_the_threshold_is_a_hit(threshold):
    target = [0, 0, 20, 1]
    assert hits([[0, 0, 20 * threshold, 1]], [1], [target], threshold) == [0]
    assert hits([[0, 0, 20 * threshold - 0.01, 1]], [1], [target], threshold) == [-1]


def test_a_perfect_box_reaches_the_threshold_one():
    thirds = [1 / 3, 1 / 7, 10 / 3, 9 / 7]
    assert hits([thirds], [1], [thirds], 1.0) == [0]
    assert hits([[0, 0, 1, 1 - 1e-12]], [1], [[0, 0, 1, 1]], 1.0) == [0]
    assert hits([BOX], [1], [[10, 10, 14, 14.01]], 1.0) == [-1]


def test_only_the_best_of_an_image_count():
    rng = np.random.default_rng(0)
    boxes = np.tile(AWAY, (305, 1)) + rng.random((305, 1))
    scores = rng.permutation(305)
    boxes[scores == 4] = BOX
    table = match_detections([boxes, [BOX]], [scores, [0]], [[BOX], [BOX]])
    assert len(table) == 301
    assert table.scores[table.image_index == 0].min() == 5
    assert table.hit[:, 0].sum() == 1
    boxes[scores == 5] = BOX
    assert hits(boxes, scores, [BOX]).count(0) == 1


@pytest.mark.parametrize(("limit", "expected"), [(1, [-1]), (2, [-1, 0]), (3, [-1, 0])])
def test_the_limit_is_inclusive(limit, expected):
    assert hits([BOX, AWAY], [0.1, 0.9], [BOX], max_detections=limit) == expected


def test_other_images_are_out_of_reach():
    table = match_detections([[BOX], []], [[0.9], []], [[], [BOX]])
    assert not table.hit.any()


def test_boxes_without_area_hit_nothing():
    assert hits([[3, 3, 3, 3]], [1], [[3, 3, 3, 3]]) == [-1]


@given(st.data())
def test_what_is_kept_does_not_depend_on_what_is_dropped(data):
    """Greedy by score: matching the kept ones alone gives the same."""
    corner = st.integers(0, 6)
    boxes = data.draw(
        st.lists(
            st.tuples(corner, corner, st.integers(1, 4), st.integers(1, 4)).map(
                lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
            ),
            min_size=1,
            max_size=8,
        )
    )
    scores = [data.draw(st.integers(0, 3)) for _ in boxes]
    targets, threshold = boxes[: data.draw(st.integers(0, 3))], data.draw(st.integers(0, 3))
    table = match_detections([boxes], [scores], [targets])
    kept = [index for index, score in enumerate(scores) if score >= threshold]
    alone = match_detections([[boxes[i] for i in kept]], [[scores[i] for i in kept]], [targets])
    assert alone.hit.tolist() == table.hit[table.scores >= threshold].tolist()


def test_single_precision_scores_keep_their_value():
    score = np.float32(0.1)
    table = match_detections([[BOX]], [np.array([score])], [[BOX]])
    assert table.scores.dtype == np.float64
    assert table.scores[0] == float(score)


def test_the_arguments_are_not_modified():
    boxes, scores = np.array([AWAY, BOX], float), np.array([0.1, 0.9])
    boxes.setflags(write=False)
    scores.setflags(write=False)
    match_detections([boxes], [scores], [boxes])


def test_iou_index_finds_the_column_or_names_those_there_are():
    table = match_detections([[BOX]], [[1]], [[BOX]])
    assert [table.iou_index(t) for t in (0.5, 0.55, 0.95)] == [0, 1, 9]
    with pytest.raises(UsageError, match=r"built with \(0.5, 0.55, .*0.95\), got 0.3"):
        table.iou_index(0.3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[BOX]], [[1]], []), "as many images, got 1, 1 and 0"),
        (([[BOX]], [[1, 2]], [[]]), r"image 0 must have as many scores as boxes \(1\), got 2"),
        (([[BOX], [[1, 2, 3]]], [[1], [1]], [[], []]), r"boxes of image 1 must have shape \(N, 4"),
        (([[BOX]], [[[1]]], [[BOX[:3]]]), r"targets of image 0 must have shape \(N, 4\)"),
        (([[BOX]], [[float("nan")]], [[]]), "scores of image 0 must be finite, got"),
        (([[], [[0, 0, 1, float("inf")]]], [[], [1]], [[], []]), "boxes of image 1 must be finite"),
    ],
)
def test_bad_detections_are_refused(arguments, message):
    with pytest.raises(DetectionsError, match=message):
        match_detections(*arguments)


@pytest.mark.parametrize("thresholds", [(), (0.0,), (0.5, 1.1), (float("nan"),)])
def test_bad_thresholds_are_refused(thresholds):
    with pytest.raises(UsageError, match=r"iou_thresholds must be numbers in \(0, 1\]"):
        match_detections([], [], [], thresholds)


def test_a_limit_under_one_is_refused():
    with pytest.raises(UsageError, match="max_detections must be at least 1, got 0"):
        match_detections([], [], [], max_detections=0)
