"""Ctrl-C and SIGTERM, held back where an exception would leave a lock half given up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Let nothing interrupt the block; what comes meanwhile comes when it ends.

    Python raises KeyboardInterrupt between any two instructions of the main thread: also
    between those that wake a thread of a pool and those that note that it was woken. The pool
    waits for this thread for ever then, and so does whoever ends the pool.
    """
    if threading.current_thread() is not threading.main_thread():
        # Others are never interrupted.
        yield
        return
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    before = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        # What was not installed by Python cannot be put back by it.
        if signal.getsignal(number) is not None:
            before[number] = signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
