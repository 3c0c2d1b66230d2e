"""Ctrl-C and SIGTERM as a wish that training heeds where nothing is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import Any, Self

AGAIN_S = 1.0
"""Signals closer than this are one: a terminal and ``torchrun`` both pass on a Ctrl-C."""

_NOTE = b"\nstopping, with the weights so far; Ctrl-C again stops at once\n"


class StopRequest:
    """Notes SIGINT and SIGTERM within a ``with`` block, instead of being torn out of a step.

    A second signal raises KeyboardInterrupt. Outside the main thread, where Python lets
    nobody handle signals, it does nothing.

    Parameters
    ----------
    tell : bool
        Whether to acknowledge the first signal on standard error.

    Attributes
    ----------
    asked : bool
        Whether somebody wants training to stop.

    Examples
    --------
    >>> with StopRequest(tell=False) as stop:
    ...     signal.raise_signal(signal.SIGTERM)
    ...     stop.asked
    True
    """

    def __init__(self, *, tell: bool = True) -> None:
        self.asked = False
        self._tell = tell
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
            if self._tell:
                # Not through a stream: the signal may have come while one was written to.
                os.write(2, _NOTE)
