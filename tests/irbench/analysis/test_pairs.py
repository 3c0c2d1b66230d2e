from __future__ import annotations

import numpy as np
import pytest

from irbench.analysis.objects import (
    detection_boxes,
    detection_objects,
    target_objects,
)
from irbench.analysis.pairs import match_by_distance, pairs_within_images, take_greedily
from irbench.metrics.components import components_of
from irbench.metrics.point_matching import match_in_raster_order
from irbench.protocol import TABLE1
from irbench.scoring.counted_output import match_images


def test_pairs_are_all_pairs_of_an_image(make_scenes):
    truths, found = make_scenes()
    targets = target_objects(truths)
    detections = detection_objects([found[truth.id] for truth in truths], truths)
    expected = [
        (d, t)
        for d, image in enumerate(detections.image)
        for t, other in enumerate(targets.image)
        if image == other
    ]
    pairs = pairs_within_images(detections, targets)
    assert list(zip(*(part.tolist() for part in pairs), strict=True)) == expected


@pytest.mark.parametrize("seed", range(5))
def test_greedy_is_what_a_loop_does(seed):
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 4, 80)
    left, right = group * 10 + rng.integers(0, 6, 80), group * 10 + rng.integers(0, 6, 80)
    used_left, used_right, expected = set(), set(), []
    for one, other in zip(left, right, strict=True):
        takes = one not in used_left and other not in used_right
        expected.append(takes)
        if takes:
            used_left.add(one)
            used_right.add(other)
    assert take_greedily(group, left, right).tolist() == expected


def test_nothing_to_take():
    none = np.zeros(0, np.int64)
    assert len(take_greedily(none, none, none)) == 0


@pytest.mark.parametrize("boxes_only", [False, True])
def test_matching_by_distance_is_that_of_pd(make_scenes, boxes_only):
    truths, found = make_scenes(seed=3, n_clutter=30, boxes_only=boxes_only)
    images = [found[truth.id] for truth in truths]
    targets = target_objects(truths)
    distances = np.array([0.5, 3.0, 10.0])
    matched = match_by_distance(detection_objects(images, truths), targets, distances)
    for row, distance in zip(matched, distances, strict=True):
        expected = [
            match_in_raster_order(
                components_of(one.boxes, one.regions, truth),
                components_of(truth.boxes, truth.targets, truth),
                distance,
            )
            >= 0
            for one, truth in zip(images, truths, strict=True)
        ]
        assert (row >= 0).tolist() == np.concatenate(expected).tolist()


def test_boxes_stand_in_the_order_of_the_match_table(make_scenes):
    truths, found = make_scenes(seed=5)
    images = [found[truth.id] for truth in truths]
    table = match_images(images, truths, TABLE1)
    plain, full = detection_boxes(images), detection_objects(images, truths)
    np.testing.assert_array_equal(plain.scores, table.scores)
    np.testing.assert_array_equal(plain.image, table.image_index)
    np.testing.assert_array_equal(plain.boxes, full.boxes)
