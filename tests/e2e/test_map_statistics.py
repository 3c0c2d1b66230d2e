"""Metrics of score maps through whole runs: with any number of jobs, killed, or older."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from irbench.engine.storage.results import load_run
from irbench.metrics.counts import Counts
from irbench.metrics.map_statistics import MAP_METRICS, MapCounts

PLUGIN = Path(__file__).with_name("plugin_detectors.py")


def rows_of(results):
    return {row["method"]: row for row in results["rows"]}


def journal_lines(folder):
    """The lines of the journal of ``slow``, once it has some of the tested split."""
    path = folder / "journal" / "slow.jsonl"
    text = path.read_bytes() if path.exists() else b""
    return text.count(b'"split":"test"')


def test_a_run_measures_score_maps(irbench_command, small_dataset):
    irbench_command.run(small_dataset, "brightness,segments,boxes")
    rows = rows_of(irbench_command.results())
    for name in ("brightness", "segments"):
        assert rows[name]["auc"] > 0.9
        assert rows[name]["auc_resolution"] < 0.01
        assert rows[name]["gain_counts"]["scrg"] == {
            "infinite": 0,
            "undefined": 0,
            "erased": 0,
        }
    # The image less its median changes nothing of contrast and clutter.
    for name in ("scrg", "bsf", "cg", "scrg_mean"):
        assert rows["brightness"][name] == pytest.approx(1)
    assert {rows["boxes"]["undefined"][name] for name in MAP_METRICS} == {
        "the method returns boxes only"
    }
    folder = irbench_command.folder / "run"
    assert sorted(p.name for p in (folder / "map_statistics").iterdir()) == [
        *("brightness.parquet", "segments.parquet")
    ]
    # What is on disk is enough to score again.
    run = load_run(folder)
    assert run.map_statistics("boxes") is None
    maps = run.map_statistics("brightness")
    truths = run.ground_truth["test"]
    again = Counts(maps=MapCounts.of([maps[truth.id] for truth in truths]))
    assert {name: again.value(metric).value for name, metric in MAP_METRICS.items()} == {
        name: rows["brightness"][name] for name in MAP_METRICS
    }


@pytest.mark.slow
def test_jobs_and_a_kill_change_nothing(irbench_command, small_dataset):
    """Two jobs, one job, and a run killed among its tested images are equal in every number."""
    irbench_command.run(small_dataset, "slow", "two", "--jobs", 2)
    irbench_command.run(small_dataset, "slow", "one")
    # After the 12 validation images, and some of the tested ones.
    irbench_command.environment = {"HOLD_AFTER": "17"}
    process = irbench_command.start(
        "run", "--methods", "slow", "--dataset", small_dataset, "--plugin", PLUGIN,
        "--out", "killed", "--timing-images", 0, "--jobs", 1,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while journal_lines(irbench_command.folder / "killed") < 3:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (irbench_command.folder / "killed" / "map_statistics").exists()
    irbench_command.run(small_dataset, "slow", "killed")
    expected = irbench_command.results("one")
    assert rows_of(expected)["slow"]["auc"] > 0.9
    assert irbench_command.results("two") == expected
    assert irbench_command.results("killed") == expected


def test_a_directory_without_measured_maps_is_still_read(irbench_command, small_dataset):
    irbench_command.run(small_dataset, "brightness,boxes")
    folder = irbench_command.folder / "run"
    before = rows_of(irbench_command.results())["brightness"]
    shutil.rmtree(folder / "map_statistics")
    # As an older version wrote it.
    content = json.loads((folder / "results.json").read_text())
    for row in content["rows"]:
        for name in (*MAP_METRICS, "auc_resolution", "gain_counts"):
            row.pop(name, None)
    (folder / "results.json").write_text(json.dumps(content))
    assert load_run(folder).map_statistics("brightness") is None
    irbench_command.within("report", folder, "--format", "csv", "--columns", "all")
    irbench_command.run(small_dataset, "brightness,boxes")
    row = rows_of(irbench_command.results())["brightness"]
    assert row["f1"] == before["f1"]
    assert row["auc"] is None
    assert "not measured" in row["undefined"]["auc"]


def test_failed_images_count_as_black_maps(irbench_command, small_dataset):
    irbench_command.run(small_dataset, "fragile,brightness", status=1)
    rows = rows_of(irbench_command.results())
    assert rows["fragile"]["state"] == "partial"
    assert 0 < rows["fragile"]["auc"] < rows["brightness"]["auc"]
