from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.errors import UsageError
from irbench.gate.ranked_matches import ranking_arrays, table_of_ranking
from irbench.metrics.average_precision import average_precision, map50_95
from irbench.metrics.match_table import COCO_IOU_THRESHOLDS, MatchTable
from irbench.metrics.matching import match_detections


def random_table(seed, n_images=7, most=12, n_scores=9):
    """Boxes near targets and elsewhere; with few different scores, so that many are equal."""
    rng = np.random.default_rng(seed)
    boxes, scores, targets = [], [], []
    for _ in range(n_images):
        corners = rng.integers(0, 30, (rng.integers(0, 4), 2))
        target = np.concatenate([corners, corners + rng.integers(3, 9, corners.shape)], axis=1)
        near = np.repeat(target, 2, axis=0) + rng.integers(-1, 2, (2 * len(target), 4))
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
        far = rng.integers(40, 60, (rng.integers(0, most), 2))
        all_boxes = np.concatenate([near, np.concatenate([far, far + 3], axis=1)])
        boxes.append(all_boxes)
        scores.append(rng.integers(0, n_scores, len(all_boxes)) / n_scores)
        targets.append(target)
    return match_detections(boxes, scores, targets)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 4, 10_000]))
@settings(deadline=None, max_examples=60)
def test_average_precision_stays_bit_by_bit(seed, n_scores):
    table = random_table(seed, n_scores=n_scores)
    again = table_of_ranking(ranking_arrays(table), table.n_targets)
    weights = np.random.default_rng(seed).integers(0, 4, table.n_images)
    for column in COCO_IOU_THRESHOLDS[:1], COCO_IOU_THRESHOLDS[7:8]:
        before, after = (average_precision(one, column[0], weights) for one in (table, again))
        assert before == after
    assert map50_95(table, weights) == map50_95(again, weights)


def test_what_ranks_below_the_last_hit_is_dropped():
    table = match_detections(
        [[[0, 0, 4, 4], [9, 9, 12, 12], [20, 20, 23, 23]]], [[0.5, 0.9, 0.1]], [[[0, 0, 4, 4]]]
    )
    arrays = ranking_arrays(table)
    assert arrays["segment_false"].tolist() == [1]
    assert arrays["hit_levels"].tolist() == [1023]
    assert len(table_of_ranking(arrays, table.n_targets)) == 2


def test_no_detections():
    table = match_detections([[], []], [[], []], [[[0, 0, 4, 4]], []])
    again = table_of_ranking(ranking_arrays(table), table.n_targets)
    assert average_precision(again, 0.5).value == 0


def test_another_table_is_refused():
    table = match_detections([[]], [[]], [[]], np.linspace(0.1, 0.9, 63))
    with pytest.raises(UsageError, match="62 thresholds or fewer, got 63"):
        ranking_arrays(table)


@pytest.mark.parametrize(
    ("name", "value"),
    [("segment_false", [5]), ("segment_hits", [1, 1]), ("hit_levels", []), ("hit_images", [9])],
)
def test_arrays_that_contradict_each_other(name, value):
    table: MatchTable = match_detections([[[0, 0, 4, 4]]], [[0.5]], [[[0, 0, 4, 4]]])
    arrays = {**ranking_arrays(table), name: np.array(value, np.int64)}
    with pytest.raises(UsageError, match="ranking"):
        table_of_ranking(arrays, table.n_targets)
