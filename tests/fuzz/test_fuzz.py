"""Damaged files: every reader refuses them by an error of irbench, or reads something valid.

Each reader works in a process of its own kind, since some decode by native code: a crash,
a hang or a file outside its place is found like a wrong exception.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("readers.py")
LIGHT = (
    *("image", "mask", "yolo", "voc", "coco", "predictions", "split lists", "archive", "recipe"),
    *("labelme", "cvat", "yolo columns", "folder", "foreign labels"),
    *("calibration", "run.json", "results.json", "journal", "parquet", "baseline"),
)
HEAVY = ("card", "weights", "checkpoint")
"""Those that need torch."""


def fuzz(folder, readers, n_inputs, seed=0):
    command = [
        sys.executable,
        str(SCRIPT),
        ",".join(readers),
        str(n_inputs),
        str(seed),
        str(folder),
    ]
    environment = {**os.environ, "OPENCV_LOG_LEVEL": "SILENT", "OMP_NUM_THREADS": "1"}
    # The script finds its readers beside it.
    environment.pop("PYTHONSAFEPATH", None)
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, check=False, timeout=4 * 3600
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    wrong = [line for line in lines if "error" in line]
    tried = {line["reader"]: line for line in lines if "tried" in line}
    for line in tried.values():
        counts = f"{line['tried']} tried, {line['refused']} refused"
        sys.stdout.write(f"{line['reader']}: {counts}, {line['seconds']} s of the processor\n")
    assert not wrong, f"{len(wrong)} inputs, such as {wrong[:3]}"
    last = folder / "input"
    in_work = base64.b64encode(last.read_bytes())[:4000] if last.exists() else b""
    assert done.returncode == 0, f"{done.stderr[-2000:]}\nthe last input: {in_work}"
    assert tried.keys() == set(readers)
    # Neither harmless nor hopeless: some of the damage is seen, and the readers were reached.
    assert all(line["refused"] > 0 for line in tried.values())


@pytest.fixture
def place():
    """A folder in memory where there is one: a disk's waits would be most of the time."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def test_damaged_files_are_refused_or_read(place):
    fuzz(place, LIGHT, 60)


def test_damaged_weights_are_refused_or_read(place):
    pytest.importorskip("torch")
    fuzz(place, HEAVY, 60)


@pytest.mark.stress
@pytest.mark.parametrize("reader", [*LIGHT, *HEAVY])
def test_many_damaged_files_are_refused_or_read(place, reader):
    if reader in HEAVY:
        pytest.importorskip("torch")
    fuzz(place, [reader], 5000, seed=1)
