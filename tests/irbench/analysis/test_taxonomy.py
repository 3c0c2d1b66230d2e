from __future__ import annotations

import numpy as np
import pytest

from irbench.analysis.analysed_method import AnalysedMethod
from irbench.analysis.objects import target_objects
from irbench.analysis.taxonomy import (
    DETECTION_KINDS,
    TARGET_KINDS,
    classify_errors,
)
from irbench.metrics.matching import match_detections
from irbench.protocol import TABLE1
from irbench.scoring.scored_output import score


def kinds(objects_of, targets, detections):
    """Kinds by the rules, after the ordinary matching."""
    truth, kept = objects_of(targets, detections)
    table = match_detections([kept.boxes], [kept.scores], [truth.boxes], [0.5])
    hit_by = np.full(len(truth), -1)
    rows = np.flatnonzero(table.target_index[:, 0] >= 0)
    hit_by[table.target_index[rows, 0]] = rows
    errors = classify_errors(kept, truth, hit_by)
    assert sum(errors.target_counts.values()) == len(targets)
    assert sum(errors.detection_counts.values()) == len(detections)
    return (
        [TARGET_KINDS[kind] for kind in errors.targets],
        [DETECTION_KINDS[kind] for kind in errors.detections],
    )


T = (20, 20, 30, 30)
FAR = (70, 70, 76, 76)


@pytest.mark.parametrize(
    ("targets", "detections", "expected"),
    [
        pytest.param([T], [T], (["hit"], ["hit"]), id="hit"),
        pytest.param([T], [], (["missed"], []), id="missed"),
        pytest.param([], [FAR], ([], ["clutter"]), id="clutter"),
        pytest.param([T], [FAR], (["missed"], ["clutter"]), id="missed and clutter"),
        # IoU 0.25 with the same centre: near.
        pytest.param([T], [(22, 22, 27, 27)], (["shifted"], ["shifted"]), id="too small"),
        # IoU 1/3, centres 5 px apart.
        pytest.param([T], [(25, 20, 35, 30)], (["shifted"], ["shifted"]), id="aside"),
        # IoU 1/19, centres 9 px apart.
        pytest.param([T], [(29, 20, 39, 30)], (["missed"], ["clutter"]), id="hardly touching"),
        pytest.param([T], [T, (21, 21, 31, 31)], (["hit"], ["hit", "duplicate"]), id="duplicate"),
        pytest.param(
            [T, (34, 20, 44, 30)],
            [(18, 18, 46, 32)],
            (["merged", "merged"], ["merged"]),
            id="merged",
        ),
        pytest.param(
            # The small one lies in the box that hits the large one.
            [(20, 20, 40, 40), (41, 20, 43, 22)],
            [(20, 20, 43, 40)],
            (["hit", "merged"], ["hit"]),
            id="merged into a hit",
        ),
        pytest.param(
            [(20, 20, 40, 40)],
            [(20, 20, 25, 25), (35, 35, 40, 40)],
            (["split"], ["split", "split"]),
            id="split",
        ),
        pytest.param(
            [(20, 20, 40, 40)],
            [(20, 20, 25, 25), (35, 35, 40, 40), (36, 20, 46, 40)],
            (["split"], ["split", "split", "duplicate"]),
            id="split, and one beside",
        ),
        pytest.param(
            [(20, 20, 40, 40)],
            [(20, 20, 40, 40), (22, 22, 26, 26), (34, 34, 38, 38)],
            (["hit"], ["hit", "duplicate", "duplicate"]),
            id="parts of a hit are duplicates",
        ),
        pytest.param(
            # A part far from the centre, IoU 0.04.
            [(20, 20, 40, 40)],
            [(20, 20, 24, 24)],
            (["shifted"], ["shifted"]),
            id="one part only",
        ),
    ],
)
def test_each_kind(objects_of, targets, detections, expected):
    assert kinds(objects_of, targets, detections) == expected


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("boxes_only", [False, True])
def test_counts_add_up_to_those_of_recall_and_precision(make_scenes, seed, boxes_only):
    truths, found = make_scenes(seed, boxes_only=boxes_only, n_clutter=25, spread=4)
    targets = target_objects(truths)
    method = AnalysedMethod.of(score(found, truths, TABLE1, threshold=0.4), targets)
    errors = method.errors
    of_targets, of_detections = errors.target_counts, errors.detection_counts
    n_kept = sum(int((one.scores >= 0.4).sum()) for one in found.values())
    assert sum(of_targets.values()) == len(targets)
    assert sum(of_detections.values()) == n_kept
    assert of_targets["hit"] == of_detections["hit"] == int((method.kept_hit_by >= 0).sum())
    # What is said of a target, some detection did.
    assert (of_targets["shifted"] == 0) <= (of_detections["shifted"] == 0)
    assert (of_targets["split"] == 0) == (of_detections["split"] == 0)
    if not of_targets["merged"]:
        assert not of_detections["merged"]


def test_the_order_of_the_lists_decides_nothing(make_scenes):
    truths, found = make_scenes(seed=2, n_clutter=25)
    targets = target_objects(truths)
    rng = np.random.default_rng(0)
    shuffled = {name: one.take(rng.permutation(len(one))) for name, one in found.items()}
    counts = [
        AnalysedMethod.of(score(given, truths, threshold=0.3), targets).errors.detection_counts
        for given in (found, shuffled)
    ]
    assert counts[0] == counts[1]
