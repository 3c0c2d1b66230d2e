"""SIGKILL of a training, and of a report that is being written, at random moments."""

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

TRAINABLE = Path(__file__).parents[1] / "irbench" / "training" / "trainable_plugin.py"


class Killed:
    """A command that is started again and again, and killed at a random moment each time."""

    def __init__(self, folder, *arguments):
        self.folder, self.words = folder, [sys.executable, "-m", "irbench", *map(str, arguments)]
        self.n_killed = 0

    def once(self, after_s, *more):
        """Whether it came to its end before it was killed."""
        process = subprocess.Popen(
            [*self.words, *more], cwd=self.folder, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        try:
            out, err = process.communicate(timeout=after_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            self.n_killed += 1
            return False
        assert process.returncode == 0, f"{out}\n{err}"
        return True


@pytest.mark.stress
def test_ten_kills_of_a_training_change_no_weight(tmp_path):
    load_file = pytest.importorskip("safetensors.torch").load_file
    training = (
        "train", "drop-net", "--plugin", TRAINABLE, "--dataset", "trap-scenes", "--out", "out",
        "--imgsz", 32, "--device", "cpu", "--threads", 1, "--batch", 4, "--epochs", 40,
        "--set", "warmup_epochs=1", "--precision", "float32",
    )  # fmt: skip
    folders = {name: tmp_path / name for name in ("whole", "killed")}
    for folder in folders.values():
        folder.mkdir()
    begun = time.monotonic()
    assert Killed(folders["whole"], *training).once(None)
    whole_s = time.monotonic() - begun
    chance, command = random.Random(0), Killed(folders["killed"], *training)
    n_whole = 0
    while command.n_killed < 10:
        resumed = (folders["killed"] / "out" / "checkpoint").exists()
        if command.once(chance.uniform(0.1, 0.9) * whole_s, *(("--resume",) if resumed else ())):
            assert_same(load_file, folders)
            n_whole += 1
            shutil.rmtree(folders["killed"] / "out")
    resumed = (folders["killed"] / "out" / "checkpoint").exists()
    assert command.once(None, *(("--resume",) if resumed else ()))
    assert_same(load_file, folders)
    sys.stdout.write(f"\n10 kills of a training, {n_whole + 1} that came to their end\n")


def assert_same(load_file, folders):
    whole, killed = (
        load_file(folder / "out" / "drop-net-trap-scenes.safetensors")
        for folder in folders.values()
    )
    assert whole.keys() == killed.keys()
    assert all(one.equal(killed[name]) for name, one in whole.items())


@pytest.mark.stress
def test_kills_while_a_report_is_written_leave_no_half_file(tmp_path):
    run = (
        "run", "--methods", "tophat,maxmedian", "--dataset", "synth", "--timing-images", 2,
        "--out", "run",
    )  # fmt: skip
    assert Killed(tmp_path, *run).once(None)
    formats = ("--format", "latex,markdown,csv,html,figures")
    begun = time.monotonic()
    assert Killed(tmp_path, "report", "run", *formats, "--out", "whole").once(None)
    whole_s = time.monotonic() - begun
    chance, command = random.Random(1), Killed(tmp_path, "report", "run", *formats, "--out", "some")
    whole = {file.name: file for file in (tmp_path / "whole").rglob("*") if file.is_file()}
    while command.n_killed < 10:
        command.once(chance.uniform(0.3, 1.0) * whole_s)
        for file in (tmp_path / "some").rglob("*"):
            if file.is_file() and not file.name.endswith(".tmp"):
                assert file.read_bytes() == whole[file.name].read_bytes(), file
    assert command.once(None)
    written = {file.name for file in (tmp_path / "some").rglob("*") if file.is_file()}
    assert written == whole.keys()
