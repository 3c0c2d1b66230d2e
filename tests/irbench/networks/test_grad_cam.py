"""Grad-CAM against closed forms on networks small enough to derive by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from irbench.errors import UsageError
from irbench.networks.grad_cam import grad_cam, network_stages, stage_maps


class Tiny(nn.Module):
    """Two 1x1 convolutions without bias; the answer weighs the second's two channels."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            [nn.Conv2d(3, 2, 1, bias=False), nn.Conv2d(2, 2, 1, bias=False), nn.Identity()]
        )
        self.unused = nn.Conv2d(3, 1, 1)
        with torch.no_grad():
            self.stages[0].weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1, 0]])[..., None, None])
            self.stages[1].weight.copy_(torch.tensor([[2.0, -1], [0, 3]])[..., None, None])

    def forward(self, images):
        for stage in self.stages:
            images = stage(images)
        return images


def test_the_maps_of_a_linear_network_are_those_derived_by_hand():
    network = Tiny().requires_grad_(False)
    images = torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    weights = torch.tensor([0.5, -0.25])

    def objective(outputs):
        return (outputs * weights[:, None, None]).sum()

    maps = stage_maps(network, network_stages(network), images, objective)
    red, green, _ = images[0]
    # d/dB = (0.5, -0.25) everywhere; d/dA = W2' d/dB = (1, -0.5 - 0.75).
    second = (0.5 * (2 * red - green) - 0.25 * 3 * green).clamp(min=0)
    first = (red - 1.25 * green).clamp(min=0)
    torch.testing.assert_close(maps["0"], first)
    torch.testing.assert_close(maps["1"], second)
    assert list(maps) == ["0", "1", "2"]
    assert images.grad is None
    assert all(one.grad is None for one in network.parameters())


def test_weights_are_means_of_gradients():
    network = Tiny()
    images = torch.rand(1, 3, 2, 2, generator=torch.Generator().manual_seed(2))
    # Only one pixel of channel 0 is explained: a quarter of its gradient is the weight.
    maps = stage_maps(network, {"last": network.stages[1]}, images, lambda out: out[0, 0, 1, 0])
    torch.testing.assert_close(maps["last"], (network(images)[0, 0] / 4).clamp(min=0).detach())


def test_a_stage_that_does_not_matter_is_dark_and_one_not_called_is_absent():
    network = Tiny()
    images = torch.rand(1, 3, 2, 2)
    stages = {"first": network.stages[0], "unused": network.unused}
    maps = stage_maps(network, stages, images, lambda out: out.detach().sum())
    assert list(maps) == ["first"]
    assert not maps["first"].any()
    assert not network.stages[0]._forward_hooks


def test_shapes_must_agree():
    with pytest.raises(UsageError, match=r"got \(2, 3, 4\) and \(2, 3\)"):
        grad_cam(torch.zeros(2, 3, 4), torch.zeros(2, 3))


def test_a_network_without_lists_has_its_children_for_stages():
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = nn.Conv2d(3, 1, 1), nn.Conv2d(1, 1, 1)

    assert list(network_stages(Plain())) == ["body", "head"]
