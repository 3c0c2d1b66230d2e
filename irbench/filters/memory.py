"""Let the allocator keep freed memory for the next array."""

from __future__ import annotations

from functools import cache

import numpy as np

# glibc adapts to blocks of up to 32 MiB (DEFAULT_MMAP_THRESHOLD_MAX), its own header included.
_ADAPTIVE_BLOCK = 31 << 20


@cache
def keep_freed_memory() -> None:
    """Make arrays of up to 31 MiB reuse memory that the process already holds.

    By default glibc asks the kernel for fresh pages for every array of more
    than 128 KiB and hands them back when it is freed. A filter that makes
    twenty arrays of the image's size then spends most of its time on page
    faults: five sixths, measured at 256 x 256. glibc adapts when it sees a
    large block being freed, so one is shown to it: neither read nor written, it costs
    two system calls. From then on up to 62 MiB of freed memory stay with the process.

    Acts once per process; on other allocators, and where ``MALLOC_…`` variables of
    the environment say otherwise, it does nothing.
    """
    block = np.empty(_ADAPTIVE_BLOCK, dtype=np.uint8)
    del block
