"""A worker process as its parent sees it: replaced when it is lost, with the jobs it was sent."""

from __future__ import annotations

import pickle
import signal
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any

from irbench.engine.executors.batches import BatchResults
from irbench.engine.executors.process_start import STARTER
from irbench.engine.executors.worker_loop import READY, work
from irbench.messages.external_text import error_text

MAX_FALSE_STARTS = 3
"""So many processes in succession may die before they are ready, until jobs fail for it."""

_END_S = 5.0
"""What a process that is to end may take for it."""


class WorkerLostError(Exception):
    """The process is gone; the message says how."""


class Worker:
    """One process at a time, which runs the batches that it is sent in their order.

    Parameters
    ----------
    gpu : str or None
        The one GPU that it sees; see :func:`irbench.engine.executors.worker_loop.start_worker`.
    fresh : bool
        Whether it gets an interpreter of its own; see
        :class:`irbench.engine.executors.process_start.ProcessStarter`.

    Attributes
    ----------
    batches : deque of list
        Jobs that were sent and of which no result has come, the batch in work first.
    """

    def __init__(self, gpu: str | None = None, *, fresh: bool = False) -> None:
        self.gpu, self.fresh = gpu, fresh
        self.batches: deque[list[Any]] = deque()
        self._process: BaseProcess | None = None
        self._pipes: list[Connection] = []
        self._is_ready = False
        self._n_false_starts = 0
        self._begun = 0.0

    @property
    def results(self) -> Connection:
        """Where a message comes from, to be waited for."""
        return self._pipes[1]

    @property
    def is_alive(self) -> bool:
        """Whether there is a process."""
        return self._process is not None and self._process.is_alive()

    def start(self) -> None:
        """Start the process where none is alive, which :meth:`send` does otherwise."""
        if self.is_alive:
            return
        self.end()
        its_requests, requests = Pipe(duplex=False)
        results, its_results = Pipe(duplex=False)
        # Noted before there is a process, which ends with them, whatever interrupts this.
        self._pipes, self._is_ready = [requests, results], False
        try:
            arguments = (its_requests, its_results, self.gpu)
            self._process = STARTER.start(work, arguments, fresh=self.fresh)
        except (OSError, EOFError):
            # No memory or process left, perhaps for now: it is found to be lost, and started again.
            pass
        finally:
            its_requests.close()
            its_results.close()

    def send(self, function: Callable[..., Any], jobs: list[Any]) -> None:
        """Send a batch; whatever :mod:`pickle` raises means that it cannot be sent."""
        message = ForkingPickler.dumps((function, jobs))
        if not self.batches:
            self.start()
            self._begun = time.monotonic()
        self.batches.append(jobs)
        # Where it has died, the next look finds that.
        with suppress(OSError):
            self._pipes[0].send_bytes(message)

    def receive(self) -> tuple[list[Any], BatchResults[Any] | str] | None:
        """What has come: a batch, and its results or why there are none.

        None for a process that says it is ready.

        Raises
        ------
        WorkerLostError
            If the process is gone instead.
        """
        try:
            if not self.is_alive and not self.results.poll():
                raise EOFError
            message = self.results.recv_bytes()
        except (EOFError, OSError):
            raise WorkerLostError(f"the worker process died ({self._cause()})") from None
        # From now on the next batch is in work.
        self._begun = time.monotonic()
        if message == READY:
            self._is_ready, self._n_false_starts = True, 0
            return None
        results: BatchResults[Any] | str
        try:
            results = pickle.loads(message)
        # Of a class that a plug-in made in the worker alone, for example.
        except Exception as error:
            results = error_text(error)
        return self.batches.popleft(), results

    def seconds_in_work(self) -> float | None:
        """How long the first batch has run at least; None where none does.

        It counts from when it is seen that nothing else keeps the process, never from before,
        and by a clock that nobody sets.
        """
        return time.monotonic() - self._begun if self.batches and self._is_ready else None

    def drop(self) -> tuple[list[Any], list[list[Any]]]:
        """Give up the process, or what is left of it.

        Returns
        -------
        blamed : list
            The jobs that cost the process; none where it was not ready for any.
        others : list of list
            Batches that are to run again.
        """
        others = list(self.batches)
        self.abandon()
        if not self._is_ready:
            self._n_false_starts += 1
        if self._is_ready or self._n_false_starts >= MAX_FALSE_STARTS:
            return others[0], others[1:]
        return [], others

    def abandon(self) -> None:
        """Kill the process, and forget what it was at."""
        self.end(at_once=True)
        self.batches.clear()

    def close(self) -> None:
        """Let the process end by itself, as soon as it has nothing to do."""
        if self._pipes:
            self._pipes[0].close()

    def end(self, at_once: bool = False) -> None:
        """End the process and wait for that; it may have been closed before.

        Parameters
        ----------
        at_once : bool
            Kill it, as one is that still imports.
        """
        self.close()
        process, self._process = self._process, None
        if process is not None:
            if self._is_ready and not at_once:
                process.join(_END_S)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        for pipe in self._pipes:
            pipe.close()
        self._pipes = []

    def _cause(self) -> str:
        """How the process ended, as people know it: signals by name."""
        if self._process is None:
            return "it never began"
        self._process.join(_END_S)
        code = self._process.exitcode
        if code is None:
            return "it closed its pipes"
        try:
            return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"
