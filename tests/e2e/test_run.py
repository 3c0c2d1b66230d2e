"""``irbench run`` as users see it: complete, killed, failing, resumed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from pathlib import Path

import pandas as pd
import pytest

PLUGIN = Path(__file__).with_name("plugin_detectors.py")


def rows_of(results):
    return {row["method"]: row for row in results["rows"]}


def test_every_kind_of_detector_becomes_a_row(irbench_command, small_dataset):
    done = irbench_command.run(
        small_dataset, "brightness,segments,boxes", "run", "--timing-images", 2, "--jobs", 2
    )
    rows = rows_of(irbench_command.results())
    assert set(rows) == {"brightness", "segments", "boxes"}
    for row in rows.values():
        assert row["state"] == "done"
        assert row["n_images"] == 14
        assert row["f1"] > 0.3
        assert row["calibration"] == "validation"
    assert rows["brightness"]["extent"] is not None
    assert rows["boxes"]["extent"] is None
    assert rows["boxes"]["iou"] is None
    assert "boxes" in rows["boxes"]["undefined"]["iou"]
    assert rows["segments"]["iou"] > 0
    assert "Brightness" in done.stdout
    assert "irbench report" in done.stdout
    # What is undefined is left empty, and never a NaN that would spoil a reader's sums.
    folder = irbench_command.folder / "run"
    for text in (done.stdout, *(p.read_text() for p in folder.glob("results.*"))):
        assert not re.search(r"\bnan\b", text, re.IGNORECASE)
    times = pd.read_parquet(folder / "timings" / "brightness.parquet")
    assert times[["pre_ms", "compute_ms", "post_ms"]].notna().all(axis=None)


def test_methods_can_be_added_to_a_run(irbench_command, small_dataset):
    irbench_command.run(small_dataset, "brightness")
    irbench_command.run(small_dataset, "boxes")
    added = irbench_command.results()
    irbench_command.run(small_dataset, "boxes,brightness", "at once")
    at_once = irbench_command.results("at once")
    assert added == at_once


def test_the_number_of_jobs_changes_nothing(irbench_command, small_dataset):
    irbench_command.run(small_dataset, "brightness,segments", "two", "--jobs", 2)
    irbench_command.run(small_dataset, "brightness,segments", "one")
    assert irbench_command.results("one") == irbench_command.results("two")


@pytest.mark.slow
def test_ctrl_c_and_sigterm_leave_a_run_to_go_on_with(irbench_command, small_dataset):
    folder = irbench_command.folder / "run"
    journal = folder / "journal" / "slow.jsonl"
    irbench_command.environment = {"HOLD_AFTER": "6"}
    for n_lines, send, number in ((3, os.killpg, signal.SIGINT), (8, os.kill, signal.SIGTERM)):
        process = irbench_command.start(
            "run", "--methods", "slow,boxes", "--dataset", small_dataset, "--plugin", PLUGIN,
            "--out", "run", "--jobs", 1, "--timing-images", 0,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not (journal.exists() and journal.read_bytes().count(b"\n") > n_lines):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        send(process.pid, number)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "same command" in err
        assert "Traceback" not in err
        assert rows_of(irbench_command.results())["slow"]["state"] == "interrupted"
        events = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        told = [one["event"] for one in events[-3:]]
        assert told == ["method_interrupted", "method_interrupted", "interrupted"]
    irbench_command.run(small_dataset, "slow,boxes")
    assert rows_of(irbench_command.results())["slow"]["state"] == "done"


def test_a_method_that_fails_harms_no_other(irbench_command, small_dataset):
    done = irbench_command.run(small_dataset, "broken,fragile,brightness", status=1)
    rows = rows_of(irbench_command.results())
    assert rows["broken"]["state"] == "failed"
    assert "never works" in rows["broken"]["reason"]
    assert rows["fragile"]["state"] == "partial"
    assert rows["fragile"]["n_failed"] > 0
    assert rows["brightness"]["state"] == "done"
    assert "never works" in done.stderr


@pytest.mark.slow
def test_a_worker_that_hangs_costs_its_image_only(irbench_command, small_dataset):
    irbench_command.run(
        small_dataset, "hanging,brightness", "run",
        "--timeout", 15, "--jobs", 2, "--protocol", "basicirstd", status=1,
    )  # fmt: skip
    rows = rows_of(irbench_command.results())
    assert rows["hanging"]["state"] == "partial", rows["hanging"]["reason"]
    assert 0 < rows["hanging"]["n_failed"] < 14
    assert "took longer than 15 s" in rows["hanging"]["reason"]
    assert rows["brightness"]["state"] == "done"


def test_an_unreadable_image_is_left_out_for_every_method(irbench_command, small_dataset, tmp_path):
    copy = tmp_path / "damaged"
    shutil.copytree(small_dataset, copy)
    whole = (copy / "images" / "scene_20.png").read_bytes()
    (copy / "images" / "scene_20.png").write_bytes(whole[: len(whole) // 2])
    done = irbench_command.run(copy, "brightness,boxes", status=1)
    assert "scene_20" in done.stderr
    assert "1 unreadable image was left out" in done.stderr
    assert f"`irbench data verify {copy}` names them" in done.stderr
    for row in irbench_command.results()["rows"]:
        assert row["n_images"] == 13
        assert row["state"] == "done"


def test_another_key_in_the_directory_is_refused(irbench_command, small_dataset):
    irbench_command.run(small_dataset, "brightness")
    done = irbench_command.run(
        small_dataset, "brightness", "run", "--param", "brightness.gain=2", status=2
    )
    assert "gain: 1.0 -> 2.0" in done.stderr
    done = irbench_command.run(small_dataset, "brightness", "run", "--limit", 3, status=2)
    assert "limit" in done.stderr


def test_a_calibration_can_be_taken_from_another_run(irbench_command, small_dataset):
    irbench_command.run(small_dataset, "brightness", "first")
    irbench_command.run(small_dataset, "brightness", "second", "--calibration", "first")
    first, second = (rows_of(irbench_command.results(r))["brightness"] for r in ("first", "second"))
    assert first["f1"] == second["f1"]
    assert second["calibration"] == "first"


def test_bad_arguments_say_what_to_do(irbench_command, small_dataset):
    cases = {
        ("run", "--methods", "tophatt", "--dataset", "synth"): "Did you mean tophat",
        ("run", "--dataset", "nuddt"): "Did you mean nudt",
        ("run", "--methods", "tophat", "--dataset", "synth", "--param", "tophat.size=4"): "odd",
        ("run", "--methods", "tophat", "--dataset", "synth", "--param", "size=5"): "METHOD.PARAM",
        ("run", "--methods", "tophat", "--dataset", "synth", "--plugin", "no.py"): "must name a",
        ("rum",): "Did you mean run",
    }
    for arguments, expected in cases.items():
        done = irbench_command(*arguments, status=2)
        assert expected in done.stderr
        assert "Traceback" not in done.stderr
