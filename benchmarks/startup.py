"""How long a command takes to begin: whole processes, beside ``python -c pass``.

    python benchmarks/startup.py

Commands take turns, so that all see the same machine; the median of the ratios to Python's own
start in the same turn is what can be compared between machines.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

N_TURNS = 11

PYTHON = (sys.executable, "-c", "pass")


@dataclass(frozen=True)
class Begun:
    """A command, and the most seconds that it may take on an idle core."""

    arguments: tuple[str, ...]
    aim_s: float

    @property
    def command(self) -> tuple[str, ...]:
        """What is started."""
        return (sys.executable, "-m", "irbench", *self.arguments)


AIMS = (
    Begun(("--help",), 0.3),
    Begun(("methods", "list"), 0.6),
    Begun(("run", "--help"), 0.3),
)


def run(command: tuple[str, ...]) -> tuple[float, float]:
    """Seconds on the clock, and of processor time, which a busy machine stretches less."""
    # Python writes what it has compiled once, as an installed package has it.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    elapsed = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    for one in AIMS:
        run(one.command)
    turns = [[run(PYTHON), *(run(one.command) for one in AIMS)] for _ in range(N_TURNS)]
    python_s, *times = zip(*turns, strict=True)
    print(f"python -c pass           {statistics.median(clock for clock, _ in python_s):6.3f} s")
    missed = 0
    for one, took in zip(AIMS, times, strict=True):
        clock = statistics.median(clock for clock, _ in took)
        cpu = statistics.median(cpu for _, cpu in took)
        pairs = zip(took, python_s, strict=True)
        ratio = statistics.median(ours[1] / bare[1] for ours, bare in pairs)
        # On an idle core the two times are one.
        verdict = "within" if cpu <= one.aim_s else "BEYOND"
        missed += cpu > one.aim_s
        print(
            f"irbench {' '.join(one.arguments):16} {clock:6.3f} s  processor {cpu:6.3f} s, "
            f"{ratio:4.1f} times Python's own; {verdict} {one.aim_s} s"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
