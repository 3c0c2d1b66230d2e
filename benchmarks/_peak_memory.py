"""The greatest resident memory of a process that computes one score map.

Run as a script it is that process: ``python _peak_memory.py METHOD SIDE [PARAMETERS]``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Peak:
    """What a fresh process took for one image.

    Attributes
    ----------
    bytes : int or None
        Greatest resident memory, interpreter and libraries included; None where the
        system does not tell.
    seconds : float
        Of the score map.
    """

    bytes: int | None
    seconds: float


def measure_peak(method: str, side: int, parameters: dict[str, Any] | None = None) -> Peak:
    """Compute one score map in a fresh process.

    Raises
    ------
    RuntimeError
        If the process fails; with what it wrote last.
    """
    command = [sys.executable, __file__, method, str(side), json.dumps(parameters or {})]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    if child.returncode != 0:
        reason = child.stderr.strip().splitlines()[-1:] or [f"exit status {child.returncode}"]
        raise RuntimeError(reason[0])
    answer = json.loads(child.stdout)
    return Peak(answer["bytes"], answer["seconds"])


def high_water_mark() -> int | None:
    """Greatest resident memory of this process since it started, in bytes.

    Not ``getrusage``, whose figure a child inherits from its parent.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def _main() -> None:
    from _one_thread import use_one_thread

    use_one_thread()

    from _images import benchmark_image

    import irbench
    from irbench.resources import keep_freed_memory

    keep_freed_memory()
    name, side, parameters = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    method: Any = irbench.load_method(name, **parameters)
    image = method.preprocess(benchmark_image(0, side))
    start = time.perf_counter()
    method.compute(image)
    seconds = time.perf_counter() - start
    print(json.dumps({"bytes": high_water_mark(), "seconds": seconds}))


if __name__ == "__main__":
    _main()
