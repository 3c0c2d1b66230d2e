"""Worker processes that survive the crash or the hanging of one of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

from pebble import ProcessExpired, ProcessPool

from irbench.engine.worker import single_thread_environment, start_worker

Job = TypeVar("Job")
Answer = TypeVar("Answer")

LOOK_EVERY_S = 10.0
"""How often a pool that answers nothing is asked whether it still lives."""

MAX_LOST = 3
"""So often a job may be in a pool that breaks down as a whole, before it counts as the cause."""


@dataclass(frozen=True)
class Outcome(Generic[Job, Answer]):
    """What became of a job: an answer, or the error in words.

    Attributes
    ----------
    job : object
    answer : object or None
    error : str
    worker_lost : bool
        Whether the job cost its worker process, which is replaced.
    """

    job: Job
    answer: Answer | None
    error: str = ""
    worker_lost: bool = False


class WorkerPool:
    """A pool of worker processes, each with one thread per library.

    Parameters
    ----------
    n_workers : int
    timeout_s : float or None
        A job that takes longer costs its worker, which is replaced.
    """

    def __init__(self, n_workers: int, timeout_s: float | None = None) -> None:
        self.n_workers = n_workers
        self.timeout_s = timeout_s
        self._pool = _new_pool(n_workers)
        self._stack = ExitStack()

    def __enter__(self) -> WorkerPool:
        # Workers are started, and replaced, whenever the pool needs them.
        self._stack.enter_context(_environment(single_thread_environment()))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._pool.close()  # type: ignore[no-untyped-call]
        else:
            self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        self._stack.close()

    def run(
        self, function: Callable[[Job], Answer], jobs: Iterable[Job]
    ) -> Iterator[Outcome[Job, Answer]]:
        """Run the jobs and yield their outcomes as they come, in no fixed order.

        Only a few jobs per worker wait in the queue, so that memory does not grow
        with the number of jobs and the caller can stop early.

        Parameters
        ----------
        function : callable
            Importable by name.
        jobs : iterable

        Yields
        ------
        Outcome
        """
        remaining = iter(jobs)
        lost: list[tuple[Job, int]] = []
        running: dict[Future[tuple[Answer | None, str]], tuple[Job, int]] = {}
        try:
            while True:
                while len(running) < 4 * self.n_workers:
                    try:
                        job, n_lost = lost.pop() if lost else (next(remaining), 0)
                    except StopIteration:
                        break
                    running[self._submit(function, job)] = job, n_lost
                if not running:
                    return
                done, _ = wait(running, LOOK_EVERY_S, return_when=FIRST_COMPLETED)
                if not done and not self._pool.active:
                    # It never will: what it was to do is done by its successor.
                    done = set(running)
                for future in done:
                    job, n_lost = running.pop(future)
                    outcome = self._outcome(job, future)
                    if outcome is not None:
                        yield outcome
                    elif n_lost + 1 < MAX_LOST:
                        lost.append((job, n_lost + 1))
                    else:
                        error = "the worker processes broke down, again and again"
                        yield Outcome(job, None, error, worker_lost=True)
        finally:
            for future in running:
                future.cancel()

    def _submit(
        self, function: Callable[[Job], Answer], job: Job
    ) -> Future[tuple[Answer | None, str]]:
        if not self._pool.active:
            self._replace()
        future: Future[tuple[Answer | None, str]] = self._pool.schedule(
            _attempt, args=[function, job], timeout=self.timeout_s
        )
        return future

    def _replace(self) -> None:
        """Put a new pool in the place of one that broke down as a whole."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        self._pool = _new_pool(self.n_workers)

    def _outcome(
        self, job: Job, future: Future[tuple[Answer | None, str]]
    ) -> Outcome[Job, Answer] | None:
        """What became of a job; None where the pool broke down, whoever was to blame."""
        if not future.done():
            return None
        try:
            return Outcome(job, *future.result())
        except TimeoutError:  # The built-in one, which futures raise since Python 3.11.
            error = f"timeout: took longer than {self.timeout_s:g} s"
            return Outcome(job, None, error, worker_lost=True)
        except ProcessExpired as expired:
            error = f"the worker process died ({_cause(expired.exitcode)})"
            return Outcome(job, None, error, worker_lost=True)
        except BrokenProcessPool:
            return None
        # An answer that cannot be sent, for example.
        except Exception as raised:
            return Outcome(job, None, f"{type(raised).__name__}: {raised}")


def _new_pool(n_workers: int) -> ProcessPool:
    # Spawned, not forked: a fork copies locks that threads of the parent hold.
    context = multiprocessing.get_context("spawn")
    return ProcessPool(max_workers=n_workers, context=context, initializer=start_worker)


def _attempt(function: Callable[[Job], Answer], job: Job) -> tuple[Answer | None, str]:
    """In the worker: the answer, or what went wrong in words.

    An exception itself is never sent: one of a plug-in may not be known to the parent, or
    be such that it cannot be put together again, and breaks the pool then. Its kind does
    not matter; ``sys.exit`` of a detector must not end the run.
    """
    try:
        return function(job), ""
    except BaseException as error:
        try:
            return None, f"{type(error).__name__}: {error}"
        except Exception:  # It cannot even be told.
            return None, type(error).__name__


def _cause(exitcode: int) -> str:
    """An exit code as people know it: signals by name."""
    try:
        return f"exit code {exitcode}" if exitcode >= 0 else signal.Signals(-exitcode).name
    except ValueError:
        return f"signal {-exitcode}"


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set environment variables for the processes that are started inside the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
