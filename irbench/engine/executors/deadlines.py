"""Time limits of calls in worker processes, by a clock that nobody sets.

Pebble measures its own by the time of day: where that jumps forward, by an hour of a time server's
correction or at a resume from suspension, it ends calls that have just begun.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

_LOOKS = 20
"""So often within its limit a call that waits is looked at, to see when it begins."""

_LEAST_LOOK_S = 0.02


class Deadlines:
    """When calls have begun, and which have outlasted the limit.

    Parameters
    ----------
    limit_s : float or None
        None: no call ever has.
    """

    def __init__(self, limit_s: float | None) -> None:
        self.limit_s = limit_s
        self._begun: dict[Future[Any], float] = {}

    def look_in_s(self, calls: Iterable[Future[Any]], at_most: float) -> float:
        """Seconds after which :meth:`cancel_overdue` is to be asked again.

        Parameters
        ----------
        calls : iterable of Future
            All that are not done.
        at_most : float
        """
        if self.limit_s is None:
            return at_most
        now = time.monotonic()
        waits = [at_most]
        for call in calls:
            begun = self._begun.get(call)
            waits.append(self.limit_s / _LOOKS if begun is None else begun + self.limit_s - now)
        return max(min(waits), _LEAST_LOOK_S)

    def cancel_overdue(self, calls: Iterable[Future[Any]]) -> None:
        """Cancel calls that run for longer than the limit, which ends their worker.

        A call counts from when it is first seen to run, never from before.
        """
        if self.limit_s is None:
            return
        now = time.monotonic()
        for call in calls:
            if call.running() and now - self._begun.setdefault(call, now) > self.limit_s:
                call.cancel()

    def forget(self, call: Future[Any]) -> None:
        """Of a call that is done nothing is kept."""
        self._begun.pop(call, None)
