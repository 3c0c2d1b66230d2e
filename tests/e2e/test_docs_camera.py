"""docs/camera.md as it is written, on a made-up camera of 14 bit."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from irbench.cli.main import main

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "camera.md"
SHAPE = (512, 640)
N_EMPTY, N_CLIP, N_LABELLED = 20, 4, 4


def camera(n, seed, target):
    """Frames of a band of 500 levels of 16384, with fixed pattern, drift and dead pixels."""
    fixed = np.random.default_rng(1)
    rows, columns = np.indices(SHAPE)
    scene = 7000 + 80 * np.sin(rows / 90) * np.cos(columns / 120) + fixed.normal(0, 6, SHAPE[1])
    dead = fixed.choice(SHAPE[0] * SHAPE[1], 40, replace=False)
    random = np.random.default_rng(seed)
    for index in range(n):
        frame = scene + 4 * index + random.normal(0, 8, SHAPE)
        mask = np.zeros(SHAPE, np.uint8)
        if target:
            row, column = 200 + 5 * index, 300 + 7 * index
            frame[row : row + 3, column : column + 3] += 150
            mask[row : row + 3, column : column + 3] = 255
        stored = frame.round().clip(0, 16383).astype(np.uint16)
        stored.reshape(-1)[dead] = np.where(np.arange(40) % 2, 16383, 0)
        yield stored, mask


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, n, target in (("empty", N_EMPTY, False), ("clip", N_CLIP, True)):
        stack = np.stack([frame for frame, _ in camera(n, 2, target)])
        tifffile.imwrite(f"{name}.tif", stack, photometric="minisblack")
    for index, (frame, mask) in enumerate(camera(N_LABELLED, 3, True)):
        for kind, array in (("images", frame), ("masks", mask)):
            Path("labelled", kind).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(f"labelled/{kind}/{index}.png", array)
    return tmp_path


def test_the_page_runs_as_written(folder, monkeypatch, capfd):
    commands = [
        line
        for block in re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.S | re.M)
        for line in block.splitlines()
    ]
    assert len(commands) == 6
    for command in commands:
        words = shlex.split(command)
        # A run records how it was called.
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as end:
            main(words[1:])
        printed = capfd.readouterr()
        assert end.value.code == 0, (command, printed.err)
        # Who has dead pixels and does not say so gets the option named.
        hinted = "40 pixels out of line" in printed.err and "--dead-pixels auto" in printed.err
        assert hinted == (command.endswith("--out first")), command
    first = json.loads((folder / "first/detections.json").read_text())
    assert first["summary"]["clipped_share"] > 0
    assert len(list((folder / "first/clip").glob("*.png"))) == N_CLIP
    known = json.loads((folder / "camera.json").read_text())["methods"]
    assert known["tophat"]["on"]["n_alarms"] == N_EMPTY * 0.5
    calibrated = json.loads((folder / "detections/detections.json").read_text())
    assert calibrated["threshold_from"].startswith("camera.json, made on 20 frames of empty.tif")
    assert calibrated["summary"]["frame_rate"] == 25
    # The forty dead pixels are found, and stay silent: what is left are targets.
    assert calibrated["dead_pixels"]["rule"] == "auto/1"
    assert len(calibrated["dead_pixels"]["places"]) == 40
    assert calibrated["summary"]["dead_share"] == 40 / (SHAPE[0] * SHAPE[1])
    found = [one["box"] for image in calibrated["images"] for one in image["detections"]]
    assert sum(one[0] >= 295 and one[1] >= 195 for one in found) >= N_CLIP
    choice = json.loads((folder / "choice/choice.json").read_text())
    assert choice["take"] in ("tophat", "maxmedian")
    assert (folder / "choice/pareto.png").exists()
    table = (folder / "runs/camera/robustness/robustness.csv").read_text()
    assert "quantise" in table
    assert "alarms_per_frame" in (folder / "runs/camera/results.csv").read_text()


def test_the_loop_of_the_page_runs_as_written():
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.S | re.M)
    names = {}
    exec(block, names)
    assert names["found"].scores.size
    assert names["alarms"].shape[1:] == (4,)
