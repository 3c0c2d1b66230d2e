"""The loss against its definition in loops, its promises, and whether it teaches."""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from irbench.errors import UnknownNameError, UsageError
from irbench.methods.deep._anchors import anchor_points, decode, distances_from_boxes
from irbench.methods.deep._assignment import TaskAlignedAssigner
from irbench.methods.deep._loss import DetectionLoss
from irbench.metrics.average_precision import average_precision
from irbench.metrics.matching import match_detections
from irbench.networks.box_iou import similarity
from irbench.networks.nms import non_maximum_suppression

STRIDES = (8, 16, 32)
SIDE = 64
SIZES = [(SIDE // s, SIDE // s) for s in STRIDES]
N_ANCHORS = 84


class LossTerms(NamedTuple):
    box: torch.Tensor
    cls: torch.Tensor
    dfl: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """Eq. (18) of LE-IRSTD."""
        return self.box + self.cls + self.dfl


class MeanLoss(DetectionLoss):
    """The terms over the sum of the weights, as the training step divides them."""

    def __call__(self, maps, targets) -> LossTerms:
        terms, weight = self.sums(maps, targets)
        return LossTerms(**{name: term / weight.clamp_min(1) for name, term in terms.items()})


def random_maps(seed=0, n_images=3, n_classes=1, dtype=torch.float64, scale=1.0):
    rng = torch.Generator().manual_seed(seed)
    return [
        (
            torch.randn(n_images, 64 + n_classes, h, w, generator=rng, dtype=dtype) * scale
        ).requires_grad_()
        for h, w in SIZES
    ]


def random_targets(seed=0, n=8, n_images=3, n_classes=1, dtype=torch.float64, least=3, most=45):
    rng = torch.Generator().manual_seed(seed + 100)
    centres = torch.rand(n, 2, generator=rng, dtype=dtype) * SIDE
    sides = least + torch.rand(n, 2, generator=rng, dtype=dtype) * (most - least)
    images = torch.randint(n_images, (n, 1), generator=rng).to(dtype)
    labels = torch.randint(n_classes, (n, 1), generator=rng).to(dtype)
    return torch.cat((images, labels, centres - sides / 2, centres + sides / 2), 1)


def slow_terms(maps, targets, *, n_classes=1, box_loss="ciou"):
    """The three terms, anchor by anchor; decoding and similarities have tests of their own."""
    boxes, scores = decode(maps, STRIDES)
    points, cell_px = anchor_points(SIZES, STRIDES, dtype=boxes.dtype)
    flat = torch.cat([level.flatten(2) for level in maps], 2)
    claims = {}
    for m, (image, label, *corners) in enumerate(targets.tolist()):
        for_this = []
        for n, (x, y) in enumerate(points.tolist()):
            if corners[0] < x < corners[2] and corners[1] < y < corners[3]:
                u = similarity("ciou", boxes[int(image), n], targets[m, 2:]).clamp_min(0).item()
                s = scores[int(image), n, int(label)].item()
                for_this.append((s**0.5 * u**6, n, u, m))
        for_this.sort(key=lambda row: (-row[0], row[1]))
        for row in for_this[:10]:
            if row[0] > 0:
                claims.setdefault((int(image), row[1]), []).append(row)
    winners = {cell: max(rows, key=lambda r: (r[2], -r[3])) for cell, rows in claims.items()}
    aims = torch.zeros(len(flat), N_ANCHORS, n_classes, dtype=boxes.dtype)
    box_sum = dfl_sum = torch.zeros((), dtype=boxes.dtype)
    weight_sum = 0.0
    for (image, n), (t, _, _, m) in winners.items():
        mine = [row for row in winners.values() if row[3] == m]
        weight = t / max(row[0] for row in mine) * max(row[2] for row in mine)
        aims[image, n, int(targets[m, 1])] = weight
        weight_sum += weight
        box_sum = box_sum + weight * (1 - similarity(box_loss, boxes[image, n], targets[m, 2:]))
        sides = distances_from_boxes(points[n], targets[m, 2:]) / cell_px[n]
        for side in range(4):
            d = min(max(sides[side].item(), 0), 14.99)
            log_p = flat[image, 16 * side : 16 * side + 16, n].log_softmax(0)
            k = int(d)
            dfl_sum = dfl_sum - weight / 4 * ((k + 1 - d) * log_p[k] + (d - k) * log_p[k + 1])
    p = flat[:, 64:].transpose(1, 2).sigmoid()
    bce = -(aims * p.log() + (1 - aims) * (1 - p).log()).sum()
    w = max(weight_sum, 1)
    return 7.5 * box_sum / w, 0.5 * bce / w, 1.5 * dfl_sum / w


def values(terms):
    return [term.item() for term in terms]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("n_classes", "box_loss"), [(1, "ciou"), (3, "ciou"), (1, "nwd"), (2, "mixed")]
)
def test_equals_its_definition(seed, n_classes, box_loss):
    maps = random_maps(seed, n_classes=n_classes, scale=1.5)
    targets = random_targets(seed, n_classes=n_classes)
    terms = MeanLoss(n_classes=n_classes, box_loss=box_loss)(maps, targets)
    expected = values(slow_terms(maps, targets, n_classes=n_classes, box_loss=box_loss))
    assert values(terms) == pytest.approx(expected, rel=1e-6)
    assert terms.total.item() == pytest.approx(sum(expected), rel=1e-6)
    assert expected[0] > 0


def test_gains_scale_their_terms():
    maps, targets = random_maps(), random_targets()
    plain = MeanLoss(box_gain=1, cls_gain=1, dfl_gain=1)(maps, targets)
    scaled = MeanLoss(box_gain=2, cls_gain=3, dfl_gain=5)(maps, targets)
    box, cls, dfl = values(plain)
    assert values(scaled) == pytest.approx([2 * box, 3 * cls, 5 * dfl])


@pytest.mark.parametrize("box_loss", ["ciou", "nwd"])
def test_gradients_flow_through_the_boxes_and_not_through_the_assignment(box_loss):
    maps, targets = random_maps(3), random_targets(3)
    MeanLoss(box_loss=box_loss)(maps, targets).total.backward()
    slow_maps = random_maps(3)
    sum(slow_terms(slow_maps, targets, box_loss=box_loss)).backward()
    for level, slow in zip(maps, slow_maps, strict=True):
        torch.testing.assert_close(level.grad, slow.grad)


def test_images_without_targets_add_their_background_only():
    maps, targets = random_maps(), random_targets(n_images=1)
    alone = MeanLoss()([level[:1] for level in maps], targets)
    batch = MeanLoss()(maps, targets)
    assert batch.box.item() == pytest.approx(alone.box.item())
    assert batch.dfl.item() == pytest.approx(alone.dfl.item())
    assert batch.cls > alone.cls


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_target_at_all(dtype):
    maps = random_maps(dtype=dtype)
    terms = MeanLoss()(maps, torch.zeros(0, 6))
    terms.total.backward()
    background = sum(F.softplus(level[:, 64:]).sum() for level in maps)
    assert terms.cls.item() == pytest.approx(0.5 * background.item(), rel=1e-5)
    assert terms.box.item() == terms.dfl.item() == 0
    for level in maps:
        assert level.grad[:, :64].abs().max() == 0
        assert level.grad[:, 64:].min() > 0


def test_targets_between_the_cells_are_background_unless_min_box_px():
    maps = random_maps(n_images=1)
    targets = torch.tensor([[0, 0, 6.5, 6.5, 9.5, 9.5]])
    assert MeanLoss()(maps, targets).box.item() == 0
    grown = MeanLoss(assigner=TaskAlignedAssigner(min_box_px=9, similarity="nwd"))
    assert grown(maps, targets).box.item() > 0


def test_targets_without_area_are_harmless():
    maps = random_maps()
    targets = torch.tensor([[0, 0, 20.0, 20, 20, 30], [1, 0, 12.0, 12, 12, 12]])
    for min_box_px in (0, 9):
        for kind in ("ciou", "nwd"):
            assigner = TaskAlignedAssigner(min_box_px=min_box_px, similarity=kind)
            terms = MeanLoss(assigner=assigner)(maps, targets)
            terms.total.backward()
            assert all(term.isfinite() for term in terms)
            assert all(level.grad.isfinite().all() for level in maps)


def perfect_maps():
    """Raw maps that say just one target, of two whole cells, with certainty."""
    maps = [torch.full((1, 65, h, w), -40.0) for h, w in SIZES]
    maps[0][0, [1, 17, 33, 49], 3, 2] = 40.0
    maps[0][0, 64, 3, 2] = 40.0
    return maps, torch.tensor([[0, 0, 12.0, 20, 28, 36]])


def test_no_loss_for_perfect_predictions():
    maps, targets = perfect_maps()
    boxes, scores = decode(maps, STRIDES)
    assert boxes[0, scores[0, :, 0].argmax()].tolist() == targets[0, 2:].tolist()
    terms = MeanLoss()(maps, targets)
    assert max(values(terms)) < 1e-4


@pytest.mark.parametrize(("channel", "term"), [(64, "cls"), (1, "box"), (49, "dfl")])
def test_loss_for_predictions_that_are_perfect_but_for_one_thing(channel, term):
    maps, targets = perfect_maps()
    maps[0][0, channel, 3, 2] = -38.0
    assert getattr(MeanLoss()(maps, targets), term) > 0.05


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_maps_give_a_single_precision_loss(dtype):
    maps = [level.detach().to(dtype).requires_grad_() for level in random_maps()]
    terms = MeanLoss()(maps, random_targets().float())
    assert all(term.dtype == torch.float32 for term in terms)
    exact = MeanLoss()([level.detach().double() for level in maps], random_targets())
    assert values(terms) == pytest.approx(values(exact), rel=1e-4)
    terms.total.backward()
    assert all(level.grad.dtype == dtype and level.grad.isfinite().all() for level in maps)


def test_autocast_changes_nothing():
    maps, targets = random_maps(dtype=torch.float32), random_targets(dtype=torch.float32)
    plain = values(MeanLoss()(maps, targets))
    with torch.autocast("cpu", torch.bfloat16):
        assert values(MeanLoss()(maps, targets)) == plain


def test_permuting_images_and_targets_changes_nothing_but_the_places_of_the_gradients():
    maps, targets = random_maps(), random_targets()
    terms = MeanLoss()(maps, targets)
    terms.total.backward()
    order = torch.tensor([2, 0, 1])
    permuted = [level.detach()[order].requires_grad_() for level in maps]
    renamed = targets.flip(0)
    renamed[:, 0] = order.argsort()[renamed[:, 0].long()]
    others = MeanLoss()(permuted, renamed)
    others.total.backward()
    assert values(others) == pytest.approx(values(terms))
    for level, other in zip(maps, permuted, strict=True):
        torch.testing.assert_close(other.grad, level.grad[order])


def test_the_memory_format_changes_nothing():
    maps, targets = random_maps(), random_targets()
    last = [level.detach().contiguous(memory_format=torch.channels_last) for level in maps]
    assert values(MeanLoss()(last, targets)) == pytest.approx(values(MeanLoss()(maps, targets)))


def test_repeats_to_the_bit():
    def once():
        maps = random_maps(dtype=torch.float32)
        terms = MeanLoss()(maps, random_targets(dtype=torch.float32))
        terms.total.backward()
        return [*terms, *(level.grad for level in maps)]

    assert all(torch.equal(a, b) for a, b in zip(once(), once(), strict=True))


def test_two_halves_with_their_common_weight_add_up_to_the_batch():
    maps, targets = random_maps(n_images=4), random_targets(n=9, n_images=4)
    whole = MeanLoss()(maps, targets)
    half_of = targets[:, 0].long() // 2
    halves = []
    for half in (0, 1):
        part = targets[half_of == half].clone()
        part[:, 0] -= 2 * half
        halves.append(([level[2 * half : 2 * half + 2] for level in maps], part))
    parts = [MeanLoss().sums(*half) for half in halves]
    weight = sum(part.weight.item() for part in parts)
    for name, term in whole._asdict().items():
        total = sum(part.terms[name].item() for part in parts)
        assert total / max(weight, 1) == pytest.approx(term.item())


def test_arguments_that_do_not_fit_are_refused():
    maps = random_maps(n_classes=2)
    with pytest.raises(UsageError, match="must be of 1 classes, got 2"):
        MeanLoss()(maps, torch.zeros(0, 6))
    with pytest.raises(UsageError, match=r"shape \(M, 6\), got \(4, 5\)"):
        MeanLoss(n_classes=2)(maps, torch.zeros(4, 5))
    with pytest.raises(UsageError, match="strides"):
        MeanLoss(n_classes=2)(maps[:2], torch.zeros(0, 6))
    with pytest.raises(UnknownNameError):
        MeanLoss(box_loss="giou")


@pytest.mark.parametrize(
    "loss",
    [
        MeanLoss(),
        MeanLoss(box_loss="mixed", assigner=TaskAlignedAssigner(min_box_px=9, similarity="nwd")),
    ],
    ids=["as-yolov8", "for-tiny-boxes"],
)
def test_free_maps_learn_the_targets(loss):
    """From the head's initial biases, with nothing but the maps themselves to optimise."""
    maps = [torch.ones(2, 65, h, w) for h, w in SIZES]
    for level, stride in zip(maps, STRIDES, strict=True):
        level[:, 64] = math.log(5 / (640 / stride) ** 2)
        level.requires_grad_()
    targets = torch.tensor(
        [
            [0, 0, 10, 10, 15, 14],
            [0, 0, 40, 32, 60, 50],
            [1, 0, 3, 50, 6, 53],
            [1, 0, 34, 10, 39, 16],
        ]
    ).float()
    optimizer = torch.optim.Adam(maps, lr=0.2)
    history = []
    for _ in range(150):
        optimizer.zero_grad()
        terms = loss(maps, targets)
        terms.total.backward()
        optimizer.step()
        history.append(terms.total.item())
    assert history[-1] < 0.3 * max(history)
    kept = non_maximum_suppression(*(x.detach() for x in decode(maps, STRIDES)))
    matches = match_detections(
        [found.boxes.numpy() for found in kept],
        [found.scores.numpy() for found in kept],
        [targets[targets[:, 0] == image, 2:].numpy() for image in range(2)],
    )
    assert average_precision(matches).value == 1.0
