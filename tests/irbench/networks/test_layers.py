from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import irbench  # noqa: E402
from irbench.networks.detector import NetworkDetector  # noqa: E402
from irbench.networks.layers import REST, find_layers, measure_layers  # noqa: E402


@pytest.fixture(scope="module")
def le_irstd():
    detector = irbench.load_method("le-irstd", image_size=64)
    return detector, measure_layers(detector, torch.rand(1, 1, 64, 64), n_runs=2)


def test_rows_are_those_of_the_layer_table(le_irstd):
    detector, rows = le_irstd
    names = [f"layers.{row.name}" for row in detector.network.architecture.layers]
    assert [row.name for row in rows] == [*names, "head", REST]
    assert rows[0].block == "CBS"
    assert rows[0].outputs == ((16, 32, 32),)
    assert rows[-2].outputs == ((65, 8, 8), (65, 4, 4), (65, 2, 2))


def test_rows_add_up(le_irstd):
    detector, rows = le_irstd
    cost = detector.cost()
    assert sum(row.parameters for row in rows) == cost.parameters
    assert sum(row.macs for row in rows) == cost.macs
    # A 3x3 convolution from 3 to 16 channels at half of the size.
    assert rows[0].macs == 3 * 9 * 16 * 32 * 32
    assert all(row.ms > 0 for row in rows)
    assert sum(row.share for row in rows) == pytest.approx(1)


def test_no_hook_stays(le_irstd):
    detector, _ = le_irstd
    for network in (detector.network, detector._ready):
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


class Wrapped(nn.Module):
    """One layer twice, one never, some work outside."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Module()
        self.body.twice = nn.Conv2d(3, 3, 1, bias=False)
        self.body.never = nn.Conv2d(3, 7, 1)

    def forward(self, x):
        return self.body.twice(self.body.twice(x)).mean((2, 3)) @ torch.ones(3, 5, device=x.device)


class Plugin(NetworkDetector):
    info = irbench.MethodInfo(
        name="wrapped", title="Wrapped", group="Deep Learning Methods", year=2025, reference=""
    )

    def build(self):
        return Wrapped()

    def decode(self, network, outputs):
        return outputs[:, None, :4], outputs[:, None, 4:].sigmoid()


def test_layers_called_twice_or_never_and_what_is_outside():
    detector = Plugin(image_size=32)
    twice, never, rest = measure_layers(detector, torch.rand(2, 1, 32, 32), n_runs=2)
    assert (twice.name, twice.parameters, twice.macs) == ("body.twice", 9, 2 * 9 * 32 * 32)
    assert (never.name, never.parameters, never.macs) == ("body.never", 28, 0)
    assert never.outputs == ()
    assert (never.ms, never.share) == (None, None)
    assert (rest.name, rest.parameters, rest.macs) == (REST, 0, 15)


def test_a_list_of_modules_is_no_layer_and_a_sequence_is_one():
    network = nn.Module()
    network.stages = nn.ModuleList([nn.Sequential(nn.ReLU(), nn.Tanh()), nn.Conv2d(1, 1, 1)])
    network.pool = nn.AdaptiveAvgPool2d(1)
    assert list(find_layers(network)) == ["stages.0", "stages.1", "pool"]
