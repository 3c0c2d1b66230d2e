from __future__ import annotations

from threadpoolctl import threadpool_info, threadpool_limits

from irbench.resources import keep_freed_memory, one_thread


def test_acts_once_per_process():
    keep_freed_memory()
    keep_freed_memory()
    assert keep_freed_memory.cache_info().misses == 1


def test_libraries_have_one_thread_within_and_what_they_had_after():
    import numpy  # noqa: F401 -- loads a BLAS

    with threadpool_limits(2):
        before = [one["num_threads"] for one in threadpool_info()]
        with one_thread():
            assert {one["num_threads"] for one in threadpool_info()} == {1}
        assert [one["num_threads"] for one in threadpool_info()] == before
