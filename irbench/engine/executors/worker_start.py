"""How a worker process starts: one thread per library, and no longer life than its parent's."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import wait

from irbench.registry import catalogue
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

    Otherwise a worker would go on with its image, for minutes perhaps, beside those of
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
