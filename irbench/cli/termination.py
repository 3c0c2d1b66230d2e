"""SIGTERM, as ``kill``, a batch system or the end of a container sends it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def terminating_as_interrupting() -> Iterator[None]:
    """Make SIGTERM what Ctrl-C is, inside the block: what is done is kept, and logged as such.

    Where somebody else handles it, or ignores it, it is left alone; so it is outside the main
    thread, where Python lets nobody handle signals.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
