"""One call at a time in the background, while the next method is run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class BackgroundCalls:
    """Runs calls in their order in a thread, while the caller continues; a context manager.

    What a call raises is raised where it is waited for: by the next :meth:`submit`, by
    :meth:`wait`, or at the end of the block. A block that ends with an exception of its own
    waits too, and raises that one.

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
        self._call: Future[None] | None = None
        self._what = ""
        self._report = report

    def submit(self, call: Callable[[], None], what: str = "") -> None:
        """Run a call as soon as the one before is over, for which this waits."""
        self.wait()
        self._what = what
        if self._threads is None:
            call()
        else:
            self._call = self._threads.submit(call)

    def wait(self) -> None:
        """Wait until nothing runs in the background, and raise what was raised there."""
        call = self._call
        if call is not None:
            try:
                call.result()
            finally:
                # A wait that was interrupted is to be repeated.
                if call.done():
                    self._call = None

    def __enter__(self) -> BackgroundCalls:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and self._call is not None and not self._call.done():
            self._report(f"stopping as soon as {self._what or 'what is in work'} is done")
        try:
            self.wait()
        except Exception as lost:
            if error is None:
                raise
            self._report(f"{self._what or 'what was in work'} failed: {lost}")
        finally:
            if self._threads is not None:
                self._threads.shutdown()
