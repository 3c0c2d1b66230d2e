"""The commands that the pages of results are made by."""

from __future__ import annotations

import subprocess
import sys


def irbench(*arguments: object, quiet: bool = False) -> None:
    """Run one command of irbench, as a reader would."""
    command = [sys.executable, "-m", "irbench", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL if quiet else None)
