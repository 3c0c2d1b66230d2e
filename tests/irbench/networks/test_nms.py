"""Suppression against the greedy loop, in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.errors import UsageError
from irbench.networks.nms import non_maximum_suppression, suppress_greedily

THRESHOLD = Fraction(7, 10)

corner = st.integers(0, 12)
side = st.integers(1, 10)
a_box = st.builds(lambda x, y, w, h: (x, y, x + w, y + h), corner, corner, side, side)
# Few values, so that many are equal; 0 is no candidate.
a_score = st.sampled_from([0.0, 0.25, 0.5, 0.75])


def exact_iou(a, b):
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return Fraction(width * height, sum(areas) - width * height)


def greedy(boxes, scores, threshold=THRESHOLD, limit=300, confidence=0.001):
    """Indices of the kept; ``scores`` are ``(N, n_classes)``."""
    queue = [
        (score, index, label)
        for index, row in enumerate(scores)
        for label, score in enumerate(row)
        if score > confidence
    ]
    queue.sort(key=lambda item: -item[0])
    kept = []
    for score, index, label in queue:
        rivals = (boxes[other] for _, other, same in kept if same == label)
        if all(exact_iou(boxes[index], rival) <= threshold for rival in rivals):
            kept.append((score, index, label))
    return kept[:limit]


def assert_equals_greedy(boxes, scores, limit=300):
    found = non_maximum_suppression(
        torch.tensor(boxes, dtype=torch.float32).reshape(len(boxes), -1, 4),
        torch.tensor(scores, dtype=torch.float32),
        max_detections=limit,
    )
    for image, kept in enumerate(found):
        expected = greedy(boxes[image], scores[image], limit=limit)
        assert kept.scores.tolist() == [score for score, _, _ in expected]
        assert kept.classes.tolist() == [label for _, _, label in expected]
        assert kept.boxes.tolist() == [list(boxes[image][index]) for _, index, _ in expected]


@settings(deadline=None, max_examples=120)
@given(st.data(), st.integers(1, 3), st.integers(0, 14), st.integers(1, 2), st.integers(1, 6))
def test_equals_the_greedy_loop(data, n_images, n_boxes, n_classes, limit):
    rows = st.tuples(*[a_score] * n_classes)
    boxes = data.draw(
        st.lists(
            st.lists(a_box, min_size=n_boxes, max_size=n_boxes),
            min_size=n_images,
            max_size=n_images,
        )
    )
    scores = data.draw(
        st.lists(
            st.lists(rows, min_size=n_boxes, max_size=n_boxes), min_size=n_images, max_size=n_images
        )
    )
    if n_boxes == 0:
        found = non_maximum_suppression(
            torch.zeros(n_images, 0, 4), torch.zeros(n_images, 0, n_classes)
        )
        assert [len(kept.scores) for kept in found] == [0] * n_images
        return
    assert_equals_greedy(boxes, scores, limit)
    assert_equals_greedy(boxes, scores)


@pytest.mark.parametrize("limit", [20, 300])
def test_many_boxes_over_several_blocks(limit):
    rng = np.random.default_rng(0)
    low = rng.integers(0, 40, (2, 700, 2))
    boxes = np.concatenate((low, low + rng.integers(4, 14, (2, 700, 2))), 2)
    scores = rng.integers(0, 50, (2, 700, 1)) / 64
    scores[1, 300:] = 0
    # An image of which less than a block is left beside one that needs three.
    assert_equals_greedy(boxes.tolist(), scores.tolist(), limit)


@pytest.mark.parametrize("block", [1, 2, 7, 64])
def test_the_block_changes_nothing(block):
    rng = torch.Generator().manual_seed(0)
    suppressing = torch.rand(3, 60, 60, generator=rng) < 0.1
    valid = torch.rand(3, 60, generator=rng) < 0.9
    # One that would suppress everything, did it take part.
    valid[1, 0] = False
    suppressing[1, 0] = True

    def suppresses(rows, columns):
        image = torch.arange(3)[:, None, None]
        return suppressing[image, rows[:, :, None], columns[:, None]]

    expected = torch.zeros_like(valid)
    for image in range(3):
        for column in range(60):
            before = suppressing[image, :column, column] & expected[image, :column]
            room = expected[image].sum() < 9
            expected[image, column] = valid[image, column] and room and not before.any()
    assert torch.equal(suppress_greedily(valid, suppresses, 9, block), expected)


def test_a_chain_in_which_every_box_depends_on_the_one_before():
    boxes = [[(x, 0, x + 10, 10) for x in range(60)]]
    scores = [[(1 - x / 100,) for x in range(60)]]
    found = non_maximum_suppression(
        torch.tensor(boxes, dtype=torch.float64), torch.tensor(scores, dtype=torch.float64)
    )[0]
    # IoU 9/11 at distance 1, 8/12 at 2: every second box is left.
    assert found.boxes[:, 0].tolist() == list(range(0, 60, 2))


def test_duplicates_leave_the_first():
    boxes = torch.tensor([[[0.0, 0, 4, 4]] * 5])
    found = non_maximum_suppression(boxes, torch.full((1, 5, 1), 0.5))[0]
    assert found.boxes.tolist() == [[0, 0, 4, 4]]


def test_an_iou_equal_to_the_threshold_does_not_suppress():
    boxes = torch.tensor([[[0.0, 0, 10, 10], [0, 0, 7, 10]]])
    scores = torch.tensor([[[0.9], [0.8]]])
    assert len(non_maximum_suppression(boxes, scores)[0].scores) == 2
    assert len(non_maximum_suppression(boxes, scores, iou_threshold=0.69)[0].scores) == 1


def test_at_most_300_of_all_that_stand_apart():
    x = torch.arange(400.0)[:, None] * 5
    boxes = torch.cat((x, x * 0, x + 4, x * 0 + 4), 1)[None]
    scores = torch.linspace(0.1, 0.9, 400)[None, :, None]
    found = non_maximum_suppression(boxes, scores)[0]
    assert len(found.scores) == 300
    assert torch.equal(found.scores, scores[0].flip(0)[:300, 0])


def test_the_confidence_is_exceeded_not_reached():
    boxes = torch.tensor([[[0.0, 0, 4, 4], [9, 9, 13, 13]]])
    scores = torch.tensor([[[0.5], [0.25]]])
    assert len(non_maximum_suppression(boxes, scores, confidence=0.25)[0].scores) == 1


def test_one_image_is_the_same_alone_and_in_a_batch():
    rng = torch.Generator().manual_seed(0)
    low = torch.rand(5, 500, 2, generator=rng) * 60
    boxes = torch.cat((low, low + 3 + torch.rand(5, 500, 2, generator=rng) * 6), 2)
    scores = torch.rand(5, 500, 1, generator=rng) ** 8
    for image, kept in enumerate(non_maximum_suppression(boxes, scores)):
        alone = non_maximum_suppression(boxes[image : image + 1], scores[image : image + 1])[0]
        assert all(torch.equal(a, b) for a, b in zip(kept, alone, strict=True))


def test_no_images():
    assert non_maximum_suppression(torch.zeros(0, 7, 4), torch.zeros(0, 7, 1)) == []


def test_arguments_that_do_not_fit_are_refused():
    with pytest.raises(UsageError, match=r"scores \(B, N, n_classes\)"):
        non_maximum_suppression(torch.zeros(1, 7, 4), torch.zeros(1, 7))
    with pytest.raises(UsageError, match="confidence"):
        non_maximum_suppression(torch.zeros(1, 7, 4), torch.zeros(1, 7, 1), confidence=-0.1)
