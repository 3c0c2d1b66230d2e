from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import irbench  # noqa: E402
from irbench.errors import ImageError  # noqa: E402
from irbench.methods.deep._anchor_boxes import BACKGROUND, IGNORED  # noqa: E402
from irbench.methods.deep._faster_loss import FasterLoss, sample  # noqa: E402
from irbench.methods.deep._faster_network import (  # noqa: E402
    INFERENCE_LIMITS,
    FasterNetwork,
    ProposalLimits,
)
from irbench.methods.deep._roi_align import roi_align  # noqa: E402
from irbench.networks.box_iou import box_iou  # noqa: E402
from irbench.networks.cost import count_flops  # noqa: E402


def count(module):
    return sum(one.numel() for one in module.parameters())


@pytest.fixture(scope="module")
def without_values():
    with torch.device("meta"):
        return FasterNetwork(4.0, ProposalLimits(6000, 1))


def test_the_parameters_of_each_part(without_values):
    network = without_values
    first = network.proposals
    parts = (network.body, first.conv, first.objectness, first.offsets)
    assert tuple(map(count, parts)) == (23_508_032, 9_438_208, 15_375, 61_500)
    assert (count(network.classify), count(network.regress)) == (4_098, 8_196)
    assert count(network) == 33_035_409


def test_the_macs_of_each_part(without_values):
    def gmac(predict):
        return count_flops(without_values, predict, 640).flops / 2e9

    assert round(gmac(lambda n, x: n.body(x, 3)), 3) == 26.758
    both = gmac(lambda n, x: n(x))
    assert round(both - gmac(lambda n, x: n.body(x, 3)), 3) == 15.222
    of_linear_layers = 2048 * 6 / 1e9
    each = gmac(lambda n, x: n.decode(n(x))) - both - of_linear_layers
    assert round(each, 4) == 0.8092


def test_the_stated_cost_is_that_of_the_greatest_number_of_proposals():
    cost = irbench.load_method("faster-rcnn", n_proposals=2).cost(640)
    assert cost.parameters == 33_035_409
    # What ranks the proposals has no gradient.
    assert cost.executed == 33_035_409 - 15_375
    assert cost.macs / 1e9 == pytest.approx(41.980 + 2 * 0.8092, abs=1e-3)
    assert INFERENCE_LIMITS.after == 1000


def aligned_by_hand(features, box, stride, side, n_samples):
    """Bilinear by its four cells, each point of each bin alone."""
    channels, height, width = features.shape
    found = np.zeros((channels, side, side))
    for i, j in np.ndindex(side, side):
        for a, b in np.ndindex(n_samples, n_samples):
            x = box[0] + (box[2] - box[0]) * (j + (b + 0.5) / n_samples) / side
            y = box[1] + (box[3] - box[1]) * (i + (a + 0.5) / n_samples) / side
            x, y = x / stride - 0.5, y / stride - 0.5
            x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
            x0, y0 = min(int(x), width - 2), min(int(y), height - 2)
            u, v = x - x0, y - y0
            found[:, i, j] += (
                (1 - u) * (1 - v) * features[:, y0, x0]
                + u * (1 - v) * features[:, y0, x0 + 1]
                + (1 - u) * v * features[:, y0 + 1, x0]
                + u * v * features[:, y0 + 1, x0 + 1]
            ) / n_samples**2
    return found


def test_roi_align_point_by_point():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(3, 5, 7))
    boxes = np.array([[3.0, 7, 9, 12], [0, 0, 112, 80], [100, 60, 112, 80], [40.5, 40, 41, 41]])
    found = roi_align(torch.tensor(features), torch.tensor(boxes), 16, 4)
    assert found.shape == (4, 3, 4, 4)
    for one, box in zip(found.numpy(), boxes, strict=True):
        np.testing.assert_allclose(one, aligned_by_hand(features, box, 16, 4, 2), atol=1e-12)


def test_roi_align_of_a_plane_is_the_plane():
    rows, columns = np.indices((8, 8))
    plane = torch.tensor(2.0 * (columns + 0.5) * 16 - 3.0 * (rows + 0.5) * 16)[None]
    (found,) = roi_align(plane, torch.tensor([[20.0, 30, 48, 72]]).double(), 16, 2)
    x, y = (27.0, 41.0), (40.5, 61.5)
    expected = [[2 * x[j] - 3 * y[i] for j in (0, 1)] for i in (0, 1)]
    np.testing.assert_allclose(found[0].numpy(), expected)


def test_samples_keep_to_the_numbers_and_never_take_what_is_ignored():
    matched = torch.full((400,), IGNORED)
    matched[:100], matched[100:350] = 3, BACKGROUND
    chosen = sample(matched, 64, 0.25, seed=5)
    assert len(set(chosen.tolist())) == len(chosen) == 64
    assert (matched[chosen] == 3).tolist() == [True] * 16 + [False] * 48
    assert (matched[chosen] != IGNORED).all()
    assert torch.equal(chosen, sample(matched, 64, 0.25, seed=5))
    assert not torch.equal(chosen, sample(matched, 64, 0.25, seed=6))
    few = sample(matched[98:102], 64, 0.25, seed=0)
    assert sorted(few.tolist()) == [0, 1, 2, 3]


def small(seed=0):
    torch.manual_seed(seed)
    return FasterNetwork(8.0, ProposalLimits(6000, 30), width=0.125)


def test_boxes_are_inside_and_what_fills_up_has_no_score():
    network = small().eval()
    with torch.inference_mode():
        output = network(torch.rand(2, 3, 64, 96))
        proposed = network.propose(output, ProposalLimits(100, 30))
        boxes, scores = network.decode(output)
    assert boxes.shape == (2, max(map(len, proposed)), 4)
    assert scores.shape == (*boxes.shape[:2], 1)
    assert boxes.isfinite().all()
    assert (boxes >= 0).all()
    assert (boxes[..., 0::2] <= 96).all()
    assert (boxes[..., 1::2] <= 64).all()
    for one, row in zip(proposed, scores, strict=True):
        assert (row[: len(one)] > 0).all()
        assert not row[len(one) :].any()
        # Suppression: no two proposals overlap by more than the threshold.
        overlap = box_iou(one[:, None], one[None]).fill_diagonal_(0)
        assert overlap.max() <= 0.7


def test_sides_that_are_no_multiple():
    with pytest.raises(ImageError, match="multiples of 16, got 64x65"):
        small()(torch.zeros(1, 3, 64, 65))


def test_two_halves_add_up_to_the_whole_and_no_target_has_a_gradient(assert_halves_add_up):
    network = small().eval()
    loss = FasterLoss(network, n_proposals=64)
    whole, empty = assert_halves_add_up(network, loss, rel=1e-3)
    assert float(whole.weight) == 2
    assert empty.terms["boxes"].item() == empty.terms["anchor boxes"].item() == 0
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.stress
def test_it_overfits_one_image(assert_overfits):
    network = small()
    assert_overfits(network, FasterLoss(network, n_proposals=64), n_images=1)
