"""One BLAS thread for the decompositions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@contextmanager
def single_blas_thread() -> Iterator[None]:
    """Keep BLAS to one thread inside the block.

    The matrices are small and the calls many: a second thread gains little, spins for
    most of the time where the cores have other work, and makes the last bits depend on
    how many there are.
    """
    with _controller().limit(limits=1, user_api="blas"):
        yield


@cache
def _controller() -> Any:
    # Looking for the loaded libraries takes milliseconds, setting their threads does not.
    import scipy.linalg  # noqa: F401 - so that its BLAS is among them
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
