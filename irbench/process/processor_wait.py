"""How long a thread waited for a processor that others had: what makes a measured time too long."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from irbench.resources import n_cores

BUSY_SHARE = 0.1
"""From this share of waiting on, a measured time is called an upper bound."""

_SLACK = 0.5
"""Load that is not counted as others': this process's own of a moment ago."""


def waited_s(path: Path = Path("/proc/thread-self/schedstat")) -> float | None:
    """Seconds that this thread was ready to compute and did not, as no processor was free.

    Linux counts them for each thread. What waits for a disk, a lock or another thread is not
    among them.

    Parameters
    ----------
    path : Path
        With three numbers: nanoseconds computed, nanoseconds waited, turns.

    Returns
    -------
    float or None
        None where the system does not count.
    """
    try:
        computed, waited, turns = map(int, path.read_text().split())
    except (OSError, ValueError):
        return None
    return None if computed == waited == turns == 0 else waited / 1e9


class ProcessorWait:
    """The share of its lifetime that this thread waited for a processor."""

    def __init__(self) -> None:
        self._begun, self._before = time.perf_counter(), waited_s()

    def share(self) -> float | None:
        """From the beginning until now, 0 to 1; None where the system does not count."""
        now, elapsed = waited_s(), time.perf_counter() - self._begun
        if now is None or self._before is None or elapsed <= 0:
            return None
        return min(max((now - self._before) / elapsed, 0.0), 1.0)


def is_busy(share: float | None) -> TypeGuard[float]:
    """Whether times with so much waiting say more of the machine than of what was timed."""
    return share is not None and share >= BUSY_SHARE


def upper_bounds(rows: Sequence[Mapping[str, Any]]) -> str:
    """What is to be said of the times of a table, as far as the machine did other things.

    Parameters
    ----------
    rows : sequence of mapping
        Of results, with ``title`` and, where a timing pass was measured, ``waited_share``.

    Returns
    -------
    str
        A sentence; empty where all were measured on an idle machine, or nobody knows.

    Examples
    --------
    >>> upper_bounds([{"title": "IPI", "waited_share": 0.42}, {"title": "MPCM", "fps": 9.0}])
    'Measured while other programs ran, so upper bounds: the times of IPI (42 % waiting).'
    """
    busy = {row["title"]: row["waited_share"] for row in rows if is_busy(row.get("waited_share"))}
    if not busy:
        return ""
    listed = ", ".join(f"{title} ({100 * share:.0f} % waiting)" for title, share in busy.items())
    return f"Measured while other programs ran, so upper bounds: the times of {listed}."


def competing_load(n_threads: int) -> float | None:
    """The load average of the last minute where it leaves fewer cores free than are needed.

    Parameters
    ----------
    n_threads : int
        That are about to compute.

    Returns
    -------
    float or None
        None where there is room, and on systems without a load average.
    """
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):
        return None
    return load if load + n_threads > n_cores() + _SLACK else None
