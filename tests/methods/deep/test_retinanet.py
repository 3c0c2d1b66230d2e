from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import irbench  # noqa: E402
from irbench.errors import ImageError  # noqa: E402
from irbench.methods.deep._anchor_boxes import (  # noqa: E402
    BACKGROUND,
    IGNORED,
    decode,
    encode,
    grid_anchors,
    match,
)
from irbench.methods.deep._retina_loss import RetinaLoss, focal_loss  # noqa: E402
from irbench.methods.deep._retina_network import RetinaNetwork  # noqa: E402


def count(module):
    return sum(one.numel() for one in module.parameters())


def test_the_published_counts():
    cost = irbench.load_method("retinanet").cost(640)
    assert (cost.parameters, cost.executed) == (36_329_837, 36_329_837)
    assert round(cost.macs / 1e9, 3) == 81.383
    assert cost.uncounted == ()


def test_the_parameters_of_each_part():
    with torch.device("meta"):
        network = RetinaNetwork()
    pyramid = network.pyramid
    parts = (
        *(network.body, pyramid.lateral, pyramid.output, pyramid.p6, pyramid.p7),
        *(network.classify, network.regress),
    )
    expected = (23_508_032, 918_272, 1_770_240, 4_718_848, 590_080, 20_745, 82_980)
    assert tuple(map(count, parts)) == expected
    assert count(network.class_tower) + count(network.box_tower) == 4_720_640


def test_the_macs_of_the_body():
    from irbench.networks.cost import count_flops

    with torch.device("meta"):
        body = RetinaNetwork().body
    flops = count_flops(body, lambda network, x: network(x), 640).flops
    assert round(flops / 2e9, 3) == 33.364


def test_anchors_by_hand():
    anchors = grid_anchors((2, 3), 8, [16.0, 32.0], [0.5, 1.0])
    assert anchors.shape == (2 * 3 * 4, 4)
    index = 0
    for row in range(2):
        for column in range(3):
            for side in (16.0, 32.0):
                for ratio in (0.5, 1.0):
                    x0, y0, x1, y1 = anchors[index].tolist()
                    assert ((x0 + x1) / 2, (y0 + y1) / 2) == pytest.approx(
                        (8 * column + 4, 8 * row + 4)
                    )
                    assert (x1 - x0) * (y1 - y0) == pytest.approx(side**2, rel=1e-5)
                    assert (y1 - y0) / (x1 - x0) == pytest.approx(ratio, rel=1e-5)
                    index += 1


def test_coding_by_hand_and_back():
    anchor, box = torch.tensor([10.0, 20, 14, 28]), torch.tensor([11.0, 20, 19, 24])
    expected = [(15 - 12) / 4, (22 - 24) / 8, math.log(8 / 4), math.log(4 / 8)]
    assert encode(box, anchor).tolist() == pytest.approx(expected)
    torch.manual_seed(0)
    first, size = torch.rand(2, 50, 2) * 100, torch.rand(2, 50, 2) * 20 + 1
    boxes = torch.cat([first, first + size], -1)
    assert torch.allclose(decode(encode(boxes[0], boxes[1]), boxes[1]), boxes[0], atol=1e-3)
    assert decode(torch.full((4,), 1e9), anchor).isfinite().all()


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    inter = max(width, 0) * max(height, 0)
    area = sum((one[2] - one[0]) * (one[3] - one[1]) for one in (a, b))
    return inter / (area - inter)


def test_matching_against_the_rule_written_out():
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 12, (60, 2))
    anchors = np.concatenate([corners, corners + rng.integers(2, 10, (60, 2))], 1).astype(float)
    boxes = anchors[rng.choice(60, 5)] + rng.normal(0, 1, (5, 4))
    boxes = np.concatenate([boxes, [[100, 100, 101, 101]]])
    found = match(torch.tensor(anchors), torch.tensor(boxes), positive=0.5, negative=0.4)
    table = np.array([[iou(a, b) for b in boxes] for a in anchors])
    for index, row in enumerate(table):
        best_for = [j for j in range(len(boxes)) if row[j] == table[:, j].max() > 0]
        if best_for:
            expected = max(best_for, key=lambda j: row[j])
        elif row.max() >= 0.5:
            expected = int(row.argmax())
        else:
            expected = BACKGROUND if row.max() < 0.4 else IGNORED
        assert int(found[index]) == expected
    assert {BACKGROUND, IGNORED} < set(found.tolist())
    # A target that no anchor overlaps has none.
    assert 5 not in found.tolist()
    assert set(
        match(torch.tensor(anchors), torch.zeros(0, 4), positive=0.5, negative=0.4).tolist()
    ) == {BACKGROUND}


def test_focal_loss_in_closed_form():
    logits, targets = torch.tensor([0.0, 2.0, -3.0, 2.0]), torch.tensor([1.0, 1.0, 0.0, 0.0])
    p = [1 / (1 + math.exp(-x)) for x in logits.tolist()]
    expected = [
        -0.25 * (1 - p[0]) ** 2 * math.log(p[0]),
        -0.25 * (1 - p[1]) ** 2 * math.log(p[1]),
        -0.75 * p[2] ** 2 * math.log(1 - p[2]),
        -0.75 * p[3] ** 2 * math.log(1 - p[3]),
    ]
    assert focal_loss(logits, targets).tolist() == pytest.approx(expected, rel=1e-5)


def small(seed=0):
    torch.manual_seed(seed)
    return RetinaNetwork(anchor_scale=1.0, width=0.125)


def test_fresh_scores_are_the_prior_and_boxes_are_inside_reason():
    network = small().eval()
    with torch.inference_mode():
        boxes, scores = network.decode(network(torch.rand(2, 3, 64, 96)))
    n_cells = [math.ceil(64 / s) * math.ceil(96 / s) for s in (8, 16, 32, 64, 128)]
    assert boxes.shape == (2, sum(min(9 * n, 1000) for n in n_cells), 4)
    assert float(scores.mean()) == pytest.approx(0.01, rel=0.05)
    assert boxes.isfinite().all()


def test_sides_that_are_no_multiple():
    with pytest.raises(ImageError, match="multiples of 32, got 64x65"):
        small()(torch.zeros(1, 3, 64, 65))


def test_two_halves_add_up_to_the_whole_and_no_target_is_no_weight(assert_halves_add_up):
    network = small().eval()
    _, empty = assert_halves_add_up(network, RetinaLoss(network), rel=1e-4)
    assert (float(empty.weight), empty.terms["boxes"].item()) == (0.0, 0.0)
    assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.stress
def test_it_overfits_one_image(assert_overfits):
    network = small()
    assert_overfits(network, RetinaLoss(network), n_images=2)
