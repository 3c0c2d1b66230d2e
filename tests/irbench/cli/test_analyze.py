"""``irbench analyze`` as users type it."""

from __future__ import annotations

import csv
import io
import json

import click.testing
import cv2
import numpy as np
import orjson
import pytest

from irbench.analysis.study import TABLES
from irbench.cli.analyze import analyze as command
from irbench.detections import Detections
from irbench.engine.storage.directory import RunDirectory
from irbench.engine.storage.image_records import ImageRecord
from irbench.engine.storage.parquet_files import write_detections, write_ground_truth
from irbench.errors import UnknownNameError, UsageError
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions
from irbench.protocol import TABLE1

SHAPE = (40, 56)
METHODS = ("good", "poor")


IDENTITY = {"group": "Test Methods", "year": 2026, "kind": "score-map", "dataset": "folder"}


def write_run(path, data_root=None, with_root=True, threshold=1.0):
    """A run on a folder of images, as the engine leaves it: two methods, one that failed."""
    rng = np.random.default_rng(0)
    truths, found = [], {name: {} for name in METHODS}
    for index in range(8):
        mask = np.zeros(SHAPE, bool)
        mask[8:11, 8:12] = True
        mask[24:30, 30:35] = True
        regions = mask_regions(mask)
        name = f"scene-{index:02d}"
        truths.append(GroundTruth(name, SHAPE, regions.boxes, regions))
        for method in METHODS:
            shift = 0 if method == "good" else rng.integers(0, 4)
            kept = np.roll(mask, shift, axis=1)
            kept[35:38, 2:5] = rng.random() < 0.5
            one = mask_regions(kept)
            found[method][name] = Detections(one.boxes, rng.uniform(0.5, 2, len(one)), one)
        if data_root is not None:
            for folder in ("images", "masks"):
                (data_root / folder).mkdir(parents=True, exist_ok=True)
            image = rng.integers(40, 90, SHAPE).astype(np.uint8)
            image[mask] = 200
            cv2.imwrite(str(data_root / "images" / f"{name}.png"), image)
            cv2.imwrite(str(data_root / "masks" / f"{name}.png"), mask.astype(np.uint8) * 255)
    directory = RunDirectory(path)
    write_ground_truth(directory.ground_truth_file, {"test": truths})
    rows = []
    for name, images in found.items():
        entries = [ImageRecord("test", image, {0.25: one}) for image, one in images.items()]
        write_detections(directory.detections_file(name), entries)
        rows.append(
            {
                **IDENTITY,
                "method": name,
                "title": name.title(),
                "state": "done",
                "threshold": threshold,
            }
        )
    rows.append(
        {
            **IDENTITY,
            "method": "broken",
            "title": "Broken",
            "state": "failed",
            "reason": "no weights",
        }
    )
    dataset = {"name": "folder", "title": "Made up", "split": "test", "scheme": "",
               "n_images": 8, "n_targets": 16}  # fmt: skip
    run = {
        "key": {"protocol": TABLE1.as_dict()},
        "dataset": dataset,
        "methods": {name: {"state": "done", "calibration": {"extent": 0.25}} for name in METHODS},
    }
    if with_root:
        run["data_root"] = str(data_root)
    directory.write(run)
    directory.results_file.write_bytes(orjson.dumps({"rows": rows}))
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("analyze")
    return write_run(folder / "run", folder / "data")


def call(*arguments):
    runner = click.testing.CliRunner()
    arguments = [*map(str, arguments), "--repeats", "3"]
    answer = runner.invoke(command, arguments, standalone_mode=False)
    if answer.exception is not None:
        raise answer.exception
    return answer.stdout


def test_tables_fit_100_columns(run):
    out = call(run)
    assert max(map(len, out.splitlines())) <= 100
    for text in (
        "Made up, split test: 8 images, 16 targets",
        "What became of each target",
        "AP against IoU",
        "Pd against centroid distance",
        "mAP@50 when the ground truth is moved",
        "nIoU when the ground truth is moved",
        "by local signal-to-clutter ratio",
        "by target area",
        "by number of targets",
        "summed over 2 methods",
        "exact boxes",
    ):
        assert text in out
    assert "Broken" not in out
    assert "No breakdown" not in out


def test_json_holds_everything(run):
    content = json.loads(call(run, "--format", "json"))
    assert set(TABLES) <= set(content)
    assert content["titles"] == {"good": "Good", "poor": "Poor"}
    assert content["notes"] == []
    assert {record["by"] for record in content["breakdown"]} == {"scr", "area", "targets"}
    assert all(record["scr"] > 1 for record in content["targets"])
    errors = [r for r in content["errors"] if r["of"] == "targets" and r["method"] == "good"]
    assert sum(record["count"] for record in errors) == 16


def test_csv_holds_the_same(run):
    rows = list(csv.DictReader(io.StringIO(call(run, "--format", "csv"))))
    content = json.loads(call(run, "--format", "json"))
    assert len(rows) == sum(len(content[table]) for table in TABLES)
    assert {row["table"] for row in rows} == set(TABLES)


def test_the_same_seed_answers_the_same(run):
    assert call(run, "--format", "csv") == call(run, "--format", "csv")
    assert call(run, "--format", "csv") != call(run, "--format", "csv", "--seed", 5)


def test_files(run, tmp_path):
    out = call(run, "poor", "--out", tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    assert "written: 20 files" in out
    assert {f"{table}.csv" for table in TABLES} < {file.name for file in folder.iterdir()}
    assert len(list(folder.glob("*.png"))) == 8
    with (folder / "operating.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["method"] == "poor"
    assert json.loads((folder / "analysis.json").read_text())["operating"][0]["threshold"] == 1


def test_one_method_alone(run):
    out = call(run, "good")
    assert "Poor" not in out
    assert "Images with most mistakes;" in out


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("no root", "run.json does not say where the images are"),
        ("gone", "the images of the run are not here"),
        ("changed", "has other targets than in the run"),
        ("torn", "cannot be read"),
    ],
)
def test_without_the_images_there_is_no_ratio(tmp_path, kind, reason):
    data = tmp_path / "data"
    run = write_run(tmp_path / "run", data, with_root=kind != "no root")
    if kind == "gone":
        data.rename(tmp_path / "elsewhere")
    elif kind == "changed":
        cv2.imwrite(str(data / "masks" / "scene-03.png"), np.zeros(SHAPE, np.uint8))
    elif kind == "torn":
        (data / "images" / "scene-03.png").write_bytes(b"\x89PNG no more")
    out = call(run)
    assert reason in " ".join(out.split())
    assert "by local signal-to-clutter ratio" not in out
    assert "by target area" in out


@pytest.mark.parametrize("threshold", [None, "inf"])
def test_a_method_without_a_threshold_or_that_keeps_nothing(tmp_path, threshold):
    run = write_run(tmp_path / "run", tmp_path / "data", threshold=threshold)
    out = call(run, "--out", tmp_path / "out")
    assert "AP against IoU" in out
    assert ("has no threshold" in " ".join(out.split())) == (threshold is None)
    content = json.loads((tmp_path / "out" / "analysis.json").read_text())
    assert content["operating"][0]["threshold"] == threshold


@pytest.mark.parametrize(
    ("methods", "error", "message"),
    [
        (["por"], UnknownNameError, "Did you mean poor?"),
        (["broken"], UsageError, "broken is failed .*: no weights"),
    ],
)
def test_wrong_methods(run, methods, error, message):
    with pytest.raises(error, match=message):
        call(run, *methods)


def test_no_run(tmp_path):
    with pytest.raises(UsageError, match="no run directory"):
        call(tmp_path)
