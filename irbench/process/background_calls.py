"""One call at a time in the background, while the next methods are run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple

_MOST_WAITING = 1
"""Calls that wait while one is made: the first takes longest, since it imports what it needs."""


class _Submitted(NamedTuple):
    future: Future[None]
    what: str


class BackgroundCalls:
    """Runs calls in their order in a thread, while the caller continues; a context manager.

    What a call raises is raised where it is waited for: by a later :meth:`submit`, by
    :meth:`wait`, or at the end of the block; calls that waited for it are not made then. A block
    that ends with an exception of its own waits too, and raises that one.

    Parameters
    ----------
    at_once : bool
        Run each call in :meth:`submit` instead.
    report : callable
        Called with what, in one line, a block waits for that ends with an exception.

    Examples
    --------
    >>> with BackgroundCalls(at_once=False) as background:
    ...     background.submit(lambda: print("one"))
    ...     background.submit(lambda: print("two"))
    one
    two
    """

    def __init__(
        self, *, at_once: bool, report: Callable[[str], None] = lambda message: None
    ) -> None:
        self._threads = None if at_once else ThreadPoolExecutor(1, "finishing")
        self._calls: deque[_Submitted] = deque()
        self._has_failed = False
        self._failed = ""
        self._report = report

    def submit(self, call: Callable[[], None], what: str = "") -> None:
        """Run a call as soon as those before are over; this waits until at most one waits."""
        self._wait_until(_MOST_WAITING)
        if self._threads is None:
            call()
        else:
            self._calls.append(_Submitted(self._threads.submit(self._make, call), what))

    def wait(self) -> None:
        """Wait until nothing runs in the background, and raise what was raised there."""
        self._wait_until(0)

    def _make(self, call: Callable[[], None]) -> None:
        """Make a call, in the thread, unless one before it has failed."""
        if self._has_failed:
            return
        try:
            call()
        except BaseException:
            self._has_failed = True
            raise

    def _wait_until(self, n_left: int) -> None:
        """Wait until so many calls are left, and raise what one raised that is over."""
        while self._calls and (len(self._calls) > n_left or self._calls[0].future.done()):
            future, what = self._calls[0]
            try:
                future.result()
            except BaseException as raised:
                # A wait that was interrupted is to be repeated.
                if future.done() and future.exception() is raised:
                    self._failed = what
                    # The others return at once.
                    self._calls.clear()
                    if self._threads is not None:
                        self._threads.submit(self._forget_failure)
                raise
            self._calls.popleft()

    def _forget_failure(self) -> None:
        self._has_failed = False

    def __enter__(self) -> BackgroundCalls:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            left = [what for future, what in self._calls if not future.done()]
            if left:
                what = " and ".join(filter(None, left)) or "what is in work"
                self._report(f"stopping as soon as {what} is done")
        try:
            self.wait()
        except Exception as lost:
            if error is None:
                raise
            self._report(f"{self._failed or 'what was in work'} failed: {lost}")
        finally:
            if self._threads is not None:
                self._threads.shutdown()
