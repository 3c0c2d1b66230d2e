from __future__ import annotations

import itertools
import math
import multiprocessing
import os
import signal
import sys
import time
from concurrent.futures import Future

from irbench.engine.executors.batches import Deadlines
from irbench.engine.executors.worker_pool import WorkerPool


def answers(outcomes):
    return {outcome.job: outcome.returned for outcome in outcomes}


def test_an_error_is_told_in_words_and_costs_no_worker():
    with WorkerPool(1) as pool:
        outcomes = {one.job: one for one in pool.run(math.sqrt, [4.0, -1.0, 9.0])}
        assert outcomes[4.0].returned == 2
        assert outcomes[-1.0].returned is None
        assert outcomes[-1.0].error.startswith("ValueError: ")
        (exited,) = pool.run(sys.exit, [3])
        assert exited.error == "SystemExit: 3"
        assert answers(pool.run(abs, [-5])) == {-5: 5}


def test_a_worker_that_dies_is_named_by_its_signal_and_replaced():
    with WorkerPool(1, timeout_s=60) as pool:
        (killed,) = pool.run(signal.raise_signal, [signal.SIGSEGV])
        assert killed.error == "the worker process died (SIGSEGV)"
        for code in (11, 0):
            (left,) = pool.run(os._exit, [code])
            assert left.error == f"the worker process died (exit code {code})"
        assert answers(pool.run(abs, [-1, -2])) == {-1: 1, -2: 2}


def test_a_pool_whose_idle_workers_are_all_killed_is_replaced():
    jobs = range(-40, 0)
    with WorkerPool(2) as pool:
        found = {}
        for outcome in pool.run(abs, jobs):
            if len(found) == 12:
                # As the system does when memory is short; whoever it takes.
                for worker in multiprocessing.active_children():
                    os.kill(worker.pid, signal.SIGKILL)
            found[outcome.job] = outcome.returned or outcome.error
        # What a killed worker was at may be lost; nothing else is, and nobody waits for ever.
        assert found.keys() == set(jobs)
        lost = {job for job, answer in found.items() if answer != -job}
        assert len(lost) <= 2
        assert all("SIGKILL" in found[job] for job in lost)
        assert answers(pool.run(abs, [-7])) == {-7: 7}


def test_what_workers_are_started_with_is_no_matter_of_the_process_that_starts_them():
    before = dict(os.environ)
    # Pools of the threads of a dask worker end in whatever order.
    first, second = WorkerPool(1).__enter__(), WorkerPool(1).__enter__()
    first.__exit__(None, None, None)
    try:
        (found,) = second.run(os.getenv, ["PYTHONSAFEPATH"])
    finally:
        second.__exit__(None, None, None)
    assert (found.returned, found.error) == ("1", "")
    assert dict(os.environ) == before


def test_a_call_that_takes_too_long_costs_its_worker_and_nothing_else():
    with WorkerPool(1, timeout_s=1.0) as pool:
        found = {one.job: one for one in pool.run(time.sleep, [0.0, 600.0, 0.01])}
    assert found[600.0].error == "timeout: took longer than 1 s"
    assert found[600.0].worker_lost
    assert not found[0.0].error
    assert not found[0.01].error


def test_a_clock_that_is_set_forward_ends_no_call(monkeypatch):
    true_time, jumped = time.time, itertools.count(1)
    # By an hour at each look.
    monkeypatch.setattr(time, "time", lambda: true_time() + 3600 * next(jumped))
    with WorkerPool(1, timeout_s=600.0) as pool:
        outcomes = list(pool.run(time.sleep, [0.3, 0.2]))
    assert [one.error for one in outcomes] == ["", ""]


def test_deadlines_count_from_when_a_call_is_seen_to_run(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    deadlines, waiting, begun = Deadlines(10.0), Future(), Future()
    begun.set_running_or_notify_cancel()
    deadlines.cancel_overdue([waiting, begun])
    assert deadlines.look_in_s([begun], 60.0) == 10.0
    assert deadlines.look_in_s([begun], 4.0) == 4.0
    assert deadlines.look_in_s([waiting, begun], 60.0) < 1.0
    now = 110.0
    deadlines.cancel_overdue([waiting, begun])
    assert begun.running()
    cancelled = []
    begun.cancel = lambda: cancelled.append(begun)
    waiting.cancel = lambda: cancelled.append(waiting)
    now = 110.1
    deadlines.cancel_overdue([waiting, begun])
    assert cancelled == [begun]
    assert Deadlines(None).look_in_s([waiting], 7.0) == 7.0
