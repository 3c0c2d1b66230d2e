"""Jobs that wait for workers, each kept for the worker that has what it needs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Generic

from irbench.engine.executors.executor import Job

_BATCHES_DRAWN = 4
"""So many batches for each worker are drawn ahead, to see the end of the jobs before it comes."""

_SMALLEST_PART = 8
"""Of a batch, which a message is worth its while for."""


class JobsByImage(Generic[Job]):
    """Hands out jobs, by their attribute ``image_index`` where they have one.

    Jobs of the same image, by its index modulo the number of workers, go to the same worker, which
    has decoded it for another method. A worker with none left takes from the one with the most, so
    that nobody waits. Towards the end batches become smaller, so that all end at about the same
    time.

    Parameters
    ----------
    jobs : iterable
        Drawn as they are needed.
    n_workers : int
    """

    def __init__(self, jobs: Iterable[Job], n_workers: int) -> None:
        self._jobs = iter(jobs)
        self._is_drawn = False
        self._kept: list[deque[Job]] = [deque() for _ in range(n_workers)]

    def take(self, worker: int, at_most: int) -> list[Job]:
        """The next jobs of a worker; none if all have been taken.

        Parameters
        ----------
        worker : int
        at_most : int
        """
        own = self._kept[worker]
        n_workers = len(self._kept)
        n_kept = sum(map(len, self._kept))
        while not self._is_drawn and n_kept < _BATCHES_DRAWN * n_workers * at_most:
            n_kept += self._draw(worker)
        if self._is_drawn:
            least = at_most // _SMALLEST_PART
            at_most = max(1, least, min(at_most, n_kept // (2 * n_workers)))
        if own:
            return [own.popleft() for _ in range(min(at_most, len(own)))]
        longest = max(self._kept, key=len)
        # From its end: what comes first its own worker takes before.
        return [longest.pop() for _ in range(min(at_most, len(longest)))][::-1]

    def _draw(self, worker: int) -> int:
        for job in self._jobs:
            index = getattr(job, "image_index", worker)
            self._kept[index % len(self._kept)].append(job)
            return 1
        self._is_drawn = True
        return 0
