"""The assigner against the rule of TOOD, one target and one anchor at a time."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.errors import UnknownNameError, UsageError
from irbench.methods.deep._anchors import anchor_points
from irbench.methods.deep._assignment import TaskAlignedAssigner

STRIDES = (8, 16, 32)
SIZES = [(8, 8), (4, 4), (2, 2)]
N_ANCHORS = 84


def slow_candidates(points, boxes, min_box_px=0.0):
    pairs = []
    for m, (x0, y0, x1, y1) in enumerate(boxes.tolist()):
        if x1 - x0 < min_box_px:
            x0, x1 = (x0 + x1 - min_box_px) / 2, (x0 + x1 + min_box_px) / 2
        if y1 - y0 < min_box_px:
            y0, y1 = (y0 + y1 - min_box_px) / 2, (y0 + y1 + min_box_px) / 2
        pairs.extend(
            (m, n) for n, (x, y) in enumerate(points.tolist()) if x0 < x < x1 and y0 < y < y1
        )
    return pairs


def slow_assign(assigner, pairs, scores, overlaps, images):
    """``{(image, anchor): (target, weight)}``."""
    u = {pair: max(value, 0.0) for pair, value in zip(pairs, overlaps.tolist(), strict=True)}
    t = {
        pair: s**assigner.alpha * u[pair] ** assigner.beta
        for pair, s in zip(pairs, scores.tolist(), strict=True)
    }
    claims = {}
    for m, image in enumerate(images.tolist()):
        mine = sorted((pair for pair in pairs if pair[0] == m), key=lambda p: (-t[p], p[1]))
        for pair in mine[: assigner.topk]:
            if t[pair] > 0:
                claims.setdefault((image, pair[1]), []).append(pair)
    winners = {cell: max(rivals, key=lambda p: (u[p], -p[0])) for cell, rivals in claims.items()}
    answer = {}
    for cell, pair in winners.items():
        mine = [p for p in winners.values() if p[0] == pair[0]]
        greatest_t, greatest_u = max(t[p] for p in mine), max(u[p] for p in mine)
        answer[cell] = (pair[0], t[pair] / (greatest_t + assigner.eps) * greatest_u)
    return answer


def scene(seed, n_targets, n_images=3, least=2.0, most=50.0, levels=0):
    """Random targets, scores and overlaps; with ``levels`` both take few values: ties."""
    rng = torch.Generator().manual_seed(seed)
    points, _ = anchor_points(SIZES, STRIDES, dtype=torch.float64)
    centres = torch.rand(n_targets, 2, generator=rng, dtype=torch.float64) * 64
    sides = least + torch.rand(n_targets, 2, generator=rng, dtype=torch.float64) * (most - least)
    boxes = torch.cat((centres - sides / 2, centres + sides / 2), 1)
    images = torch.randint(n_images, (n_targets,), generator=rng)
    dense = torch.rand(2, n_targets, N_ANCHORS, generator=rng, dtype=torch.float64)
    dense[1] = dense[1] * 1.2 - 0.2
    if levels:
        dense = (dense * levels).round() / levels
    return points, boxes, images, dense


def run(assigner, points, boxes, images, dense, n_images=3):
    candidates = assigner.candidates(points, boxes)
    scores, overlaps = (values[candidates.target, candidates.anchor] for values in dense)
    pair, weight = assigner.assign(candidates, scores, overlaps, images, n_images, len(points))
    targets, anchors = candidates.target[pair].tolist(), candidates.anchor[pair].tolist()
    cells = [(int(images[m]), n) for m, n in zip(targets, anchors, strict=True)]
    assert len(set(cells)) == len(cells)
    return dict(zip(cells, zip(targets, weight.tolist(), strict=True), strict=True))


def assert_same(ours, expected):
    assert {cell: m for cell, (m, _) in ours.items()} == {
        cell: m for cell, (m, _) in expected.items()
    }
    for cell, (_, weight) in expected.items():
        assert ours[cell][1] == pytest.approx(weight, rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    n_targets=st.integers(0, 12),
    topk=st.sampled_from([1, 3, 10]),
    levels=st.sampled_from([0, 2, 4]),
    min_box_px=st.sampled_from([0.0, 9.0, 20.0]),
    eps=st.sampled_from([0.0, 1e-9]),
)
def test_equals_the_rule_in_loops(seed, n_targets, topk, levels, min_box_px, eps):
    assigner = TaskAlignedAssigner(topk=topk, min_box_px=min_box_px, eps=eps)
    points, boxes, images, dense = scene(seed, n_targets, levels=levels)
    pairs = slow_candidates(points, boxes, min_box_px)
    found = assigner.candidates(points, boxes)
    assert list(zip(*(part.tolist() for part in found), strict=True)) == pairs
    scores, overlaps = (
        torch.stack([values[m, n] for m, n in pairs]) if pairs else torch.zeros(0)
        for values in dense
    )
    expected = slow_assign(assigner, pairs, scores, overlaps, images)
    assert_same(run(assigner, points, boxes, images, dense), expected)


def test_the_scenes_have_conflicts_and_full_targets():
    # Otherwise the test above would prove little.
    points, boxes, images, _ = scene(0, 12)
    assigner = TaskAlignedAssigner()
    candidates = assigner.candidates(points, boxes)
    cells = list(zip(images[candidates.target].tolist(), candidates.anchor.tolist(), strict=True))
    assert len(set(cells)) < len(cells)
    assert candidates.target.bincount(minlength=12).max() > assigner.topk


def hand(pairs, scores, overlaps, images=(0, 0), **options):
    assigner = TaskAlignedAssigner(**options)
    target, anchor = torch.tensor(pairs).T
    candidates = type(assigner.candidates(torch.zeros(1, 2), torch.zeros(1, 4)))(target, anchor)
    pair, weight = assigner.assign(
        candidates, torch.tensor(scores), torch.tensor(overlaps), torch.tensor(images), 2, 10
    )
    return [pairs[i] for i in pair.tolist()], weight.tolist()


def test_a_disputed_anchor_goes_to_the_greater_overlap_not_the_greater_alignment():
    pairs = [(0, 4), (0, 5), (1, 4)]
    kept, weights = hand(pairs, [1.0, 0.2, 0.001], [0.6, 0.3, 0.61])
    assert kept == [(0, 5), (1, 4)]
    # The loser's other positive is now its best, and aims at its own overlap.
    assert weights == pytest.approx([0.3, 0.61])


def test_a_tie_in_a_dispute_goes_to_the_first_target_and_one_in_a_rank_to_the_first_anchor():
    kept, _ = hand([(0, 4), (1, 4)], [0.5, 0.9], [0.5, 0.5])
    assert kept == [(0, 4)]
    kept, _ = hand([(0, 3), (0, 4), (0, 7)], [0.5] * 3, [0.5] * 3, images=(0,), topk=2)
    assert kept == [(0, 3), (0, 4)]


def test_the_same_anchor_of_two_images_is_no_dispute():
    kept, _ = hand([(0, 4), (1, 4)], [0.5, 0.9], [0.5, 0.6], images=(0, 1))
    assert kept == [(0, 4), (1, 4)]


def test_weights_by_hand():
    # t = sqrt(s) u^6: 0.8 · 0.5^6 and 0.4 · 0.25^6; the second is 1/2 · 1/64 of the first.
    kept, weights = hand([(0, 1), (0, 2)], [0.64, 0.16], [0.5, 0.25], images=(0,))
    assert kept == [(0, 1), (0, 2)]
    assert weights == pytest.approx([0.5, 0.5 / 128])


def test_candidates_without_overlap_are_no_positives():
    kept, weights = hand([(0, 1), (0, 2)], [0.9, 0.9], [-0.1, 0.0], images=(0,))
    assert kept == []
    assert weights == []


def test_an_overlap_of_a_thousandth_counts_unless_eps_wipes_it_out():
    tiny = ([(0, 1)], [8e-4], [1e-3], (0,))
    assert hand(*tiny)[1] == pytest.approx([1e-3], rel=1e-4)
    assert hand(*tiny, eps=1e-9)[1][0] < 1e-12


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_permuting_images_and_targets_permutes_the_answer(seed):
    assigner = TaskAlignedAssigner(topk=3)
    points, boxes, images, dense = scene(seed, 10)
    before = run(assigner, points, boxes, images, dense)
    rng = torch.Generator().manual_seed(seed)
    order, renamed = torch.randperm(10, generator=rng), torch.randperm(3, generator=rng)
    after = run(assigner, points, boxes[order], renamed[images[order]], dense[:, order])
    place = order.argsort()
    expected = {
        (int(renamed[image]), n): (int(place[m]), weight)
        for (image, n), (m, weight) in before.items()
    }
    assert_same(after, expected)


def test_the_centre_must_be_strictly_inside():
    points = torch.tensor([[4.0, 4.0]])
    boxes = torch.tensor(
        [[4.0, 0, 8, 8], [0, 0, 4, 8], [0, 4, 8, 8], [3.99, 3.99, 4.01, 4.01], [5, 5, 7, 7]]
    )
    assert TaskAlignedAssigner().candidates(points, boxes).target.tolist() == [3]


@settings(deadline=None, max_examples=60)
@given(x=st.integers(0, 61), y=st.integers(0, 61), w=st.integers(1, 5), h=st.integers(1, 5))
def test_above_the_finest_stride_no_target_inside_the_image_is_without_candidate(x, y, w, h):
    points, _ = anchor_points(SIZES, STRIDES)
    box = torch.tensor([[x, y, min(x + w, 64), min(y + h, 64)]], dtype=torch.float32)
    assert len(TaskAlignedAssigner(min_box_px=8.5).candidates(points, box).target) >= 1


def test_min_box_px_leaves_larger_sides_alone():
    points, _ = anchor_points(SIZES, STRIDES)
    box = torch.tensor([[9.1, 30.2, 12.1, 61.3]])
    grown = TaskAlignedAssigner(min_box_px=16).candidates(points, box)
    wide = torch.tensor([[2.6, 30.2, 18.6, 61.3]])
    torch.testing.assert_close(grown, TaskAlignedAssigner().candidates(points, wide))


def test_options_are_checked():
    with pytest.raises(UsageError, match="topk"):
        TaskAlignedAssigner(topk=0)
    with pytest.raises(UsageError, match="negative"):
        TaskAlignedAssigner(min_box_px=-1)
    with pytest.raises(UnknownNameError):
        TaskAlignedAssigner(similarity="giou")
