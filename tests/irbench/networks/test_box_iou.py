"""Similarities of boxes against their formulas, written out for one pair at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.detections.boxes import iou_pairs
from irbench.errors import UnknownNameError
from irbench.networks.box_iou import (
    box_iou,
    check_similarity,
    complete_iou,
    intersection_over,
    normalized_wasserstein,
    similarity,
)

coordinate = st.integers(0, 40)
side = st.integers(1, 30)
a_box = st.builds(lambda x, y, w, h: (x, y, x + w, y + h), coordinate, coordinate, side, side)


def slow_iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = width * height if width > 0 and height > 0 else 0.0
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def slow_ciou(p, t, alpha=None):
    """Eq. (14) to (16); alpha as given, else by Eq. (15)."""
    iou = slow_iou(p, t)
    dx, dy = (p[0] + p[2] - t[0] - t[2]) / 2, (p[1] + p[3] - t[1] - t[3]) / 2
    cw, ch = max(p[2], t[2]) - min(p[0], t[0]), max(p[3], t[3]) - min(p[1], t[1])
    angle = math.atan((t[2] - t[0]) / (t[3] - t[1])) - math.atan((p[2] - p[0]) / (p[3] - p[1]))
    v = 4 * angle**2 / math.pi**2
    if alpha is None:
        alpha = v / ((1 - iou) + v) if v else 0.0
    return iou - (dx**2 + dy**2) / (cw**2 + ch**2) - alpha * v, alpha


def slow_nwd(a, b, constant):
    def gaussian(box):
        x0, y0, x1, y1 = box
        return (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2

    return math.exp(-math.dist(gaussian(a), gaussian(b)) / constant)


def random_boxes(seed, n, spread=30.0):
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, spread, (n, 2))
    return torch.from_numpy(np.hstack((low, low + rng.uniform(0.5, 20, (n, 2)))))


def tensor(*boxes):
    return torch.tensor(boxes, dtype=torch.float64)


def test_iou_equals_the_evaluators():
    a, b = random_boxes(0, 40), random_boxes(1, 30)
    expected = iou_pairs(a.numpy()[:, None], b.numpy())
    np.testing.assert_allclose(box_iou(a[:, None], b), expected, rtol=1e-14)
    assert (expected == 0).any()
    assert (expected > 0.5).any()


@settings(deadline=None, max_examples=100)
@given(a_box, a_box)
def test_every_similarity_equals_its_formula(a, b):
    p, t = tensor(a)[0], tensor(b)[0]
    ciou, nwd = slow_ciou(a, b)[0], slow_nwd(a, b, 9.0)
    assert similarity("iou", p, t).item() == pytest.approx(slow_iou(a, b), abs=1e-12)
    assert similarity("ciou", p, t).item() == pytest.approx(ciou, abs=1e-6)
    assert similarity("nwd", p, t, 9.0).item() == pytest.approx(nwd, abs=1e-7)
    assert similarity("mixed", p, t, 9.0).item() == pytest.approx((ciou + nwd) / 2, abs=1e-6)


@settings(deadline=None, max_examples=50)
@given(a_box, a_box)
def test_symmetric_bounded_and_greatest_for_equal_boxes(a, b):
    p, t = tensor(a)[0], tensor(b)[0]
    for kind, least in (("iou", 0.0), ("ciou", -2.0), ("nwd", 0.0)):
        one, other = similarity(kind, p, t), similarity(kind, t, p)
        torch.testing.assert_close(one, other)
        assert least <= one.item() <= 1
        assert (one.item() > 1 - 1e-6) == (a == b)


def test_complete_iou_of_known_pairs():
    box = tensor((0, 0, 10, 10))
    # Same size, side by side: no overlap, d = 10, c² = 20² + 10².
    beside = complete_iou(tensor((10, 0, 20, 10)), box)
    assert beside.item() == pytest.approx(-100 / 500)
    # Same centre and shape: IoU alone.
    inner = complete_iou(tensor((2.5, 2.5, 7.5, 7.5)), box)
    assert inner.item() == pytest.approx(0.25)
    # Same centre, half as wide: IoU 1/2, v = 4/π² (π/4 - arctan 1/2)².
    v = 4 / math.pi**2 * (math.pi / 4 - math.atan(0.5)) ** 2
    thin = complete_iou(tensor((2.5, 0, 7.5, 10)), box)
    assert thin.item() == pytest.approx(0.5 - v * v / (0.5 + v))


def test_complete_iou_is_free_of_scale_and_place_and_nwd_is_not_of_scale():
    p, t = random_boxes(2, 30), random_boxes(3, 30)
    torch.testing.assert_close(complete_iou(p * 37 + 5, t * 37 + 5), complete_iou(p, t))
    nwd = normalized_wasserstein(p, t)
    torch.testing.assert_close(normalized_wasserstein(p + 5, t + 5), nwd)
    torch.testing.assert_close(normalized_wasserstein(p * 3, t * 3), nwd**3)
    torch.testing.assert_close(normalized_wasserstein(p * 3, t * 3, 3 * 12.8), nwd)


def test_nwd_tells_tiny_boxes_apart_that_do_not_overlap():
    target = tensor((10, 10, 13, 13))
    moved = torch.stack([target[0] + step for step in (0, 1, 3, 6, 12)])
    values = normalized_wasserstein(moved, target)
    assert (values.diff() < 0).all()
    assert box_iou(moved, target)[2:].tolist() == [0, 0, 0]


@pytest.mark.parametrize("kind", ["iou", "nwd"])
def test_gradients_of_iou_and_nwd(kind):
    p, t = random_boxes(4, 12, 8.0).requires_grad_(), random_boxes(5, 12, 8.0).requires_grad_()
    assert torch.autograd.gradcheck(lambda p, t: similarity(kind, p, t), (p, t))


def test_gradient_of_complete_iou_is_that_with_alpha_held_fast():
    predicted, target = random_boxes(6, 40, 8.0), random_boxes(7, 40, 8.0)
    predicted.requires_grad_()
    complete_iou(predicted, target).sum().backward()
    step = 1e-6
    for index in range(len(predicted)):
        p, t = predicted[index].tolist(), target[index].tolist()
        alpha = slow_ciou(p, t)[1]
        for corner in range(4):
            moved = [[*p], [*p]]
            moved[0][corner] -= step
            moved[1][corner] += step
            low, high = (slow_ciou(box, t, alpha)[0] for box in moved)
            assert predicted.grad[index, corner].item() == pytest.approx(
                (high - low) / (2 * step), rel=1e-4, abs=1e-6
            )


@pytest.mark.parametrize("kind", ["iou", "ciou", "nwd", "mixed"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_boxes_without_area_and_equal_boxes_are_finite_with_their_gradients(kind, dtype):
    odd = torch.tensor(
        [[5, 5, 5, 5], [5, 5, 9, 5], [5, 5, 5, 9], [5, 5, 9, 9], [0, 0, 640, 640]], dtype=dtype
    )
    p = odd.repeat(5, 1).requires_grad_()
    t = odd.repeat_interleave(5, 0).requires_grad_()
    values = similarity(kind, p, t)
    values.sum().backward()
    for result in (values, p.grad, t.grad):
        assert result.isfinite().all()
        assert result.dtype == dtype


def test_the_share_that_is_covered():
    a, b = tensor((0, 0, 10, 10)), tensor((8, 8, 12, 12))
    iou, covered = intersection_over(a, b)
    assert iou.item() == pytest.approx(4 / 112)
    assert covered.item() == pytest.approx(4 / 16)


def test_an_unknown_similarity_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean ciou"):
        check_similarity("ciuo")
