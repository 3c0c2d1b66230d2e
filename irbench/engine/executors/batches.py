"""Jobs in batches, so that sending them costs little beside running them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from irbench.engine.executors.executor import Job, Outcome, Returned
from irbench.messages.external_text import error_text

BatchResults = list[tuple[Returned | None, str, float]]
"""What it returned, error and seconds of each job."""

LARGEST = 4096
"""Most jobs of a batch."""


class BatchSizer:
    """Finds how many jobs take a given time, from the time that others took.

    Parameters
    ----------
    target_s : float
        What a batch is to take.

    Attributes
    ----------
    size : int
        Jobs of the next batch, at least 1 and at most :data:`LARGEST`.
    """

    def __init__(self, target_s: float) -> None:
        self.target_s = target_s
        self.size = 1
        self._n_jobs = self._seconds = 0.0

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
        self.size = max(1, min(int(wanted), 2 * self.size, LARGEST))


def run_batch(function: Callable[[Job], Returned], jobs: Sequence[Job]) -> BatchResults[Returned]:
    """Run jobs one after another in this process."""
    outcomes: BatchResults[Returned] = []
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
