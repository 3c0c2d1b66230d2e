"""A model directory: irbench and the program in it find the same boxes, without irbench's help."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

import irbench  # noqa: E402
from irbench.calibration import Calibration  # noqa: E402
from irbench.errors import IrbenchError  # noqa: E402
from irbench.networks.deployed import DeployedModel  # noqa: E402
from irbench.networks.deploying import EXAMPLE, export_model  # noqa: E402
from irbench.registry import load_plugin  # noqa: E402

PLUGIN = Path(__file__).parents[1] / "tiny_network_plugin.py"
LOW, HIGH = 6500.0, 7500.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    load_plugin(PLUGIN)
    torch.manual_seed(3)
    detector = irbench.load_method("tiny-net", image_size=64, confidence=0.01)
    out = tmp_path_factory.mktemp("model")
    calibration = Calibration(None, 0.05, "camera.json")
    export_model(detector, out, value_range=(LOW, HIGH), calibration=calibration)
    return out, detector


def frame(shape, seed):
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    wave = 7000 + 250 * np.sin(rows / 5) * np.cos(columns / 7)
    return (wave + rng.normal(0, 30, shape)).clip(0, 16383).astype(np.uint16)


def test_the_program_finds_what_irbench_finds(folder, tmp_path):
    out, detector = folder
    model = DeployedModel(folder=str(out))
    assert model.calibration == Calibration(None, 0.05, "camera.json")
    files = []
    for seed, shape in enumerate(((48, 90), (131, 77), (64, 64))):
        files.append(tmp_path / f"{seed}.png")
        assert cv2.imwrite(str(files[-1]), frame(shape, seed))
    done = subprocess.run(
        [sys.executable, "-I", out / "detect.py", *files],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    printed = [line.split(" ") for line in done.stdout.splitlines()]
    n_found = 0
    for seed, file in enumerate(files):
        image = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        found = model.detect(image).above(0.05)
        theirs = np.array([line[2:] for line in printed if line[0] == str(file)], float)
        theirs = theirs.reshape(-1, 5)
        ours = np.column_stack([found.boxes, found.scores])
        order = [np.lexsort(rows.T) for rows in (ours, theirs)]
        np.testing.assert_allclose(ours[order[0]], theirs[order[1]], rtol=1e-6, atol=1e-5)
        n_found += len(ours)
        # And what the network itself finds, but for rounding.
        expected = detector.detect(image, value_range=(LOW, HIGH)).above(0.05)
        assert abs(len(expected) - len(ours)) <= 1, seed
    assert n_found


def test_the_program_is_short_and_needs_no_irbench():
    code = [line for line in EXAMPLE.splitlines() if line.strip()]
    assert len(code) <= 36
    assert "irbench" not in EXAMPLE


def test_values_outside_the_range_are_clipped(folder):
    out, _ = folder
    model = DeployedModel(folder=str(out))
    image = frame((64, 64), 0)
    image[3, 3], image[5, 5] = 0, 16383
    assert model.preprocess(image).min() == 0
    assert model.preprocess(image).max() == 1


@pytest.mark.parametrize("content", [None, "{", '{"schema": 7}', '{"schema": 1}'])
def test_what_is_no_model_is_refused(folder, tmp_path, content):
    if content is not None:
        (tmp_path / "model.onnx").write_bytes(b"")
        (tmp_path / "model.json").write_text(content)
    with pytest.raises(IrbenchError, match=r"no exported model|cannot be read|schema 1|export it"):
        DeployedModel(folder=str(tmp_path))
    assert json.loads((folder[0] / "model.json").read_text())["classes"] == ["target"]
