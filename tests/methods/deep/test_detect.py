from __future__ import annotations

import math

import pytest
import torch

from irbench.methods.deep._detect import Detect, DistributionMean


@pytest.fixture(params=[1, 3])
def head(request):
    torch.manual_seed(0)
    return Detect((8, 12, 16), (8, 16, 32), request.param, 16)


def test_maps_hold_box_logits_then_class_logits(head):
    n_classes = head.class_branches[0][-1].out_channels
    maps = [torch.randn(2, c, s, s) for c, s in ((8, 8), (12, 4), (16, 2))]
    head.eval()
    for i, (raw, x) in enumerate(zip(head(maps), maps, strict=True)):
        assert raw.shape == (2, 64 + n_classes, *x.shape[2:])
        torch.testing.assert_close(raw[:, :64], head.box_branches[i](x))
        torch.testing.assert_close(raw[:, 64:], head.class_branches[i](x))


def test_biases_start_from_the_prior(head):
    n_classes = head.class_branches[0][-1].out_channels
    for box, classes, stride in zip(
        head.box_branches, head.class_branches, (8, 16, 32), strict=True
    ):
        assert (box[-1].bias == 1).all()
        expected = math.log(5 / n_classes / (640 / stride) ** 2)
        torch.testing.assert_close(
            classes[-1].bias, torch.full((n_classes,), expected), rtol=1e-6, atol=0
        )


def test_distribution_mean_from_its_definition():
    mean = DistributionMean(16)
    logits = 4 * torch.randn(2, 7, 4, 16, generator=torch.Generator().manual_seed(0))
    ours = mean(logits)
    assert ours.shape == (2, 7, 4)
    for row, expected in zip(logits.reshape(-1, 16), ours.flatten(), strict=True):
        weights = row.exp()
        torch.testing.assert_close(
            sum(k * w for k, w in enumerate(weights)) / weights.sum(), expected
        )


@pytest.mark.parametrize(("bin_", "expected"), [(None, 7.5), (0, 0.0), (5, 5.0), (15, 15.0)])
def test_distribution_mean_of_extremes(bin_, expected):
    logits = torch.zeros(3, 4, 16)
    if bin_ is not None:
        logits[..., bin_] = 200.0
    torch.testing.assert_close(DistributionMean(16)(logits), torch.full((3, 4), expected))


def test_kernel_is_frozen_and_counted():
    kernel = DistributionMean(16).conv.weight
    assert kernel.numel() == 16
    assert not kernel.requires_grad
    assert kernel.flatten().tolist() == list(range(16))
