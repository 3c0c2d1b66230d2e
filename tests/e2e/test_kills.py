"""SIGKILL of a run and all its workers at random moments, until it is done all the same."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PLUGIN = Path(__file__).with_name("plugin_detectors.py")
METHODS = "boxes,slow"


def start(irbench_command, dataset):
    return irbench_command.start(
        "run", "--methods", METHODS, "--dataset", dataset, "--plugin", PLUGIN,
        "--out", "run", "--timing-images", 2, "--jobs", 2,
    )  # fmt: skip


def assert_no_kill_matters(irbench_command, dataset, n_kills, seed):
    """Kill, resume, and kill again; every run that comes to its end is as one nobody touched."""
    chance = random.Random(seed)
    folder = irbench_command.folder / "run"
    # By the clock of this machine, busy as it may be: from the first import to the last file.
    began = time.monotonic()
    process = start(irbench_command, dataset)
    out, err = process.communicate()
    whole_s = time.monotonic() - began
    assert process.returncode == 0, f"{out}\n{err}"
    expected = irbench_command.results()
    shutil.rmtree(folder)
    n_killed = n_whole = 0
    while n_killed < n_kills:
        process = start(irbench_command, dataset)
        try:
            out, err = process.communicate(timeout=chance.uniform(0.05, 1.0) * whole_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            n_killed += 1
            continue
        assert process.returncode == 0, f"{out}\n{err}"
        assert irbench_command.results() == expected
        n_whole += 1
        shutil.rmtree(folder)
    irbench_command.run(dataset, METHODS)
    assert irbench_command.results() == expected
    # Nothing is left of what was being written when the kills came.
    assert not list(folder.rglob("*.tmp"))
    sys.stdout.write(f"{n_killed} kills, {n_whole + 1} runs that came to their end\n")


def test_six_kills_change_nothing(irbench_command, small_dataset):
    assert_no_kill_matters(irbench_command, small_dataset, 6, seed=0)


@pytest.mark.stress
@pytest.mark.parametrize("seed", [1, 2])
def test_many_kills_change_nothing(irbench_command, small_dataset, seed):
    assert_no_kill_matters(irbench_command, small_dataset, 30, seed)
