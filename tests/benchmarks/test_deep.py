"""The benchmark of the networks: its floors and its figures."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of the benchmarks, which are scripts and no package."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 4, 3, stride=2, groups=2, bias=False).requires_grad_(False)

    def forward(self, x: Any) -> Any:
        return self.second(self.norm(self.first(x)).relu()).exp()


def test_floor_repeats_every_convolution(module: Any) -> None:
    network, x = Small().eval(), torch.rand(1, 3, 9, 9)
    first, second = module("_convolution_floors").convolutions_of(network, lambda: network(x))
    torch.testing.assert_close(first.forward(), network.first(x))
    torch.testing.assert_close(second.forward().exp(), network(x))
    assert not any(m._forward_hooks for m in network.modules())
    # A later step of the network must not change the floor.
    with torch.no_grad():
        network.first.weight.zero_()
    assert first.forward().std() > 0


def test_floor_keeps_layout_and_takes_the_precision(module: Any) -> None:
    network = Small().to(memory_format=torch.channels_last)
    x = torch.rand(2, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    floors = module("_convolution_floors")
    for call in floors.convolutions_of(network, lambda: network(x), torch.bfloat16):
        assert call.inputs[0].is_contiguous(memory_format=torch.channels_last)
        assert call.forward().dtype == torch.bfloat16


def test_training_floor_goes_backward_to_what_training_needs(
    module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, x = Small(), torch.rand(2, 3, 8, 8)
    floors = module("_convolution_floors")
    calls = floors.convolutions_of(network, lambda: network(x))
    asked: list[list[tuple[int, ...]]] = []
    grad = torch.autograd.grad

    def note(output: Any, wanted: Any, gradient: Any) -> Any:
        asked.append([tuple(t.shape) for t in wanted])
        return grad(output, wanted, gradient)

    run = floors.training_pass(calls, from_image=True)
    monkeypatch.setattr(torch.autograd, "grad", note)
    run()
    # The image needs no gradient, nor does a frozen kernel.
    assert asked == [[(4, 3, 3, 3), (4,)], [(2, 4, 8, 8)]]


def test_sampling_is_seen_where_vkconv_is(module: Any) -> None:
    time = module("_network_time")
    detector = time.make_detector("le-irstd", 64)
    calls = module("_convolution_floors").samplings_of(time.inference_pass(detector))
    # One in each AVCStem, none of which samples at whole pixels.
    assert len(calls) == 4
    assert all((call.inputs[1] % 1).abs().max() > 0 for call in calls)
    assert calls[0].forward().shape[2] == 3


def test_training_step_leaves_gradients(module: Any) -> None:
    time = module("_network_time")
    detector = time.make_detector("yolov8n", 64)
    step, _ = time.training_step(detector, 64, 2, torch.float32)
    step()
    trained = [p for p in detector.network.parameters() if p.requires_grad]
    assert sum(p.grad is not None and bool(p.grad.any()) for p in trained) > 0.9 * len(trained)


@pytest.mark.slow
def test_script_measures_and_writes(tmp_path: Path) -> None:
    out = tmp_path / "times.json"
    script = [sys.executable, str(BENCHMARKS / "deep.py"), "--networks", "yolov8n"]
    sizes = ["--side", "64", "--runs", "2", "--training-side", "64", "--batch", "2"]
    done = subprocess.run(
        [
            *script,
            *sizes,
            "--training-runs",
            "1",
            "--no-onnx",
            "--processor-time",
            "--out",
            str(out),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written = json.loads(out.read_text())
    assert written["machine"]["clock"] == "of the processor"
    rows = written["networks"]["yolov8n"]
    assert list(rows)[:2] == ["inference, 1x64x64, float32", "training, 2x64x64, float32"]
    for row in rows.values():
        assert row["ratio"]["median"] > 0
        assert row["n_convolutions"] == 63
        assert row["met"] in (True, False)
        assert row["sampling_share"] is None
    assert "| yolov8n |" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell the peak")
def test_peak_memory_is_that_of_a_process_that_trains_the_network(module: Any) -> None:
    network_peak = module("_network_peak").network_peak
    assert 10**8 < network_peak("acm-fpn", 32, 2) < 3 * 10**9
    with pytest.raises(RuntimeError, match="32px"):
        network_peak("acm-fpn", "32px", 1)


def test_script_names_an_unknown_network() -> None:
    script = [sys.executable, str(BENCHMARKS / "deep.py"), "--networks", "yolov8"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Did you mean" in done.stderr


def test_a_method_without_a_network(module: Any) -> None:
    with pytest.raises(TypeError, match="tophat is no network"):
        module("_network_time").make_detector("tophat", 64)
