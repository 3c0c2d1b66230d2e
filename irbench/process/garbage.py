"""Python's garbage collector, for commands that make many objects and end soon."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS = 50_000
"""More objects than before set off a collection; Python's default is some hundred or thousand."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Collect garbage seldom inside the block.

    What a figure or a page is made of lives until it is written, and is looked through in vain
    again and again: a twelfth of the time of a report.
    """
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
