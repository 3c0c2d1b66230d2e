"""Workers that do not outlive the process that started them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing.connection import wait

PARENT_DIED = 3
"""Exit code of a worker whose parent is gone; nobody is there to read it."""


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
