"""What a worker process does: batches of jobs, until its parent closes the pipe or is gone."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from queue import SimpleQueue
from typing import Any

from irbench.engine.executors.batches import run_batch
from irbench.messages.external_text import error_text
from irbench.plugins.registry import catalogue
from irbench.resources import keep_freed_memory, limit_threads

READY = b""
"""What a worker sends once it has loaded what jobs need; all else are results."""

PARENT_DIED = 3
"""Exit code of a worker whose parent is gone; nobody is there to read it."""


def work(requests: Connection, results: Connection, gpu: str | None) -> None:
    """Run batches until there are no more.

    Parameters
    ----------
    requests : Connection
        Each message is a function and its jobs, pickled. Its end is the end of this process: at
        once, if that comes amid a batch, since nobody is there to get the results, and an image
        may take minutes.
    results : Connection
        Gets :data:`READY`, then a message for each batch: the results of its jobs, or why there
        are none, pickled.
    gpu : str or None
        See :func:`start_worker`.
    """
    start_worker(gpu)
    inbox = _Inbox(requests)
    inbox.start()
    try:
        results.send_bytes(READY)
        while (message := inbox.next()) is not None:
            results.send_bytes(_processed(message))
            inbox.n_done += 1
    except OSError:
        os._exit(PARENT_DIED)


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
    # What jobs import, now: a busy machine takes seconds for it, which the time limit of the
    # first image, and of the first of every worker that replaces a lost one, must not pay for.
    catalogue("methods")
    catalogue("datasets")
    limit_threads()
    keep_freed_memory()


class _Inbox(threading.Thread):
    """Takes messages from the parent as they come, so that it never waits for a batch to end.

    (Not ``PR_SET_PDEATHSIG`` of Linux, to end with the parent: that fires when the *thread*
    that started this process ends.)
    """

    def __init__(self, requests: Connection) -> None:
        super().__init__(name="inbox", daemon=True)
        self.n_done = 0
        self._requests, self._n_come = requests, 0
        self._messages: SimpleQueue[bytes | None] = SimpleQueue()

    def run(self) -> None:
        """Read until the pipe ends."""
        try:
            while True:
                message = self._requests.recv_bytes()
                self._n_come += 1
                self._messages.put(message)
        except (EOFError, OSError):
            if self.n_done < self._n_come:
                # Without cleaning up: there is nothing to flush, and a computing thread cannot
                # be asked.
                os._exit(PARENT_DIED)
            self._messages.put(None)

    def next(self) -> bytes | None:
        """Wait for a message; None after the last."""
        return self._messages.get()


def _processed(message: bytes) -> bytes:
    """The message to return for a batch."""
    try:
        function, jobs = pickle.loads(message)
    # What its module raises when it is imported here, for example.
    except Exception as error:
        return bytes(ForkingPickler.dumps(error_text(error)))
    results = run_batch(function, jobs)
    try:
        return bytes(ForkingPickler.dumps(results))
    # Whatever the class of a plug-in raises: nothing is lost but what cannot be sent, and that
    # with its reason.
    except Exception:
        return bytes(ForkingPickler.dumps([_sendable(*one) for one in results]))


def _sendable(returned: Any, error: str, seconds: float) -> tuple[Any, str, float]:
    """A result of a job, or why it cannot be sent."""
    try:
        ForkingPickler.dumps(returned)
    except Exception as raised:
        return None, error_text(raised), seconds
    return returned, error, seconds
