"""Python files beside the user's data are data: no process of a command imports them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

# Modules that a starting worker, and the one that spawns it, import.
NAMES = ("signal", "threading", "pickle", "struct", "secrets", "tempfile", "runpy", "numpy", "cv2")


@pytest.fixture
def trapped_folder(tmp_path):
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(
            f"import pathlib\npathlib.Path(r'{tmp_path}', 'imported-{name}').touch()\n"
            "raise SystemExit('the current folder was imported')\n"
        )
    return tmp_path


@pytest.mark.parametrize("entry", ["script", "module"])
def test_a_run_with_workers_and_its_figures(trapped_folder, entry):
    script = str(Path(sys.executable).with_name("irbench"))
    # runpy itself is imported before any code of ours runs: only Python's own -P helps there.
    command = [script] if entry == "script" else [sys.executable, "-m", "irbench"]
    if entry == "module":
        (trapped_folder / "runpy.py").unlink()
    arguments = [
        "--methods",
        "tophat",
        "--dataset",
        "synth",
        "--limit",
        "2",
        "--timing-images",
        "0",
    ]
    for more in (
        ["run", *arguments, "--jobs", "2"],
        ["report", "runs/synth", "--format", "figures"],
    ):
        done = subprocess.run(
            [*command, *more], cwd=trapped_folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert not list(trapped_folder.glob("imported-*"))
