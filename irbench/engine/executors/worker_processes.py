"""Processes that run one call after another; a broken set of them is replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from pebble import ProcessPool

from irbench.plugins.registry import catalogue
from irbench.process.interrupts import interrupts_held_back
from irbench.resources import keep_freed_memory, limit_threads

PARENT_DIED = 3
"""Exit code of a worker whose parent is gone; nobody is there to read it."""


def start_worker(gpu: str | None = None) -> None:
    """Prepare a worker process.

    Parameters
    ----------
    gpu : str or None
        The one GPU that it shall see, as ``CUDA_VISIBLE_DEVICES`` names it; None for any.
    """
    if gpu is not None:
        # Before torch is loaded, which reads it once.
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    # Ctrl-C is the parent's business: it stops the workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    # What jobs import, now: a busy machine takes seconds for it, which the time limit of the
    # first image, and of the first of every worker that replaces a lost one, must not pay for.
    catalogue("methods")
    catalogue("datasets")
    limit_threads()
    keep_freed_memory()


def die_with_parent() -> None:
    """End this process at once when its parent has ended, killed or not.

    Otherwise a worker would continue with its image, for minutes perhaps, beside those of
    the run that is started anew. A thread waits for the pipe that the parent alone holds
    open. (Not ``PR_SET_PDEATHSIG`` of Linux: that fires when the *thread* that started
    this process ends.) Does nothing in a process that was not started by
    :mod:`multiprocessing`.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        wait([sentinel])
        # Without cleaning up: there is nothing to flush, and a computing thread cannot be asked.
        os._exit(PARENT_DIED)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


ENDED_WITH_0 = 256
"""Stands for the exit code 0 of a worker, as no process has it: a worker ends with 0 only when
its pool is closed, or when a method ends it, and the pool takes every 0 for the former."""


class _Worker(SpawnProcess):
    """A process whose end is never taken for a good one."""

    @property
    def exitcode(self) -> int | None:
        """The exit code, :data:`ENDED_WITH_0` for 0; None while it runs."""
        code = super().exitcode
        return ENDED_WITH_0 if code == 0 else code


class _WorkerContext(SpawnContext):
    """Spawned, not forked: a fork copies locks that threads of the parent hold."""

    Process = _Worker


class WorkerProcesses:
    """Worker processes that see the same GPU, or all of them.

    Parameters
    ----------
    n : int
    gpu : str or None
        See :func:`irbench.engine.executors.worker_processes.start_worker`.
    """

    def __init__(self, n: int, gpu: str | None = None) -> None:
        self.n, self.gpu = n, gpu
        self._pool = self._new()

    @property
    def active(self) -> bool:
        """Whether calls that were submitted may still return."""
        # Asking starts the processes, the first time.
        with interrupts_held_back():
            active: bool = self._pool.active
        return active

    def start(self) -> None:
        """Start the processes, which :meth:`submit` does otherwise."""
        # Asking does, the first time.
        _ = self.active

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Run a call in the process that is free first; cancelling it costs this process."""
        if not self.active:
            self.end(at_once=True)
            self._pool = self._new()
        with interrupts_held_back():
            future: Future[Any] = self._pool.schedule(function, args=args)
        return future

    def end(self, at_once: bool) -> None:
        """End the processes, at once or when they have finished."""
        if at_once:
            self._pool.stop()  # type: ignore[no-untyped-call]
        else:
            self._pool.close()  # type: ignore[no-untyped-call]
        self._pool.join()

    def _new(self) -> ProcessPool:
        return ProcessPool(
            self.n, context=_WorkerContext(), initializer=start_worker, initargs=(self.gpu,)
        )
