"""The distance's loss against the cross-entropy by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from irbench.methods.deep._anchors import expected_distances
from irbench.methods.deep._loss import distribution_focal_loss


def test_equals_the_cross_entropy_of_both_neighbours():
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(40, 4, 16, generator=rng, dtype=torch.float64)
    distances = torch.rand(40, 4, generator=rng, dtype=torch.float64) * 14.9
    below = distances.long()
    losses = distribution_focal_loss(logits, distances)
    for row, k, d, loss in zip(
        logits.view(-1, 16), below.flatten(), distances.flatten(), losses.flatten(), strict=True
    ):
        low, high = (F.cross_entropy(row, k + step).item() for step in (0, 1))
        expected = (k + 1 - d).item() * low + (d - k).item() * high
        assert loss.item() == pytest.approx(expected)


def test_by_hand():
    logits = torch.tensor([0.0, math.log(2), 0.0, 0.0])  # p = 1/5, 2/5, 1/5, 1/5
    loss = distribution_focal_loss(logits, torch.tensor(0.25))
    assert loss.item() == pytest.approx(-0.75 * math.log(0.2) - 0.25 * math.log(0.4))


@pytest.mark.parametrize(
    ("distance", "as_if"), [(-2.0, 0.0), (14.99, 14.99), (15.0, 14.99), (80.0, 14.99)]
)
def test_distances_beyond_the_bins_are_clipped(distance, as_if):
    logits = torch.linspace(-1, 2, 16, dtype=torch.float64)
    one, other = (
        distribution_focal_loss(logits, torch.tensor(d).double()) for d in (distance, as_if)
    )
    torch.testing.assert_close(one, other)


def test_gradient():
    rng = torch.Generator().manual_seed(1)
    logits = torch.randn(6, 16, generator=rng, dtype=torch.float64, requires_grad=True)
    distances = torch.rand(6, generator=rng, dtype=torch.float64) * 15
    assert torch.autograd.gradcheck(lambda x: distribution_focal_loss(x, distances), (logits,))


def test_the_least_loss_is_at_the_distance():
    logits = torch.zeros(16, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=300, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = distribution_focal_loss(logits, torch.tensor(6.3).double())
        loss.backward()
        return loss

    optimizer.step(closure)
    assert expected_distances(logits).item() == pytest.approx(6.3, abs=1e-3)
    entropy = -0.7 * math.log(0.7) - 0.3 * math.log(0.3)
    assert closure().item() == pytest.approx(entropy, abs=1e-3)
