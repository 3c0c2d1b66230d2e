"""Worker processes on this machine, that survive the crash or the hanging of one of them."""

from __future__ import annotations

import atexit
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from multiprocessing.connection import wait
from typing import Any

from irbench.engine.executors.batches import BatchSizer, failed
from irbench.engine.executors.executor import Executor, Job, Outcome, Returned
from irbench.engine.executors.jobs_by_image import JobsByImage
from irbench.engine.executors.process_start import STARTER
from irbench.engine.executors.worker import Worker, WorkerLostError
from irbench.messages.external_text import error_text
from irbench.networks.devices import gpu_slots

BATCH_S = 0.1
"""What the jobs of one message take: long beside sending it, short beside losing it."""

LOOK_EVERY_S = 10.0
"""How often workers that return nothing are asked whether they still live."""


class WorkerPool(Executor):
    """Worker processes, each with one thread per library.

    Parameters
    ----------
    n_workers : int
    timeout_s : float or None
        A job that takes longer costs its worker, which is replaced.
    gpus : sequence of (str or None), optional
        One for each worker: what it sets ``CUDA_VISIBLE_DEVICES`` to, unless that is None.
    fresh : bool
        Whether each gets an interpreter of its own, for what is measured of it.
    """

    def __init__(
        self,
        n_workers: int,
        timeout_s: float | None = None,
        gpus: Sequence[str | None] = (),
        *,
        fresh: bool = False,
    ) -> None:
        self.n_workers = n_workers
        self.timeout_s = timeout_s
        self._workers = [Worker(gpu, fresh=fresh) for gpu in gpus or [None] * n_workers]
        self._stack = ExitStack()
        self._is_entered = False
        self._on_gpus: dict[str, WorkerPool] = {}

    def start(self) -> bool:
        """See :meth:`Executor.start`; importing what they need takes workers a second or two."""
        if not self._is_entered:
            self.__enter__()
            # Workers are forked as soon as there is a job for them.
            if not STARTER.start_server():
                for worker in self._workers:
                    worker.start()
        return True

    def let_go(self) -> None:
        """See :meth:`Executor.let_go`."""
        self.__exit__(None, None, None)

    def __enter__(self) -> WorkerPool:
        # Workers are started, and replaced, whenever the pool needs them.
        if not self._is_entered:
            self._stack.enter_context(STARTER)
            # Python waits for processes at its end, and these for the end of their pipes.
            atexit.register(self.let_go)
            self._stack.callback(atexit.unregister, self.let_go)
            self._is_entered = True
        return self

    def __exit__(self, *raised: object) -> None:
        if not self._is_entered:
            return
        self._is_entered = False
        for other in self._on_gpus.values():
            other.__exit__(*raised)
        for worker in self._workers:
            worker.close()
        for worker in self._workers:
            worker.end(at_once=raised[0] is not None)
        self._stack.close()

    def run(
        self,
        function: Callable[[Job], Returned],
        jobs: Iterable[Job],
        device: str = "cpu",
    ) -> Iterator[Outcome[Job, Returned]]:
        """See :meth:`Executor.run`."""
        if device != "cpu":
            yield from self._on_gpu(device).run(function, jobs)
            return
        waiting = JobsByImage(jobs, len(self._workers))
        again: deque[list[Job]] = deque()
        sizer = BatchSizer(BATCH_S)
        try:
            while True:
                yield from self._hand_out(function, waiting, again, sizer.size)
                busy = {worker.results: worker for worker in self._workers if worker.batches}
                if not busy:
                    return
                come = wait(busy, self._pause_s())
                if not come:
                    # A process that one has started may hold its pipe open beyond its end.
                    come = [results for results, worker in busy.items() if not worker.is_alive]
                for results, worker in busy.items():
                    outcomes = self._outcomes(worker, results in come, again)
                    if outcomes:
                        sizer.add(len(outcomes), sum(one.seconds for one in outcomes))
                    yield from outcomes
        finally:
            for worker in self._workers:
                if worker.batches:
                    worker.abandon()

    def run_alone(
        self,
        function: Callable[[Job], Returned],
        job: Job,
        timeout_s: float | None,
        device: str = "cpu",
    ) -> Outcome[Job, Returned]:
        """See :meth:`Executor.run_alone`."""
        gpus = () if device == "cpu" else gpu_slots(device)[:1]
        with WorkerPool(1, timeout_s, gpus, fresh=True) as pool:
            return next(pool.run(function, [job]))

    @property
    def leaves_a_core(self) -> bool:
        """See :attr:`Executor.leaves_a_core`; one job is all that was asked for."""
        return self.n_workers > 1

    @property
    def shares_files(self) -> bool:
        """See :attr:`Executor.shares_files`."""
        return True

    def _on_gpu(self, device: str) -> WorkerPool:
        if device not in self._on_gpus:
            gpus = gpu_slots(device)[: self.n_workers]
            self._on_gpus[device] = WorkerPool(len(gpus), self.timeout_s, gpus).__enter__()
        return self._on_gpus[device]

    def _hand_out(
        self,
        function: Callable[[Job], Returned],
        waiting: JobsByImage[Job],
        again: deque[list[Job]],
        size: int,
    ) -> Iterator[Outcome[Job, Returned]]:
        """Send what there is to do, and yield what cannot be sent."""
        # One batch in work and one that waits, so that no worker does.
        for n_batches in (1, 2):
            for number, worker in enumerate(self._workers):
                while len(worker.batches) < n_batches:
                    jobs = again.popleft() if again else waiting.take(number, size)
                    if not jobs:
                        break
                    try:
                        worker.send(function, jobs)
                    except Exception as error:
                        yield from _alone_or_failed(jobs, again, error_text(error))

    def _pause_s(self) -> float:
        """How long nothing needs to be looked at but what comes."""
        if self.timeout_s is None:
            return LOOK_EVERY_S
        longest = max((worker.seconds_in_work() or 0.0 for worker in self._workers), default=0.0)
        return min(LOOK_EVERY_S, max(self.timeout_s - longest, 0.0) + 0.01)

    def _outcomes(
        self, worker: Worker, has_come: bool, again: deque[list[Any]]
    ) -> list[Outcome[Any, Any]]:
        """What has become of the first batch of a worker; nothing yet, perhaps."""
        try:
            if has_come:
                received = worker.receive()
                if received is None:
                    return []
                jobs, results = received
                if isinstance(results, str):
                    return _alone_or_failed(jobs, again, results)
                return [Outcome(job, *one) for job, one in zip(jobs, results, strict=True)]
            seconds = worker.seconds_in_work()
            if self.timeout_s is not None and seconds is not None and seconds > self.timeout_s:
                raise WorkerLostError(f"timeout: took longer than {self.timeout_s:g} s")
        except WorkerLostError as lost:
            blamed, others = worker.drop()
            again.extend(others)
            # The time limit is that of one job: if a batch takes longer, its jobs run one by one.
            return _alone_or_failed(blamed, again, str(lost), worker_lost=True)
        return []


def _alone_or_failed(
    jobs: list[Any], again: deque[list[Any]], error: str, *, worker_lost: bool = False
) -> list[Outcome[Any, Any]]:
    """Let the jobs of a batch run one by one; a single one has failed itself."""
    if len(jobs) > 1:
        again.extend([job] for job in jobs)
        return []
    return failed(jobs, error, worker_lost)
