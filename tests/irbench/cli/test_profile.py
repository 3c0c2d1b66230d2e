from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from irbench.cli.profile import profile
from irbench.errors import ParameterError, UnknownNameError, UsageError


@pytest.fixture
def run():
    def invoke(*arguments):
        result = CliRunner().invoke(
            profile, [*map(str, arguments), "--images", "2"], standalone_mode=False
        )
        if result.exception is not None:
            raise result.exception
        return result.output

    return invoke


def test_classical_methods_have_times_and_no_parameters(run, tmp_path):
    text = run("tophat", "lcm", "--param", "tophat.size=9", "--json", tmp_path / "cost.json")
    row = next(line for line in text.splitlines() if line.startswith("Top-Hat"))
    assert row.split() == ["Top-Hat", *"–––––––"]
    assert "2 images of 256x256 (synth256)" in text
    assert "1 thread." in text
    written = json.loads((tmp_path / "cost.json").read_text())
    assert [method["method"] for method in written["methods"]] == ["tophat", "lcm"]
    first = written["methods"][0]
    assert first["cost"] is None
    assert first["compute"]["low"] <= first["compute"]["median"] <= first["compute"]["high"]
    assert first["fps"] > 0
    assert written["machine"]["processor"]


def test_networks_beside_them(run, tmp_path):
    pytest.importorskip("torch")
    text = run(
        *("tophat", "le-irstd", "--imgsz", 64, "--layers", "--device", "cpu"),
        *("--json", tmp_path / "cost.json"),
    )
    for expected in ("2,578,175", "64x64", "untrained", "thop", "torch.utils.flop_counter"):
        assert expected in text
    assert "Layers of LE-IRSTD at 64x64" in text
    assert "Layers of Top-Hat" not in text
    assert "MBConv" in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    assert "…" not in text
    network = json.loads((tmp_path / "cost.json").read_text())["methods"][1]
    assert network["cost"]["macs"] * 2 == network["cost"]["flops"]
    assert network["layers"][0]["outputs"] == [[16, 32, 32]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tophat", "--imgsz", "64"], "there is none among tophat"),
        (["tophat", "--param", "lcm.size=9"], "lcm, which is not profiled"),
        (["yolov8n", "--device", "gpu"], "auto, cpu, cuda or cuda:N, got 'gpu'"),
        (["yolov8n", "--device", "cuda:99"], "use --device cpu"),
    ],
)
def test_says_what_is_wrong(run, arguments, message):
    if "yolov8n" in arguments:
        pytest.importorskip("torch")
    with pytest.raises(UsageError, match=message):
        run(*arguments)


def test_names_and_parameters_are_checked(run):
    with pytest.raises(UnknownNameError, match="tophat"):
        run("tophatt")
    with pytest.raises(ParameterError, match="multiple of 32"):
        run("yolov8n", "--imgsz", 100)
