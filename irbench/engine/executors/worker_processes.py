"""Processes that run one call after another; a broken set of them is replaced."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from pebble import ProcessPool

from irbench.engine.executors.worker_start import start_worker
from irbench.interrupts import interrupts_held_back


class Processes:
    """Worker processes that see the same GPU, or all of them.

    Parameters
    ----------
    n : int
    gpu : str or None
        See :func:`irbench.engine.executors.worker_start.start_worker`.
    """

    def __init__(self, n: int, gpu: str | None = None) -> None:
        self.n, self.gpu = n, gpu
        self._pool = self._new()

    @property
    def active(self) -> bool:
        """Whether calls that were submitted may still be answered."""
        # Asking starts the processes, the first time.
        with interrupts_held_back():
            active: bool = self._pool.active
        return active

    def submit(
        self, function: Callable[..., Any], *args: Any, timeout_s: float | None = None
    ) -> Future[Any]:
        """Run a call in the process that is free first; longer costs this process."""
        if not self.active:
            self.end(at_once=True)
            self._pool = self._new()
        with interrupts_held_back():
            future: Future[Any] = self._pool.schedule(function, args=args, timeout=timeout_s)
        return future

    def end(self, at_once: bool) -> None:
        """End the processes, at once or when they have finished."""
        if at_once:
            self._pool.stop()  # type: ignore[no-untyped-call]
        else:
            self._pool.close()  # type: ignore[no-untyped-call]
        self._pool.join()

    def _new(self) -> ProcessPool:
        # A file beside the user's data, such as signal.py, is no module of Python's: a spawned
        # interpreter would look into the current folder first. PYTHONPATH is honoured as ever.
        os.environ["PYTHONSAFEPATH"] = "1"
        # Spawned, not forked: a fork copies locks that threads of the parent hold.
        context = multiprocessing.get_context("spawn")
        return ProcessPool(self.n, context=context, initializer=start_worker, initargs=(self.gpu,))
