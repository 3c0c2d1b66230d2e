"""Weights on the command line: ``methods list`` and ``show``, ``detect``, ``run``."""

from __future__ import annotations

import json
import re

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from irbench.cli.detect import detect
from irbench.cli.methods import methods
from irbench.cli.run import run
from irbench.errors import UsageError, WeightsError
from irbench.plugins.registry import load_dataset

pytest.importorskip("torch")


@pytest.fixture
def call(tiny_plugin, tmp_path, monkeypatch):
    """Calls a command with the plug-in, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def invoke(command, *arguments):
        texts = [*map(str, arguments), "--plugin", str(tiny_plugin)]
        return CliRunner().invoke(command, texts, catch_exceptions=False, standalone_mode=False)

    return invoke


@pytest.fixture
def frame(tmp_path, tiny_plugin):
    path = tmp_path / "frame.png"
    cv2.imwrite(str(path), load_dataset("tiny-scenes")[0].image)
    return path


def test_show_lists_the_weights(call, save_tiny):
    metrics = {"val": {"map50": 0.91, "f1": 0.88}, "test": {"map50": 0.9, "f1": None}}
    saved = save_tiny(metrics=metrics)
    shown = call(methods, "show", "tiny-net").output
    (line,) = (line for line in shown.splitlines() if line.startswith("tiny-scenes"))
    cells = re.split(r" {2,}", line.strip())
    assert cells == [
        "tiny-scenes", "letters", "64 px", "0.910", "0.880", "0.900", "—", "300", "a test",
        saved.card.sha256[:8],
    ]  # fmt: skip


def test_show_says_what_is_missing_or_unusable(call, save_tiny):
    assert "irbench train tiny-net --dataset NAME" in call(methods, "show", "tiny-net").output
    save_tiny().path.with_suffix(".json").write_text("{}")
    assert "not usable: the card" in call(methods, "show", "tiny-net").output
    assert "weights" not in call(methods, "show", "tophat").output.lower()


def test_json_holds_the_weights(call, save_tiny):
    saved = save_tiny()
    (facts,) = json.loads(call(methods, "show", "tiny-net", "--json").output)["weights"]
    assert facts["sha256"] == saved.card.sha256
    assert facts["metrics"] == saved.card.metrics
    assert json.loads(call(methods, "show", "tophat", "--json").output)["weights"] == []


def test_list_marks_methods_with_weights(call, save_tiny):
    save_tiny()
    marked = [line for line in call(methods, "list").output.splitlines() if "[weights:" in line]
    assert any("tiny-net " in line and "[weights: tiny-scenes]" in line for line in marked)
    assert not any("tiny-net-wide" in line for line in marked)


def test_list_says_how_large_a_network_is(call):
    (line,) = (one for one in call(methods, "list").output.splitlines() if " uiunet " in one)
    assert " 50.54 M  UIU-Net " in line
    assert "\n50,541,461 parameters\n" in call(methods, "show", "uiunet").output
    assert json.loads(call(methods, "show", "uiunet", "--json").output)["n_parameters"] == 50541461
    assert json.loads(call(methods, "show", "lcm", "--json").output)["n_parameters"] is None


def test_detect_with_weights(call, save_tiny, frame, tmp_path):
    saved = save_tiny()
    done = call(
        detect, "tiny-net", frame, "--weights", "tiny-scenes", "--device", "cpu", "--tile", 32,
        "--param", "overlap=4",
    )  # fmt: skip
    assert done.return_value == 0
    content = json.loads((tmp_path / "detections" / "detections.json").read_text())
    assert content["params"]["tile"] == 32
    assert content["params"]["weights"] == "tiny-scenes"
    # That of the card, measured on its validation images.
    assert content["images"][0]["threshold"] == saved.card.threshold
    boxes = np.array([one["box"] for one in content["images"][0]["detections"]])
    assert boxes.reshape(-1, 4)[:, 2:].max(initial=0) <= 56


@pytest.mark.parametrize(
    "option", [("--weights", "nudt"), ("--tile", "64"), ("--device", "cpu")], ids=lambda o: o[0]
)
def test_detect_refuses_them_for_methods_without_a_network(call, frame, option):
    with pytest.raises(UsageError, match=f"{option[0]} is for methods with a network; tophat"):
        call(detect, "tophat", frame, *option)


def test_detect_asks_for_weights(call, frame, save_tiny):
    with pytest.raises(UsageError, match=r"tiny-net needs --weights.*irbench train tiny-net"):
        call(detect, "tiny-net", frame)
    save_tiny()
    with pytest.raises(UsageError, match=r"tiny-net needs --weights.*known by name: tiny-scenes"):
        call(detect, "tiny-net", frame)
    with pytest.raises(UsageError, match="not both"):
        call(detect, "tiny-net", frame, "--weights", "x", "--param", "weights=y")
    with pytest.raises(WeightsError, match="there are no weights"):
        call(detect, "tiny-net", frame, "--weights", "./none.safetensors")
    assert call(detect, "tiny-net", frame, "--param", "weights=none").return_value == 0


def test_a_run_of_which_everything_is_skipped_is_a_failure(call):
    options = ("--dataset", "tiny-scenes", "--device", "cpu", "--timing-images", "0")
    done = call(run, "--methods", "tiny-net", *options)
    assert done.return_value == 1
    assert "Tiny-Net: skipped: no weights trained on tiny-scenes" in done.stderr
    assert "(skipped)" in done.output
    # Beside a finished row it is none.
    assert call(run, "--methods", "tiny-net,tophat", *options).return_value == 0


def test_a_run_refuses_devices_that_do_not_exist(call):
    with pytest.raises(UsageError, match="--device must be"):
        call(run, "--methods", "tophat", "--dataset", "tiny-scenes", "--device", "tpu")
