"""Running a check in a process of its own, since what it tries may crash or hang."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

TIMEOUT_S = 180.0


@dataclass(frozen=True)
class Isolated:
    """What came out of a process.

    Attributes
    ----------
    records : list of dict
        The lines of JSON that it printed.
    trouble : str
        How it failed, in words; empty if it did not.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    trouble: str = ""


def run_isolated(program: str, *arguments: str, timeout_s: float = TIMEOUT_S) -> Isolated:
    """Run a Python program that prints a line of JSON for each thing it has found.

    Parameters
    ----------
    program : str
    *arguments : str
        Its ``sys.argv[1:]``.
    timeout_s : float

    Returns
    -------
    Isolated
        With what was printed before it failed, if it did.
    """
    command = [sys.executable, "-c", program, *arguments]
    trouble = ""
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=timeout_s, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as expired:
        out, trouble = expired.stdout or b"", f"took longer than {timeout_s:g} s"
    except OSError as error:
        out, trouble = b"", f"cannot be started: {error}"
    else:
        out = done.stdout
        if done.returncode:
            trouble = _last_words(done.returncode, done.stderr)
    return Isolated(list(_records(out)), trouble)


def _records(out: bytes) -> list[dict[str, Any]]:
    # Libraries print what they like; only our own lines are objects of JSON.
    lines = (line for line in out.splitlines() if line.startswith(b"{"))
    return [json.loads(line) for line in lines]


def _last_words(status: int, stderr: bytes) -> str:
    if status < 0:
        try:
            return f"crashed: {signal.Signals(-status).name}"
        except ValueError:
            return f"crashed: signal {-status}"
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {status}"
