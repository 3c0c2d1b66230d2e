from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import irbench  # noqa: E402
from irbench.errors import UsageError  # noqa: E402
from irbench.networks.cost import (  # noqa: E402
    Cost,
    count_flops,
    count_parameters,
    measure_cost,
)
from irbench.networks.detector import NetworkDetector  # noqa: E402
from irbench.networks.printed_flops import PRINTED_RULES, count_printed_flops  # noqa: E402


class Small(nn.Module):
    """Two convolutions, a linear map, a frozen one, and one that no prediction needs."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.grouped = nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=4, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.frozen = nn.Conv2d(8, 2, 1, bias=False).requires_grad_(False)
        self.linear = nn.Linear(2, 5)
        self.unused = nn.Conv2d(8, 8, 1)
        self.thrown_away = nn.Conv2d(8, 8, 1, bias=False)

    def forward(self, x):
        x = self.norm(self.grouped(self.first(x)))
        self.thrown_away(x)
        return {"answer": [self.linear(self.frozen(x).mean((2, 3)))]}


def predict(network, images):
    return network(images)


FIRST, GROUPED, NORM, FROZEN, LINEAR = 3 * 8 * 9 + 8, 8 * 2 * 9, 16, 16, 15
UNUSED, THROWN = 72, 64


def test_parameters_by_hand():
    counts = count_parameters(Small(), predict)
    executed = FIRST + GROUPED + NORM + FROZEN + LINEAR
    assert counts.executed == executed
    assert counts.total == executed + UNUSED + THROWN
    assert counts.trainable == counts.total - FROZEN


def test_macs_by_hand():
    # What is thrown away is computed all the same.
    macs = 3 * 8 * 9 * 64**2 + (GROUPED + FROZEN + THROWN) * 32**2 + 2 * 5
    assert measure_cost(Small(), predict, 64).macs == macs
    assert count_flops(Small(), predict, 64).flops == 2 * macs


def test_printed_flops_by_hand():
    operations = 3 * 8 * 9 * 64**2 + (GROUPED + FROZEN + THROWN) * 32**2 + 4 * 8 * 32**2
    assert count_printed_flops(Small(), predict, 64, counted_at=64) == 2 * operations
    # Counted on a quarter of the area, times four: no work here is of a fixed size.
    assert count_printed_flops(Small(), predict, 64) == 2 * operations
    rules = {**PRINTED_RULES, nn.Linear: lambda module, x, y: 2 * y.numel()}
    more = count_printed_flops(Small(), predict, 64, counted_at=64, rules=rules)
    assert more == 2 * (operations + 10)


def test_flops_of_convolutions_grow_with_the_area():
    sizes = [count_flops(Small().eval(), predict, side).flops - 20 for side in (32, 64, 128)]
    assert sizes[1] == 4 * sizes[0]
    assert sizes[2] == 16 * sizes[0]


def test_a_shared_parameter_counts_once():
    network = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False), nn.Conv2d(3, 3, 1, bias=False))
    network[1].weight = network[0].weight
    counts = count_parameters(network, predict)
    assert (counts.total, counts.executed) == (9, 9)


class Proposals(nn.Module):
    """Asks for values, which no meta tensor has."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x):
        y = self.conv(x)
        return y[y > -float(y.abs().max()) - 1]


def test_a_network_whose_path_depends_on_values():
    cost = measure_cost(Proposals(), predict, 32)
    assert (cost.macs, cost.executed) == (3 * 4 * 32**2, 16)


def test_inference_mode_of_the_caller_changes_nothing():
    expected = measure_cost(Small(), predict, 32)
    with torch.inference_mode():
        assert measure_cost(Small(), predict, 32) == expected


class Plugin(NetworkDetector):
    """A network that has no values until it is built on a real device."""

    info = irbench.MethodInfo(
        name="plug-in", title="Plug-in", group="Deep Learning Methods", year=2025, reference=""
    )

    def build(self):
        return Small()

    def decode(self, network, outputs):
        answer = outputs["answer"][0]
        return answer[:, None, :4], answer[:, None, 4:].sigmoid()


class Awkward(Plugin):
    """Draws its weights by reading them, and decides by values."""

    def build(self):
        network = Proposals()
        float(network.conv.weight.sum())
        return network

    def decode(self, network, outputs):
        return outputs.view(1, -1, 4), outputs.view(1, -1, 4)[..., :1]


def test_any_detector_that_is_a_network_has_a_cost():
    cost = Plugin().cost(64)
    assert cost == measure_cost(Small(), predict, 64)
    assert cost.flops_printed is None
    assert Awkward().cost(32).macs == 3 * 4 * 32**2


@pytest.mark.parametrize("detector", [Plugin, Awkward])
def test_asking_for_the_cost_neither_builds_the_network_nor_draws(detector):
    made = detector()
    before = torch.get_rng_state()
    made.cost(32)
    assert torch.equal(torch.get_rng_state(), before)
    assert "network" not in made.__dict__


def test_the_cost_is_that_of_the_detectors_size_and_kept():
    detector = Plugin(image_size=96)
    cost = detector.cost()
    assert cost.input_size == 96
    assert detector.cost() is cost
    assert detector.cost(96) is cost
    assert detector.cost(64).input_size == 64


def test_the_cost_of_le_irstd_is_the_published_one():
    cost = irbench.load_method("le-irstd").cost()
    assert cost == Cost(
        parameters=2_578_175,
        trainable=2_578_159,
        executed=2_578_175,
        modules=301,
        macs=3_673_694_720,
        flops=7_347_389_440,
        flops_printed=7_720_473_600.0,
        input_size=640,
    )


def test_the_cost_does_not_read_the_weights(tmp_path):
    # The size must be given, since it stands in the file otherwise.
    detector = irbench.load_method("yolov8n", weights=str(tmp_path / "none.safetensors"))
    assert detector.cost(64).parameters == 3_011_043


def test_a_size_that_the_network_does_not_take():
    with pytest.raises(UsageError, match="multiples of 32"):
        irbench.load_method("yolov8n").cost(100)
