from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from irbench.errors import ImageError
from irbench.methods.deep._anchors import decode
from irbench.methods.deep._paper_blocks import DropPath
from irbench.methods.deep._variants import RECIPES, build_network
from irbench.methods.deep._vkconv import VKConv


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(3, 3, 64, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def _same_weights_each_time():
    torch.manual_seed(0)


def backpropagate(network: nn.Module, images: torch.Tensor) -> None:
    maps = network(images)
    torch.autograd.backward(maps, [torch.randn_like(m) for m in maps])


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("training", [True, False])
def test_returns_a_raw_map_per_stride(name, training, images):
    network = build_network(name).train(training)
    strides = (4, 8, 16, 32) if name == "le-irstd-p2" else (8, 16, 32)
    assert (network.strides, network.reg_max, network.n_classes) == (strides, 16, 1)
    with torch.no_grad():
        maps = network(images)
    assert [tuple(m.shape) for m in maps] == [(3, 65, 64 // s, 96 // s) for s in strides]
    assert all(m.isfinite().all() for m in maps)


@pytest.mark.parametrize("name", ["yolov8n", "le-irstd", "le-irstd-vkconv-final"])
def test_gradient_reaches_every_trainable_parameter(name, images):
    network = build_network(name).train()
    for module in network.modules():
        if isinstance(module, DropPath):
            module.probability = 0
    backpropagate(network, images)
    for key, parameter in network.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, key
            assert parameter.grad.isfinite().all(), key
            assert parameter.grad.abs().max() > 0, key
    assert [key for key, p in network.named_parameters() if not p.requires_grad] == [
        "head.distribution_mean.conv.weight"
    ]


def test_no_gradient_reaches_the_published_networks_vkconv(images):
    network = build_network("le-irstd-published").train()
    backpropagate(network, images)
    dead = {
        f"{name}.{key}"
        for name, module in network.named_modules()
        if isinstance(module, VKConv)
        for key, _ in module.named_parameters()
    }
    without = {key for key, p in network.named_parameters() if p.requires_grad and p.grad is None}
    assert without == dead
    assert sum(network.get_parameter(key).numel() for key in dead) == 92_952


def test_every_normalisation_is_yolos():
    for name in ("yolov8n", "le-irstd", "le-irstd-vkconv-final"):
        norms = [m for m in build_network(name).modules() if isinstance(m, nn.BatchNorm2d)]
        assert norms
        assert all((m.eps, m.momentum) == (1e-3, 0.03) for m in norms)


def test_evaluation_is_deterministic_and_training_drops(images):
    network = build_network("le-irstd").eval()
    with torch.no_grad():
        first, second = network(images), network(images)
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
        network.train()
        draws = {float(network(images)[0].sum()) for _ in range(6)}
    assert len(draws) > 1


@pytest.mark.parametrize("name", ["yolov8n", "le-irstd"])
def test_images_of_a_batch_do_not_mix_in_evaluation(name, images):
    network = build_network(name).eval()
    with torch.no_grad():
        together = network(images)
        for i in range(len(images)):
            for a, b in zip(network(images[i : i + 1]), together, strict=True):
                torch.testing.assert_close(a[0], b[i], rtol=0, atol=1e-5)


def test_channels_last_changes_nothing_but_speed(images):
    network = build_network("le-irstd").eval()
    with torch.no_grad():
        expected = network(images)
        network.to(memory_format=torch.channels_last)
        ours = network(images.contiguous(memory_format=torch.channels_last))
    for a, b in zip(ours, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


def test_trains_in_half_precision(images):
    network = build_network("le-irstd").train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        maps = network(images)
        boxes, scores = network.decode(maps)
    assert boxes.dtype == scores.dtype == torch.float32
    (boxes.mean() + scores.mean()).backward()
    trainable = [p for p in network.parameters() if p.requires_grad]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in trainable)


@pytest.mark.parametrize(
    "shape", [(1, 3, 64, 72), (1, 3, 100, 64), (1, 1, 64, 64), (3, 64, 64), (0, 3, 64, 64)]
)
def test_refuses_other_shapes_and_names_them(shape):
    network = build_network("yolov8n")
    with pytest.raises(ImageError) as caught:
        network(torch.zeros(shape))
    assert str(shape) in str(caught.value)
    assert "multiples of 32" in str(caught.value)


def test_weights_survive_safetensors(tmp_path, images):
    trained, fresh = build_network("le-irstd").train(), build_network("le-irstd")
    with torch.no_grad():
        trained(images)  # moves the running statistics
    save_file(trained.state_dict(), tmp_path / "weights.safetensors")
    weights = load_file(tmp_path / "weights.safetensors")
    fresh.load_state_dict(weights, strict=True)
    with torch.no_grad():
        pairs = zip(trained.eval()(images), fresh.eval()(images), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)
    with pytest.raises(RuntimeError, match="Unexpected key"):
        build_network("yolov8n").load_state_dict(weights, strict=True)


def test_decodes_known_boxes():
    network = build_network("yolov8n")
    maps = [torch.zeros(2, 65, 4, 8), torch.zeros(2, 65, 2, 4), torch.zeros(2, 65, 1, 2)]
    # Image 1, second level, row 1, column 2: the cell's centre is (40, 24).
    for side, cells in enumerate((1, 0, 3, 15)):
        maps[1][1, 16 * side + cells, 1, 2] = 100.0
    maps[1][1, 64, 1, 2] = 3.0
    boxes, scores = network.decode(maps)
    assert boxes.shape == (2, 42, 4)
    assert scores.shape == (2, 42, 1)
    position = 32 + 4 + 2
    torch.testing.assert_close(
        boxes[1, position], torch.tensor([40.0 - 16, 24.0, 40 + 48, 24 + 240])
    )
    assert scores[1, position].item() == pytest.approx(1 / (1 + 2.718281828**-3))
    # Elsewhere all distances are equally likely: 7.5 cells to each side.
    torch.testing.assert_close(boxes[0, 0], torch.tensor([4.0 - 60, 4 - 60, 4 + 60, 4 + 60]))
    assert (scores[0] == 0.5).all()


def test_decodes_by_the_kernel_that_counts(images):
    network = build_network("le-irstd").eval()
    called = []
    network.head.distribution_mean.register_forward_hook(lambda *a: called.append(a))
    with torch.no_grad():
        maps = [m * 5 for m in network(images)]
        ours = network.decode(maps)
        assert len(called) == 3
        expected = decode(maps, network.strides, network.reg_max)
    torch.testing.assert_close(ours, expected, rtol=0, atol=0)


def test_starts_with_few_confident_cells(images):
    network = build_network("le-irstd").eval()
    with torch.no_grad():
        _, scores = network.decode(network(images))
    assert scores.max() < 0.02
