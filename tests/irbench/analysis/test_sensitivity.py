from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irbench.analysis.jitter import (
    Jitter,
    draw_jitters,
    jittered_boxes,
    shifted_masks,
    whole_shifts,
)
from irbench.analysis.objects import detection_boxes, detection_objects, target_objects
from irbench.analysis.sensitivity import (
    box_spreads,
    jittered_hits,
    jittered_masks,
    pixel_spreads,
    point_spreads,
)
from irbench.analysis.strata import Strata, StratumScores, strata_of
from irbench.detections.regions import Regions
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions
from irbench.metrics.breakdown import AREA_BINS
from irbench.metrics.matching import match_detections
from irbench.protocol import TABLE1
from irbench.scoring.evaluation import evaluate

SIDES = st.floats(-3, 3)


def one_jitter(kind, n_targets, **options):
    (found,) = (one for one in draw_jitters(n_targets, **options) if one.kind == kind)
    return found


def moved(truths, displacement):
    """The same images with moved boxes, one by one."""
    first, answer = 0, []
    for truth in truths:
        n = len(truth.boxes)
        boxes = truth.boxes + displacement[first : first + n]
        answer.append(GroundTruth(truth.id, truth.shape, boxes.astype(np.float32), None))
        first += n
    return answer


@pytest.mark.parametrize("kind", ["shift", "sides"])
def test_hits_and_scores_are_those_of_matching_again(make_scenes, kind):
    truths, found = make_scenes(seed=1, n_clutter=20, spread=1)
    images = [found[truth.id] for truth in truths]
    targets, detections = target_objects(truths), detection_boxes(images)
    jitter = one_jitter(kind, len(targets), amplitudes_px=[1.5], n_repeats=6)
    boxes = jittered_boxes(targets.boxes, jitter.displacement)
    matched = jittered_hits(detections, targets, boxes, 0.5)
    values = {
        one.score: one.values
        for one in box_spreads(
            detections, targets, jitter, strata_of("area", targets.areas, AREA_BINS), 0.5
        )
        if one.level == "all"
    }
    for repeat in range(6):
        parts = np.split(boxes[repeat], np.cumsum(targets.counts)[:-1])
        table = match_detections(
            [one.boxes for one in images], [one.scores for one in images], parts, [0.5]
        )
        assert (
            sorted(matched[repeat][matched[repeat] >= 0])
            == np.flatnonzero(table.hit[:, 0]).tolist()
        )
        again = [
            GroundTruth(truth.id, truth.shape, part, None)
            for truth, part in zip(truths, parts, strict=True)
        ]
        result = evaluate(found, again, TABLE1, threshold=0.5)
        assert values["map50"][repeat] == pytest.approx(result["map50"], abs=1e-12)
        assert values["f1"][repeat] == pytest.approx(result["f1"], abs=1e-12)


def test_pd_is_that_of_moved_targets(make_scenes):
    truths, found = make_scenes(seed=4, n_clutter=20, boxes_only=True)
    truths = [GroundTruth(one.id, one.shape, one.boxes, None) for one in truths]
    targets = target_objects(truths)
    kept = detection_objects([found[truth.id] for truth in truths], truths)
    jitter = one_jitter("sides", len(targets), amplitudes_px=[2.0], n_repeats=5)
    everything = Strata("area", ("any",), np.zeros(len(targets), np.int64))
    spread = point_spreads(kept, targets, jitter, everything, 3.0)[0]
    for repeat in range(5):
        shift = np.tile(jitter.centroid_shift[repeat], 2)
        result = evaluate(found, moved(truths, shift), TABLE1, threshold=0.0)
        assert spread.values[repeat] == pytest.approx(result["pd"], abs=0.02)


def test_pixel_scores_are_those_of_moved_masks(make_scenes):
    truths, found = make_scenes(seed=6)
    targets = target_objects(truths)
    jitter = one_jitter("shift", len(targets), amplitudes_px=[2.0], n_repeats=4)
    masks = jittered_masks(truths, jitter)
    images = [found[truth.id] for truth in truths]
    values = {one.score: one.values for one in pixel_spreads(images, truths, masks)}
    shifts = whole_shifts(jitter)
    for repeat in range(4):
        again, first = [], 0
        for truth in truths:
            mask = np.zeros(truth.shape, bool)
            for index in range(len(truth.targets)):
                rows, columns = np.nonzero(truth.targets.take([index]).to_mask())
                dx, dy = shifts[repeat, first + index]
                mask[rows + dy, columns + dx] = True
            first += len(truth.targets)
            regions = mask_regions(mask)
            again.append(GroundTruth(truth.id, truth.shape, regions.boxes, regions))
        result = evaluate(found, again, TABLE1, threshold=0.0)
        assert values["iou"][repeat] == pytest.approx(result["iou"], abs=1e-12)
        assert values["niou"][repeat] == pytest.approx(result["niou"], abs=1e-12)


def test_a_mask_that_leaves_the_image_is_cut():
    mask = np.zeros((5, 7), bool)
    mask[0:2, 0:3] = True
    regions = mask_regions(mask)
    truths = [GroundTruth("a", mask.shape, regions.boxes, regions)]
    sets = shifted_masks(truths, np.array([[[-1, -1]], [[0, 0]], [[-9, 0]]]))
    assert np.bincount(sets.slot, minlength=3).tolist() == [2, 6, 0]
    assert sets.pixels[sets.slot == 0].tolist() == [0, 1]


def test_pixels_of_targets_that_come_to_overlap_count_once():
    regions = Regions(np.array([[0, 2], [3, 2]], np.int32), np.array([0, 1, 2]), (1, 7))
    truths = [GroundTruth("a", (1, 7), regions.boxes, regions)]
    sets = shifted_masks(truths, np.array([[[2, 0], [0, 0]]]))
    assert sets.pixels.tolist() == [2, 3, 4]


def test_diagonal_shift_of_an_exact_box_has_the_closed_form(objects_of):
    """Fig. 2 of LE-IRSTD: a w x h box that is d px off has IoU (w-d)(h-d) / (2wh - (w-d)(h-d))."""
    for side, shift, hit in ((3, 0.5, True), (3, 1.0, False), (10, 1.0, True), (10, 2.0, False)):
        box = (20, 20, 20 + side, 20 + side)
        targets, detections = objects_of([box], [box])
        shared = (side - shift) ** 2
        assert (shared / (2 * side**2 - shared) >= 0.5) == hit
        boxes = jittered_boxes(targets.boxes, np.full((1, 1, 4), shift))
        assert (jittered_hits(detections, targets, boxes, 0.5)[0, 0] >= 0) == hit


@given(st.lists(SIDES, min_size=4, max_size=4))
def test_jittered_boxes_stay_boxes(displacement):
    box = np.array([[10.0, 10, 11, 14]])
    x0, y0, x1, y1 = jittered_boxes(box, np.array([displacement]))[0]
    assert x1 - x0 >= 1 - 1e-9
    assert y1 - y0 >= 1 - 1e-9
    assert (x0 + x1) / 2 == pytest.approx(10.5 + (displacement[0] + displacement[2]) / 2)


def test_draws_are_seeded_scaled_and_bounded():
    one, other = draw_jitters(50, seed=3), draw_jitters(50, seed=3)
    assert len(one) == 6
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.displacement, b.displacement)
        assert 0.9 * a.amplitude_px < np.abs(a.displacement).max() <= a.amplitude_px
    np.testing.assert_allclose(one[0].displacement * 4, one[2].displacement)
    np.testing.assert_array_equal(one[1].displacement[..., 0], one[1].displacement[..., 2])
    assert np.abs(one[0].displacement - draw_jitters(50, seed=4)[0].displacement).max() > 0.1


def test_whole_shifts_keep_the_mean_shift():
    rng = np.random.default_rng(0)
    displacement = np.full((1, 20000, 4), 0.3)
    jitter = Jitter("shift", 0.3, displacement, rng.random((1, 20000, 2)))
    shifts = whole_shifts(jitter)
    assert set(np.unique(shifts)) == {0, 1}
    assert shifts.mean() == pytest.approx(0.3, abs=0.01)


def test_boxes_have_no_masks_to_move(make_scenes):
    truths, _ = make_scenes(seed=6)
    boxes = [GroundTruth(one.id, one.shape, one.boxes, None) for one in truths]
    shift, sides = draw_jitters(len(target_objects(truths)), amplitudes_px=[1.0], n_repeats=1)
    assert jittered_masks(boxes, shift) is None
    assert jittered_masks(truths, sides) is None
    assert jittered_masks(truths, shift) is not None


class TestStratumScores:
    def test_of_all_targets_it_is_the_ordinary_score(self, make_scenes):
        truths, found = make_scenes(seed=8, n_clutter=20)
        images = [found[truth.id] for truth in truths]
        table = match_detections(
            [o.boxes for o in images], [o.scores for o in images], [t.boxes for t in truths]
        )
        hits = np.flatnonzero(table.hit[:, 0])
        n_targets = int(table.n_targets.sum())
        scorer = StratumScores(table.scores, n_targets, 0.5)
        everything = np.ones(len(hits), bool)
        result = evaluate(found, truths, TABLE1, threshold=0.5)
        assert scorer.average_precision(hits, everything, n_targets) == result["map50"]
        assert scorer.f1(hits, everything, n_targets) == pytest.approx(result["f1"])

    def test_a_part_found_as_well_as_the_rest_scores_the_same(self):
        # Two hits of different parts at each score, then a false alarm.
        scores = np.array([3.0, 3.0, 2.0, 2.0, 2.0, 1.0])
        hits = np.array([0, 1, 2, 3])
        scorer = StratumScores(scores, 6, 2.0)
        part = np.array([True, False, True, False])
        whole = scorer.average_precision(hits, np.ones(4, bool), 6)
        assert scorer.average_precision(hits, part, 3) == pytest.approx(whole)
        assert scorer.f1(hits, part, 3) == pytest.approx(scorer.f1(hits, np.ones(4, bool), 6))

    def test_hits_on_others_do_not_count_as_false(self):
        scorer = StratumScores(np.array([2.0, 1.0]), 2, 0.0)
        assert scorer.average_precision(np.array([0, 1]), np.array([False, True]), 1) == 1.0

    def test_an_empty_part_has_no_score(self):
        scorer = StratumScores(np.array([1.0]), 1, 0.5)
        assert scorer.average_precision(np.array([0]), np.array([False]), 0) is None
        assert scorer.f1(np.array([0]), np.array([False]), 0) is None
