"""Jobs in batches, so that sending them costs little beside running them, and their time limits.

Limits go by a clock that nobody sets. Pebble measures its own by the time of day: where that jumps
forward, by an hour of a time server's correction or at a resume from suspension, it ends calls that
have just begun.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Any

from irbench.engine.executors.executor import Job, Outcome, Returned
from irbench.messages.external_text import error_text

_LOOKS = 20
"""So often within its limit a call that waits is looked at, to see when it begins."""

_LEAST_LOOK_S = 0.02


class BatchSizer:
    """Finds how many jobs take a given time, from the time that others took.

    Parameters
    ----------
    target_s : float
        What a batch is to take.
    largest : int
        Most jobs of a batch.
    """

    def __init__(self, target_s: float, largest: int = 4096) -> None:
        self.target_s, self.largest = target_s, largest
        self._size = 1
        self._n_jobs = self._seconds = 0.0

    @property
    def size(self) -> int:
        """Jobs of the next batch, at least 1."""
        return self._size

    def add(self, n_jobs: int, seconds: float) -> None:
        """Take up what a batch took.

        Parameters
        ----------
        n_jobs : int
        seconds : float
            In its worker, waiting excluded.
        """
        # The past counts half with every batch: the first one loads a model, or libraries.
        self._n_jobs = self._n_jobs / 2 + n_jobs
        self._seconds = self._seconds / 2 + seconds
        wanted = self.target_s * self._n_jobs / max(self._seconds, 1e-9)
        # Doubling at most, since a few quick images may be followed by slow ones.
        self._size = max(1, min(int(wanted), 2 * self._size, self.largest))


def run_batch(
    function: Callable[[Job], Returned], jobs: Sequence[Job]
) -> list[tuple[Returned | None, str, float]]:
    """Run jobs one after another in this process.

    Returns
    -------
    list of (object or None, str, float)
        What it returned, error and seconds of each job.
    """
    outcomes: list[tuple[Returned | None, str, float]] = []
    for job in jobs:
        start = time.perf_counter()
        returned, error = None, ""
        try:
            returned = function(job)
        except BaseException as raised:  # sys.exit of a detector must not end the run.
            # In words: an exception itself is never sent. One of a plug-in may not be known to
            # the parent, or be such that it cannot be put together again, and breaks the pool.
            error = error_text(raised)
        outcomes.append((returned, error, time.perf_counter() - start))
    return outcomes


def failed(
    jobs: Sequence[Job], error: str, worker_lost: bool = False
) -> list[Outcome[Job, Returned]]:
    """The outcomes of jobs that share one error."""
    return [Outcome(job, None, error, worker_lost=worker_lost) for job in jobs]


class Deadlines:
    """When calls have begun, and which have outlasted the limit.

    Parameters
    ----------
    limit_s : float or None
        None: no call ever has.
    """

    def __init__(self, limit_s: float | None) -> None:
        self.limit_s = limit_s
        self._begun: dict[Future[Any], float] = {}

    def look_in_s(self, calls: Iterable[Future[Any]], at_most: float) -> float:
        """Seconds after which :meth:`cancel_overdue` is to be asked again.

        Parameters
        ----------
        calls : iterable of Future
            All that are not done.
        at_most : float
        """
        if self.limit_s is None:
            return at_most
        now = time.monotonic()
        waits = [at_most]
        for call in calls:
            begun = self._begun.get(call)
            waits.append(self.limit_s / _LOOKS if begun is None else begun + self.limit_s - now)
        return max(min(waits), _LEAST_LOOK_S)

    def cancel_overdue(self, calls: Iterable[Future[Any]]) -> None:
        """Cancel calls that run for longer than the limit, which ends their worker.

        A call counts from when it is first seen to run, never from before.
        """
        if self.limit_s is None:
            return
        now = time.monotonic()
        for call in calls:
            if call.running() and now - self._begun.setdefault(call, now) > self.limit_s:
                call.cancel()

    def forget(self, call: Future[Any]) -> None:
        """Of a call that is done nothing is kept."""
        self._begun.pop(call, None)
