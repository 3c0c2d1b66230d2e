"""What a whole command takes, its children included."""

from __future__ import annotations

import os
import subprocess
import time


def command_seconds(command: list[str]) -> tuple[float, float]:
    """Elapsed and processor seconds."""
    start, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    return time.perf_counter() - start, used
