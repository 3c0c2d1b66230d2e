"""Cores, memory, and environment variables that change how irbench runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from irbench.doctor.diagnosis import Diagnosis
from irbench.images.limits import VARIABLE as PIXELS_VARIABLE
from irbench.process.processor_wait import competing_load

WORKER_BYTES = 400e6
"""What one worker process takes on images of ordinary size, roughly."""

THREAD_VARIABLE = "OMP_NUM_THREADS"

REPORTED_VARIABLES = (
    "CUDA_VISIBLE_DEVICES", PIXELS_VARIABLE, "MKL_NUM_THREADS", "NO_COLOR", THREAD_VARIABLE,
    "OPENBLAS_NUM_THREADS", "PYTHONDONTWRITEBYTECODE",
)  # fmt: skip


def check_machine() -> Iterator[Diagnosis]:
    """Processor, cores and memory."""
    import psutil

    from irbench.process.provenance import machine_facts

    facts = machine_facts()
    yield Diagnosis("system", "ok", f"{facts['system']}, {facts['processor']}")
    yield from cores_and_memory(facts["cores"], quota(), psutil.virtual_memory().available)
    yield from other_programs(competing_load(1))


def cores_and_memory(
    n_cores: int, quota: float | None, available_bytes: int
) -> Iterator[Diagnosis]:
    """Whether as many workers as there are cores do well.

    Parameters
    ----------
    n_cores : int
        That this process may use.
    quota : float or None
        Cores' worth of time that its container has.
    available_bytes : int
        Memory that is free.
    """
    free = f"{available_bytes / 1e9:.1f} GB of memory free"
    if quota is not None and quota < n_cores - 0.5:
        yield Diagnosis(
            "cores",
            "warning",
            f"{n_cores} cores are seen, but the container has the time of {quota:g}",
            f"irbench run --jobs {max(int(quota), 1)}",
        )
    else:
        yield Diagnosis("cores", "ok", f"{n_cores}: as many worker processes by default")
    fitting = int(available_bytes // WORKER_BYTES)
    if fitting < n_cores:
        yield Diagnosis(
            "memory",
            "warning",
            f"{free}: {n_cores} workers may take {n_cores * WORKER_BYTES / 1e9:.1f} GB",
            f"irbench run --jobs {max(fitting, 1)}",
        )
    else:
        yield Diagnosis("memory", "ok", free)


def other_programs(load: float | None) -> Iterator[Diagnosis]:
    """Whether times that are measured now would be those of an idle machine.

    Parameters
    ----------
    load : float or None
        See :func:`irbench.process.processor_wait.competing_load`.
    """
    if load is not None:
        yield Diagnosis(
            "load",
            "warning",
            f"other programs compute (load average {load:.1f}): times of `irbench run`, `profile` "
            "and `choose` would be upper bounds",
            "irbench run --time-again, when nothing else runs, times what is done",
        )


def quota(path: Path = Path("/sys/fs/cgroup/cpu.max")) -> float | None:
    """Cores' worth of time that the control group may use; None for no limit."""
    try:
        share, period = path.read_text().split()
        return None if share == "max" else int(share) / int(period)
    except (OSError, ValueError):
        return None


def check_environment(environment: Mapping[str, str] = os.environ) -> Iterator[Diagnosis]:
    """Variables that change what is computed where, and how fast."""
    parts = [f"{name}={environment[name]}" for name in REPORTED_VARIABLES if name in environment]
    if environment.get(THREAD_VARIABLE) == "1":
        yield Diagnosis(
            "threads",
            "warning",
            f"{THREAD_VARIABLE}=1: `irbench train` on a CPU uses one core",
            f"unset {THREAD_VARIABLE}; the workers of `irbench run` have one thread each anyway",
        )
    if parts:
        yield Diagnosis("environment", "note", ", ".join(parts))
