"""Worker processes that survive the crash or the hanging of one of them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

from pebble import ProcessExpired, ProcessPool

from irbench.engine.worker import single_thread_environment, start_worker

Job = TypeVar("Job")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Outcome(Generic[Job, Answer]):
    """What became of a job: an answer, or the error in words."""

    job: Job
    answer: Answer | None
    error: str = ""


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
        # Spawned, not forked: a fork copies locks that threads of the parent hold.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPool(max_workers=n_workers, context=context, initializer=start_worker)
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
        running: dict[Future[Answer], Job] = {}
        try:
            while True:
                while len(running) < 4 * self.n_workers:
                    try:
                        job = next(remaining)
                    except StopIteration:
                        break
                    running[self._submit(function, job)] = job
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield self._outcome(running.pop(future), future)
        finally:
            for future in running:
                future.cancel()

    def _submit(self, function: Callable[[Job], Answer], job: Job) -> Future[Answer]:
        future: Future[Answer] = self._pool.schedule(function, args=[job], timeout=self.timeout_s)
        return future

    def _outcome(self, job: Job, future: Future[Answer]) -> Outcome[Job, Answer]:
        try:
            return Outcome(job, future.result())
        except TimeoutError:  # The built-in one, which futures raise since Python 3.11.
            return Outcome(job, None, f"timeout: took longer than {self.timeout_s:g} s")
        except ProcessExpired as error:
            return Outcome(job, None, f"the worker process died (exit code {error.exitcode})")
        # Whatever the detector raised: recorded for this image, and the run goes on.
        except Exception as error:
            return Outcome(job, None, f"{type(error).__name__}: {error}")


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
