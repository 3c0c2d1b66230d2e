from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from irbench.methods.deep._counts import count_printed_flops, predict  # noqa: E402
from irbench.methods.deep._variants import build_network  # noqa: E402
from irbench.networks.cost import count_flops, measure_cost  # noqa: E402
from irbench.networks.neural import NeuralDetector  # noqa: E402
from irbench.plugins.registry import catalogue  # noqa: E402


def multiply_accumulates(network: nn.Module, image_size: int) -> int:
    """From the definition: a product for each weight that each output element sees."""
    total = 0

    def add(module, inputs, output):
        nonlocal total
        height, width = module.kernel_size
        inner = module.in_channels // module.groups * height * width
        total += output.numel() * inner

    hooks = [
        module.register_forward_hook(add)
        for module in network.modules()
        if isinstance(module, nn.Conv2d)
    ]
    with torch.no_grad():
        network(torch.zeros(1, 3, image_size, image_size))
    for hook in hooks:
        hook.remove()
    return total


@pytest.mark.parametrize("name", ["yolov8n", "le-irstd"])
def test_flops_are_twice_the_multiply_accumulates(name):
    network = build_network(name).eval()
    assert count_flops(network, predict, 96).flops == 2 * multiply_accumulates(network, 96)


def test_printed_flops_follow_from_the_flops():
    # Without attention: the convolutions' 2 per product, 8 per normalised and 2 per
    # upsampled element, 2·16 per distance of the 21 cells.
    network = build_network("yolov8n").eval()
    elements = 0

    def add(module, inputs, output):
        nonlocal elements
        elements += output.numel() * (4 if isinstance(module, nn.BatchNorm2d) else 1)

    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.Upsample):
            module.register_forward_hook(add)
    convolutions = multiply_accumulates(network, 32)
    expected = 2 * (convolutions + elements + 21 * 4 * 16)
    assert count_printed_flops(network, 32) == expected


@pytest.mark.parametrize(
    ("name", "gflops"),
    [
        ("yolov8n", 8.19),
        ("yolov8n-faststem", 8.18),
        ("le-irstd-published", 7.36),
    ],
)
def test_counting_at_the_image_size_leaves_the_artefact_out(name, gflops):
    network = build_network(name)
    assert count_printed_flops(network, counted_at=640) / 1e9 == pytest.approx(gflops, abs=0.005)


def test_counting_small_and_scaling_overstates_attention_alone():
    yolo, ours = build_network("yolov8n"), build_network("le-irstd")
    assert count_printed_flops(yolo) == count_printed_flops(yolo, counted_at=640)
    # The channel attentions' maps of 192² and 384², once for 640 but 400 times here.
    excess = count_printed_flops(ours) - count_printed_flops(ours, counted_at=640)
    # … with one addition per channel that mean pooling does at any size.
    assert excess == 2 * (192**2 + 384**2 + 192 + 384) * 399


def test_counting_leaves_the_network_alone():
    network = build_network("le-irstd").train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    measure_cost(network, predict, 64, flops_printed=count_printed_flops(network))
    assert network.training
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())
    assert all(p.grad is None for p in network.parameters())
    assert not network.head.distribution_mean.conv.weight.requires_grad


def test_the_number_of_parameters_that_lists_show_is_that_of_the_network():
    stated, built = {}, {}
    for name, cls in catalogue("methods").classes.items():
        # Not those that other tests have loaded.
        if cls.__module__.startswith("irbench.methods."):
            stated[name] = cls.info.n_parameters
            if issubclass(cls, NeuralDetector):
                # Shapes alone: nothing is allocated, so that the largest takes no longer.
                with torch.device("meta"):
                    built[name] = sum(p.numel() for p in cls().build().parameters())
    assert stated == dict.fromkeys(stated) | built
    assert len(built) > 30
