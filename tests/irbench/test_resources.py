from __future__ import annotations

from irbench.resources import keep_freed_memory


def test_acts_once_per_process():
    keep_freed_memory()
    keep_freed_memory()
    assert keep_freed_memory.cache_info().misses == 1
