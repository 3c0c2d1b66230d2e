"""Reading in a thread, a few frames ahead of who uses them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")

_END = object()
_POLL_S = 0.1


def read_ahead(items: Iterable[Item], n: int = 4) -> Generator[Item, None, None]:
    """The same items, of which up to ``n`` are made while others are used.

    What making one raises is raised where it would have come. Who stops early stops the thread.

    Parameters
    ----------
    items : iterable
    n : int
        Items in memory at a time, beside the one in use and the one in work.

    Examples
    --------
    >>> list(read_ahead(range(3)))
    [0, 1, 2]
    """
    ready: queue.Queue[Any] = queue.Queue(n)
    stopped = threading.Event()

    def put(entry: Any) -> bool:
        while not stopped.is_set():
            try:
                ready.put(entry, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False

    def fill() -> None:
        try:
            for item in items:
                if not put((item, None)):
                    return
        # Raised again in the thread that reads.
        except BaseException as error:
            put((None, error))
            return
        put((_END, None))

    thread = threading.Thread(target=fill, name="reading", daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        stopped.set()
        thread.join()
