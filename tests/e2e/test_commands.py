"""Every command as a user types it; those that are about what comes out, in this process."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import irbench

PLUGIN = Path(__file__).with_name("plugin_detectors.py")


def test_help_teaches(irbench_command):
    text = irbench_command("--help").stdout
    for command in (
        "run",
        "evaluate",
        "report",
        "compare",
        "detect",
        "methods",
        "train",
        "profile",
        "export",
        "check",
        "analyze",
        "paper",
        "data",
        "calibrate",
    ):
        assert f"  {command} " in text
        assert "Usage" in irbench_command(command, "--help").stdout


def test_methods_list_and_show(irbench_command):
    text = irbench_command("methods", "list", "--plugin", PLUGIN).stdout
    assert "HVS-based Methods" in text
    assert "brightness" in text
    listed = json.loads(irbench_command("methods", "list", "--json").stdout)
    assert {"tophat", "mpcm"} <= {method["name"] for method in listed}
    shown = irbench_command("methods", "show", "tophat").stdout
    assert "tophat.size" in shown
    assert "3 to 255, odd" in shown


def test_data_list_stats_and_export(irbench_command):
    assert "synth" in irbench_command.within("data", "list").stdout
    assert (
        "89 targets" in irbench_command.within("data", "stats", "synth", "--split", "test").stdout
    )
    irbench_command.within("data", "export", "synth", "out", "--format", "coco", "--split", "val")
    exported = irbench.load_dataset(irbench_command.folder / "out", split="all")
    original = irbench.load_dataset("synth", split="val")
    assert len(exported) == 50
    assert sum(len(s.boxes) for s in exported) == sum(len(s.boxes) for s in original)


def test_verify_names_a_damaged_image(irbench_command, small_dataset, tmp_path):
    irbench_command.within("data", "verify", small_dataset)
    copy = tmp_path / "copy"
    for file in small_dataset.rglob("*.*"):
        target = copy / file.relative_to(small_dataset)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    damaged = copy / "images" / "scene_03.png"
    damaged.write_bytes(damaged.read_bytes()[:90])
    cv2.imwrite(str(copy / "masks" / "scene_05.png"), np.zeros((9, 9), np.uint8))
    done = irbench_command.within("data", "verify", copy, status=1)
    assert "scene_03" in done.stdout
    assert "scene_05" in done.stdout


def test_missing_data_says_where_it_was_looked_for(irbench_command, monkeypatch):
    monkeypatch.delenv("IRBENCH_DATA", raising=False)
    done = irbench_command.within("run", "--dataset", "nudt", "--data-root", "nowhere", status=2)
    assert "nowhere" in done.stderr
    assert "github.com" in done.stderr
    assert "irbench data import" in done.stderr


def test_detect_draws_and_describes(irbench_command, small_dataset):
    folder = small_dataset / "images"
    irbench_command.within("detect", "tophat", folder, "--threshold", 8, "--out", "found")
    content = json.loads((irbench_command.folder / "found" / "detections.json").read_text())
    assert len(content["images"]) == 26
    assert sum(len(image["detections"]) for image in content["images"]) > 10
    picture = cv2.imread(str(irbench_command.folder / "found" / "scene_00.png"))
    assert max(picture.shape) >= 512
    (irbench_command.folder / "broken.png").write_bytes(b"nothing")
    done = irbench_command.within("detect", "tophat", "broken.png", "--out", "found", status=1)
    assert "broken.png" in done.stderr


def test_sixteen_bit_frames_are_seen_whole(irbench_command):
    rng = np.random.default_rng(0)
    frame = rng.normal(5000, 4, (64, 64))
    frame[30:33, 40:43] += 80  # Less than one level of 8 bit.
    cv2.imwrite(str(irbench_command.folder / "frame.tiff"), frame.astype(np.uint16))
    irbench_command.within(
        "detect", "tophat", "frame.tiff", "--threshold", 8, "--value-range", 0, 16383, "--out", "o"
    )
    content = json.loads((irbench_command.folder / "o" / "detections.json").read_text())
    (detection,) = content["images"][0]["detections"]
    assert detection["box"] == [40, 30, 43, 33]


@pytest.fixture
def some_results(irbench_command, small_dataset):
    """Masks and boxes that a detector elsewhere might have made: the truth, less one target."""
    dataset = irbench.load_dataset(small_dataset, split="test")
    masks = irbench_command.folder / "masks_out"
    texts = irbench_command.folder / "yolo_out"
    for folder in (masks, texts):
        folder.mkdir()
    dropped = False
    for sample in dataset:
        mask = sample.mask.copy()
        boxes = sample.boxes
        if len(boxes) and not dropped:
            x0, y0, x1, y1 = boxes[0].astype(int)
            mask[y0:y1, x0:x1] = False
            boxes, dropped = boxes[1:], True
        cv2.imwrite(str(masks / f"{sample.id}.png"), mask.astype(np.uint8) * 255)
        height, width = sample.shape
        lines = [
            f"0 {(b[0] + b[2]) / 2 / width} {(b[1] + b[3]) / 2 / height} "
            f"{(b[2] - b[0]) / width} {(b[3] - b[1]) / height} 0.9"
            for b in boxes
        ]
        (texts / f"{sample.id}.txt").write_text("\n".join(lines))
    return masks, texts, sum(len(s.boxes) for s in dataset)


def test_somebody_elses_output_becomes_a_row(irbench_command, small_dataset, some_results):
    masks, texts, n_targets = some_results
    irbench_command.run(small_dataset, "brightness")
    evaluate = ("evaluate", "--dataset", small_dataset, "--out", "run", "--predictions")
    irbench_command.within(*evaluate, masks, "--name", "My Net (v2)")
    irbench_command.within(*evaluate, texts, "--name", "My Boxes", "--threshold", 0.5)
    rows = {row["method"]: row for row in irbench_command.results()["rows"]}
    assert set(rows) == {"brightness", "my-net-v2", "my-boxes"}
    for name in ("my-net-v2", "my-boxes"):
        assert rows[name]["precision"] == 1
        assert rows[name]["recall"] == pytest.approx((n_targets - 1) / n_targets)
    assert "single point" in rows["my-net-v2"]["note"]
    assert rows["my-net-v2"]["iou"] > 0.9
    assert rows["my-boxes"]["iou"] is None


def test_calibrate_writes_what_run_takes(irbench_command, small_dataset):
    plugin = ("--plugin", PLUGIN)
    words = ("--dataset", small_dataset, *plugin, "--jobs", 1, "--out", "c.json")
    done = irbench_command.within("calibrate", "--methods", "broken,brightness", *words, status=1)
    assert "Broken: failed: failed on" in done.stderr
    irbench_command.run(small_dataset, "brightness", "own")
    irbench_command.run(small_dataset, "brightness", "given", "--calibration", "c.json")
    own, given = (irbench_command.results(name)["rows"][0] for name in ("own", "given"))
    assert own["f1"] == given["f1"]
    assert own["threshold"] == given["threshold"]
    assert given["calibration"] == "c.json"


def test_basicirstd_cuts_maps_at_half_of_their_maximum(irbench_command, small_dataset):
    irbench_command.run(small_dataset, "brightness,segments", "run", "--protocol", "basicirstd")
    content = irbench_command.results()
    assert content["protocol"]["name"] == "basicirstd"
    for row in content["rows"]:
        assert row["threshold"] == 0.5
        assert row["calibration"] == "none"
