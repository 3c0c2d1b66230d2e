"""Cores, threads and memory of this process."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

# glibc adapts to blocks of up to 32 MiB (DEFAULT_MMAP_THRESHOLD_MAX), its own header included.
_ADAPTIVE_BLOCK = 31 << 20

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_TOP_PAD = -2
_M_MMAP_MAX = -4


def n_cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def limit_threads() -> None:
    """One thread for each library, in this process."""
    import cv2
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    cv2.setNumThreads(1)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for each library inside the block.

    Products of small matrices, thousands of them, take several times the processor's time with
    two: the threads mostly wait for each other.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


def single_thread_environment() -> dict[str, str]:
    """Environment variables that keep numerical libraries to one thread."""
    return dict.fromkeys(THREAD_VARIABLES, "1")


def peak_memory() -> int | None:
    """The largest resident size of this process so far, in bytes; None where unknown."""
    try:
        # Not getrusage: its maximum is inherited from the parent through fork and exec.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


@cache
def keep_freed_memory() -> None:
    """Make arrays of up to 31 MiB reuse memory that the process already holds.

    By default glibc asks the kernel for fresh pages for every array of more
    than 128 KiB and hands them back when it is freed. A filter that makes
    twenty arrays of the image's size then spends about half of its time on page
    faults, as sixty operations on 256 x 256 doubles do. glibc adapts when it sees a
    large block being freed, so one is shown to it: neither read nor written, it costs
    two system calls. From then on up to 62 MiB of freed memory stay with the process.

    Acts once per process; on other allocators, and where ``MALLOC_…`` variables of
    the environment say otherwise, it does nothing.
    """
    # Whoever only starts workers does without.
    import numpy as np

    block = np.empty(_ADAPTIVE_BLOCK, dtype=np.uint8)
    del block


@cache
def keep_activations_mapped() -> bool:
    """Make large tensors on the CPU reuse memory that the process already holds.

    glibc maps every block of more than 32 MiB anew and unmaps it when it is freed, and the
    kernel clears each of its pages at the first touch. At 320×320 and a batch of 16 that is
    700,000 of the 750,000 page faults of a step of LE-IRSTD, forward and backward. From now on
    memory grows to what a step needs and stays there.

    Returns
    -------
    bool
        Whether it was possible: not on macOS, Windows or with musl.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    done = [
        set_option(_M_MMAP_MAX, 0),
        set_option(_M_TRIM_THRESHOLD, 2**31 - 1),
        set_option(_M_TOP_PAD, 64 << 20),
    ]
    return all(done)
