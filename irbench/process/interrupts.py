"""Ctrl-C and SIGTERM: taken as one, or noted until a training step is over."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

AGAIN_S = 1.0
"""Signals closer than this are one: a terminal and ``torchrun`` both pass on a Ctrl-C."""

_NOTE = b"\nstopping, with the weights so far; Ctrl-C again stops at once\n"


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


class StopRequest:
    """Notes SIGINT and SIGTERM within a ``with`` block, instead of being torn out of a step.

    A second signal raises KeyboardInterrupt. Outside the main thread, where Python lets
    nobody handle signals, it does nothing.

    Parameters
    ----------
    acknowledge : bool
        Whether to acknowledge the first signal on standard error.

    Attributes
    ----------
    asked : bool
        Whether somebody wants training to stop.

    Examples
    --------
    >>> with StopRequest(acknowledge=False) as stop:
    ...     signal.raise_signal(signal.SIGTERM)
    ...     stop.asked
    True
    """

    def __init__(self, *, acknowledge: bool = True) -> None:
        self.asked = False
        self._acknowledge = acknowledge
        self._since = 0.0
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                # One that is ignored, under nohup for example, stays ignored.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._former[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *raised: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former.clear()

    def _note(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.asked and now - self._since >= AGAIN_S:
            raise KeyboardInterrupt
        if not self.asked:
            self.asked, self._since = True, now
            if self._acknowledge:
                # Not through a stream: the signal may have come while one was written to.
                os.write(2, _NOTE)
