from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from irbench import load_method
from irbench.methods.deep._variants import RECIPES, build_network
from irbench.networks.folding import fold_normalisations


def fuse(network: nn.Module) -> nn.Module:
    fused = copy.deepcopy(network).eval()
    fold_normalisations(fused)
    return fused


def lived_in(name: str) -> nn.Module:
    """A network whose normalisations do something."""
    torch.manual_seed(0)
    network = build_network(name).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
            nn.init.normal_(module.running_mean, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.3, 1.5)
    return network


@pytest.mark.parametrize("name", RECIPES)
def test_outputs_stay(name):
    network = lived_in(name).double()
    images = torch.rand(2, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        for ours, expected in zip(fuse(network)(images), network(images), strict=True):
            torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["yolov8n", "le-irstd"])
def test_outputs_stay_in_single_precision(name):
    network = lived_in(name)
    images = torch.rand(2, 3, 128, 96)
    with torch.no_grad():
        boxes, scores = network.decode(fuse(network)(images))
        expected_boxes, expected_scores = network.decode(network(images))
    torch.testing.assert_close(scores, expected_scores, rtol=0, atol=1e-5)
    torch.testing.assert_close(boxes, expected_boxes, rtol=1e-5, atol=1e-3)


def test_folds_every_normalisation_behind_a_convolution():
    remaining = [
        name
        for name, module in fuse(build_network("le-irstd")).named_modules()
        if isinstance(module, nn.BatchNorm2d)
    ]
    assert remaining == ["layers.stage4.project_norm", "layers.stage8.project_norm"]


def test_leaves_the_network_as_it_is():
    network = build_network("le-irstd").train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    detector = load_method("le-irstd")
    detector.network = network
    fused = detector.copy_for_inference()
    assert network.training
    assert not fused.training
    assert not any(p.requires_grad for p in fused.parameters())
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[key], before[key]) for key in before)
