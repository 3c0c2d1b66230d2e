from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from irbench import load_method  # noqa: E402
from irbench.networks.folding import fold_normalisations  # noqa: E402


def randomise(network):
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return network.eval()


@pytest.mark.parametrize("name", ["acm-unet", "acm-basic", "alcnet", "rdian"])
def test_a_folded_network_returns_the_same(name):
    torch.manual_seed(0)
    detector = load_method(name)
    whole = randomise(detector.network)
    folded = detector._ready
    images = torch.rand(2, detector.in_channels_used, 64, 64)
    with torch.inference_mode():
        expected, found = whole(images), folded(images)
    assert float((found - expected).abs().max() / expected.abs().max().clamp(min=1)) < 1e-5
    norms = [
        sum(isinstance(m, torch.nn.BatchNorm2d) for m in one.modules()) for one in (whole, folded)
    ]
    assert norms[1] < norms[0]


def test_what_stands_elsewhere_stays():
    conv, norm = torch.nn.Conv2d(2, 3, 1), torch.nn.BatchNorm2d(3)
    first = torch.nn.Sequential(torch.nn.BatchNorm2d(2), conv, torch.nn.ReLU(), norm).eval()
    fold_normalisations(first)
    assert first[3] is norm
    assert first[1] is conv


def test_only_what_a_convolution_returned_is_overwritten():
    nn = torch.nn
    layers = nn.Sequential(
        nn.ReLU(), nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), nn.ReLU(), nn.Sigmoid(), nn.ReLU(),
        nn.Sequential(nn.ReLU()),
    ).eval()  # fmt: skip
    images = torch.linspace(-1, 1, 8).reshape(1, 2, 2, 2)
    kept = images.clone()
    expected = layers(images)
    fold_normalisations(layers)
    torch.testing.assert_close(layers(images), expected)
    assert torch.equal(images, kept)
    overwriting = [layer.inplace for layer in layers.modules() if isinstance(layer, nn.ReLU)]
    assert overwriting == [False, True, False, False]
