"""irbench.load_run: frames that agree with what the run's own files say."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import irbench
from irbench.errors import UsageError

from .conftest import CommandLine


@pytest.fixture(scope="module")
def folder(tmp_path_factory, small_dataset):
    """Score maps, boxes, a method that fails on some images and one that fails on all."""
    folder = tmp_path_factory.mktemp("runs")
    CommandLine(folder).run(
        small_dataset, "brightness,boxes,fragile,broken", "run", "--timing-images", 2, status=1
    )
    return folder / "run"


@pytest.fixture(scope="module")
def run(folder):
    return irbench.load_run(folder)


def rows_of(folder):
    return {row["method"]: row for row in json.loads((folder / "results.json").read_text())["rows"]}


def test_results_are_those_of_the_file(run, folder):
    rows = rows_of(folder)
    assert list(run.results.index) == list(rows)
    assert run.results.loc["broken", "state"] == "failed"
    for name in ("map50", "f1", "fa", "iou", "ms_median", "threshold"):
        assert run.results[name].dtype == np.float64
        for method, row in rows.items():
            expected = np.nan if row.get(name) is None else float(row[name])
            np.testing.assert_equal(run.results.loc[method, name], expected)
    assert run.results["n_targets"].dtype == "Int64"
    assert run.results.loc["brightness", "n_targets"] == len(run.ground_truth)
    assert pd.isna(run.results.loc["broken", "n_targets"])
    reasons = run.undefined.set_index(["method", "metric"])["reason"]
    assert reasons["boxes", "iou"] == rows["boxes"]["undefined"]["iou"]
    values = run.parameters.set_index(["method", "parameter"])["value"]
    assert values["brightness", "gain"] == 1.0


def test_precision_recall_and_times_follow_from_the_frames(run):
    kept = run.detections[run.detections["kept"]]
    for method in ("brightness", "boxes", "fragile"):
        of_method = kept[kept["method"] == method]
        hits = of_method["target"].dropna()
        assert hits.is_unique
        assert len(hits) / len(of_method) == pytest.approx(run.results.loc[method, "precision"])
        assert len(hits) / len(run.ground_truth) == pytest.approx(run.results.loc[method, "recall"])
    alone = run.timings[run.timings["purpose"] == "timing"].groupby("method", observed=True)
    medians = alone["total_ms"].median()
    assert medians["boxes"] == pytest.approx(run.results.loc["boxes", "ms_median"])


def test_a_hit_overlaps_its_target(run):
    hits = run.detections[run.detections["target"].notna()]
    pairs = hits.join(run.ground_truth.add_suffix("_target"), on="target")
    assert (pairs["image"].astype(str) == pairs["image_target"].astype(str)).all()
    left, right = pairs[["x0", "x0_target"]].max(axis=1), pairs[["x1", "x1_target"]].min(axis=1)
    top, bottom = pairs[["y0", "y0_target"]].max(axis=1), pairs[["y1", "y1_target"]].min(axis=1)
    shared = (right - left) * (bottom - top)
    both = sum(
        (pairs[f"x1{end}"] - pairs[f"x0{end}"]) * (pairs[f"y1{end}"] - pairs[f"y0{end}"])
        for end in ("", "_target")
    )
    assert (shared / (both - shared) >= 0.5).all()


def test_ground_truth_and_images_are_those_of_the_masks(run, small_dataset):
    dataset = irbench.load_dataset(str(small_dataset), split="test")
    assert list(run.images.index) == [sample.id for sample in dataset]
    assert 0 in set(run.images["n_targets"])
    areas = run.ground_truth.groupby("image", observed=False)["area"].sum()
    for sample in dataset:
        assert areas[sample.id] == sample.mask.sum()
        assert tuple(run.images.loc[sample.id, ["height", "width"]]) == sample.mask.shape
    assert str(run.detections["image"].dtype) == "category"
    assert {str(run.detections[side].dtype) for side in ("x0", "y0", "x1", "y1", "score")} == {
        "float32"
    }


def test_failed_images_say_why(run):
    failed = run.timings[run.timings["error"] != ""]
    assert set(failed["method"]) >= {"fragile"}
    assert failed["error"].str.contains("not to my liking|never works").all()
    assert failed["total_ms"].isna().all()


def test_figures_are_functions(run):
    figure = run.figures["precision-recall"]()
    assert figure.axes
    assert {"pd-fa", "detections"} <= set(run.figures)


def test_what_is_no_run_is_said_so(tmp_path):
    with pytest.raises(UsageError, match="no run directory"):
        irbench.load_run(tmp_path)
