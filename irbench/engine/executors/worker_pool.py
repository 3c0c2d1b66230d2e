"""Worker processes on this machine, that survive the crash or the hanging of one of them."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Any

from pebble import ProcessExpired

from irbench.engine.executors.batches import BatchSizer, Deadlines, failed, run_batch
from irbench.engine.executors.executor import Executor, Job, Outcome, Returned
from irbench.engine.executors.worker_processes import ENDED_WITH_0, WorkerProcesses
from irbench.messages.external_text import error_text
from irbench.networks.devices import gpu_slots
from irbench.resources import single_thread_environment

BATCH_S = 0.1
"""What the jobs of one message take: long beside sending it, short beside losing it."""

LOOK_EVERY_S = 10.0
"""How often a pool that returns nothing is asked whether it still lives."""

MAX_LOST = 3
"""So often a job may be in a pool that breaks down as a whole, before it counts as the cause."""


class _WorkerEnvironment:
    """What worker processes are started with; of pools that overlap, until the last has ended."""

    def __init__(self) -> None:
        # A file beside the user's data, such as signal.py, is no module of Python's: a spawned
        # interpreter would look into the current folder first. PYTHONPATH is honoured as ever.
        self._variables = {**single_thread_environment(), "PYTHONSAFEPATH": "1"}
        self._before: dict[str, str | None] = {}
        self._n_pools = 0
        # The threads of a dask worker have pools of their own.
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            if not self._n_pools:
                self._before = {name: os.environ.get(name) for name in self._variables}
                os.environ.update(self._variables)
            self._n_pools += 1

    def __exit__(self, *raised: object) -> None:
        with self._lock:
            self._n_pools -= 1
            if self._n_pools:
                return
            for name, value in self._before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


_ENVIRONMENT = _WorkerEnvironment()


@dataclass(frozen=True)
class _Batch:
    """Jobs that are sent together; ``n_lost`` times they were in a pool that broke down."""

    jobs: list[Any]
    n_lost: int = 0


class WorkerPool(Executor):
    """A pool of worker processes, each with one thread per library.

    Parameters
    ----------
    n_workers : int
    timeout_s : float or None
        A job that takes longer costs its worker, which is replaced.
    gpus : sequence of (str or None), optional
        One for each worker: what it sets ``CUDA_VISIBLE_DEVICES`` to, unless that is None.
    """

    def __init__(
        self,
        n_workers: int,
        timeout_s: float | None = None,
        gpus: Sequence[str | None] = (),
    ) -> None:
        self.n_workers = n_workers
        self.timeout_s = timeout_s
        # Workers that differ are sets of their own: those of one set have no number.
        self._sets = [WorkerProcesses(1, gpu) for gpu in gpus] or [WorkerProcesses(n_workers)]
        self._stack = ExitStack()
        self._is_entered = False
        self._on_gpus: dict[str, WorkerPool] = {}

    @contextmanager
    def early(self) -> Iterator[Callable[[], None]]:
        """See :meth:`Executor.early`; importing what they need takes workers a second or two."""
        with ExitStack() as stack:
            # Without effect where the pool was entered meanwhile, and left.
            stack.push(self.__exit__)
            yield self._start

    def _start(self) -> None:
        self.__enter__()
        for processes in self._sets:
            processes.start()

    def __enter__(self) -> WorkerPool:
        # Workers are started, and replaced, whenever the pool needs them.
        if not self._is_entered:
            self._stack.enter_context(_ENVIRONMENT)
            self._is_entered = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._is_entered:
            return
        self._is_entered = False
        for other in self._on_gpus.values():
            other.__exit__(kind, error, trace)
        for processes in self._sets:
            processes.end(at_once=kind is not None)
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
        remaining = iter(jobs)
        again: deque[_Batch] = deque()
        sizer = BatchSizer(BATCH_S)
        # The time of one job: if a batch takes longer, its jobs run one by one.
        deadlines = Deadlines(self.timeout_s)
        running: dict[Future[Any], tuple[_Batch, WorkerProcesses]] = {}
        try:
            while True:
                # One batch in work and one that waits, so that no worker does.
                while len(running) < 2 * self.n_workers:
                    batch = again.popleft() if again else _Batch([*islice(remaining, sizer.size)])
                    if not batch.jobs:
                        break
                    processes = self._idlest(running)
                    future = processes.submit(run_batch, function, batch.jobs)
                    running[future] = batch, processes
                if not running:
                    return
                pause = deadlines.look_in_s(running, LOOK_EVERY_S)
                done, _ = wait(running, pause, return_when=FIRST_COMPLETED)
                deadlines.cancel_overdue(running.keys() - done)
                if not done:
                    # These never will be: what they were to do is done by their successors.
                    done = {future for future, (_, its) in running.items() if not its.active}
                for future in done:
                    batch, _ = running.pop(future)
                    deadlines.forget(future)
                    outcomes: list[Outcome[Job, Returned]] = []
                    if isinstance(result := self._result(batch, future), list):
                        outcomes = result
                    else:
                        again.extend(result)
                    sizer.add(len(outcomes), sum(one.seconds for one in outcomes))
                    yield from outcomes
        finally:
            for future in running:
                future.cancel()

    def run_alone(
        self,
        function: Callable[[Job], Returned],
        job: Job,
        timeout_s: float | None,
        device: str = "cpu",
    ) -> Outcome[Job, Returned]:
        """See :meth:`Executor.run_alone`."""
        gpus = () if device == "cpu" else gpu_slots(device)[:1]
        with WorkerPool(1, timeout_s, gpus) as pool:
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

    def _idlest(
        self, running: dict[Future[Any], tuple[_Batch, WorkerProcesses]]
    ) -> WorkerProcesses:
        load = {id(processes): 0 for processes in self._sets}
        for _, processes in running.values():
            load[id(processes)] += 1
        return min(self._sets, key=lambda processes: load[id(processes)])

    def _result(
        self, batch: _Batch, future: Future[Any]
    ) -> list[Outcome[Any, Any]] | tuple[_Batch, ...]:
        """The outcomes of a batch, or what has to run again."""
        singles = tuple(_Batch([job], batch.n_lost) for job in batch.jobs)
        error, worker_lost = "", True
        if not future.done():
            return self._broken_down(batch)
        try:
            results = future.result(timeout=0)
        except CancelledError:
            error = f"timeout: took longer than {self.timeout_s:g} s"
        except ProcessExpired as expired:
            error = f"the worker process died ({_cause(expired.exitcode)})"
        except BrokenProcessPool:
            return self._broken_down(batch)
        # A result that cannot be sent, for example.
        except Exception as raised:
            error, worker_lost = error_text(raised), False
        else:
            return [Outcome(job, *result) for job, result in zip(batch.jobs, results, strict=True)]
        return singles if len(singles) > 1 else failed(batch.jobs, error, worker_lost)

    def _broken_down(self, batch: _Batch) -> list[Outcome[Any, Any]] | tuple[_Batch, ...]:
        """As :meth:`_result`, where the pool broke down, whoever was to blame."""
        n_lost = batch.n_lost + 1
        if n_lost < MAX_LOST:
            return tuple(_Batch([job], n_lost) for job in batch.jobs)
        return failed(batch.jobs, "the worker processes broke down, again and again", True)


def _cause(exitcode: int) -> str:
    """An exit code as people know it: signals by name."""
    if exitcode == ENDED_WITH_0:
        return "exit code 0"
    try:
        return f"exit code {exitcode}" if exitcode >= 0 else signal.Signals(-exitcode).name
    except ValueError:
        return f"signal {-exitcode}"
