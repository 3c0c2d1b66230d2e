"""Workers that crash, run out of memory, or are left behind."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.slow

PLUGIN = Path(__file__).with_name("plugin_detectors.py")

WAIT_S = 60
"""Longest wait for something that takes a second or two."""


def wait_until(holds, what):
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_whatever_happens_to_a_worker_its_image_alone_is_lost(irbench_command, small_dataset):
    expected = {
        "segfaulting": "SIGSEGV",
        "greedy": "MemoryError",
        "untellable": "UntellableError: this and that",
        "exiting": "SystemExit: 3",
    }
    methods = ",".join((*expected, "brightness"))
    irbench_command.run(small_dataset, methods, "run", "--jobs", 2, status=1)
    rows = {row["method"]: row for row in irbench_command.results()["rows"]}
    assert rows["brightness"]["state"] == "done"
    for method in expected:
        assert rows[method]["state"] == "partial"
        assert 0 < rows[method]["n_failed"] < 14
        assert expected[method] in rows[method]["reason"]
        # The other images were not harmed.
        assert rows[method]["n_failed"] == rows["exiting"]["n_failed"]


def test_workers_end_with_a_parent_that_is_killed(irbench_command, small_dataset):
    process = irbench_command.start(
        "run", "--methods", "endless", "--dataset", small_dataset, "--plugin", PLUGIN,
        "--out", "run", "--jobs", 2, "--timing-images", 0,
    )  # fmt: skip
    folder = irbench_command.folder

    def workers():
        return [int(path.name.removeprefix("worker-")) for path in folder.glob("worker-*")]

    wait_until(lambda: len(workers()) == 2, "the workers do not start")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=WAIT_S)
    # The streams are closed, and the processes gone, although their images never end.
    wait_until(lambda: not any(map(psutil.pid_exists, workers())), "workers are left behind")


def test_the_second_command_in_a_directory_is_refused(irbench_command, small_dataset, unbroken_run):
    first = irbench_command.start(
        "run", "--methods", "slow,boxes", "--dataset", small_dataset, "--plugin", PLUGIN,
        "--out", "run", "--jobs", 1, "--timing-images", 2,
    )  # fmt: skip
    journal = irbench_command.folder / "run" / "journal" / "slow.jsonl"
    wait_until(journal.exists, "the first run does not start")
    done = irbench_command.run(small_dataset, "slow,boxes", status=2)
    assert "is being written by another irbench process" in done.stderr
    assert "Traceback" not in done.stderr
    _, err = first.communicate(timeout=300)
    assert first.returncode == 0, err
    assert irbench_command.results("run") == unbroken_run
