"""Commands in processes of their own, with what they take."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Taken:
    """Of one command: seconds by the clock, and the largest memory of its main process.

    Linux counts what this process had at most when it started the other one: an upper bound.
    """

    seconds: float
    peak_mb: float
    out: str


@pytest.fixture
def measured(tmp_path):
    """Runs ``irbench`` in the test's folder and says what it took."""

    def run(*arguments, status=0):
        words = [sys.executable, "-m", "irbench", *map(str, arguments)]
        log = tmp_path / "output.txt"
        begun = time.monotonic()
        with log.open("w") as stream:
            process = subprocess.Popen(
                words, cwd=tmp_path, stdout=stream, stderr=subprocess.STDOUT,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
            _, code, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
        text = log.read_text()
        assert process.returncode == status, text
        # Kilobytes on Linux, bytes on macOS.
        unit = 1e6 if sys.platform == "darwin" else 1e3
        taken = Taken(time.monotonic() - begun, usage.ru_maxrss / unit, text)
        command = " ".join(map(str, arguments[:4]))
        sys.stdout.write(f"\n{command} …: {taken.seconds:.0f} s, {taken.peak_mb:.0f} MB\n")
        return taken

    return run
