from __future__ import annotations

import itertools
import math
import multiprocessing
import os
import signal
import sys
import time
from multiprocessing.forkserver import ForkServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from irbench.engine.executors import worker
from irbench.engine.executors.process_start import STARTER, STATED_PATH
from irbench.engine.executors.worker import Worker
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


def test_a_time_limit_counts_from_when_a_batch_is_seen_to_be_in_work(monkeypatch):
    one, now = Worker(), 100.0
    monkeypatch.setattr(worker, "time", SimpleNamespace(monotonic=lambda: now))
    with STARTER:
        try:
            one.send(abs, [-1])
            one.send(abs, [-2])
            # It imports, for however long.
            now = 200.0
            assert one.seconds_in_work() is None
            assert one.receive() is None
            now = 203.0
            assert one.seconds_in_work() == 3.0
            assert one.receive()[0] == [-1]
            assert one.seconds_in_work() == 0.0
            assert one.receive()[0] == [-2]
            assert one.seconds_in_work() is None
        finally:
            one.end()


def test_what_cannot_be_sent_fails_alone_and_costs_no_worker():
    with WorkerPool(1) as pool:
        (worker_id,) = answers(pool.run(abs, [-7])) and [pool._workers[0]._process.pid]
        # A generator, which nobody can send: there, and here.
        outcomes = {one.job: one for one in pool.run(open, [os.devnull, "/no/such/file"])}
        assert "pickle" in outcomes[os.devnull].error
        assert outcomes["/no/such/file"].error.startswith("FileNotFoundError")
        jobs = [3, (n for n in ()), 4]
        outcomes = {one.job: one for one in pool.run(repr, jobs)}
        assert (outcomes[3].returned, outcomes[4].returned) == ("3", "4")
        assert "pickle" in outcomes[jobs[1]].error
        assert pool._workers[0]._process.pid == worker_id


def threads_of(process):
    return len(list(Path(f"/proc/{process}/task").iterdir()))


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")


@linux_only
def test_workers_are_copies_of_one_process_without_threads():
    with WorkerPool(2) as pool:
        parents = {one.returned for one in pool.run(eval, ["__import__('os').getppid()"] * 8)}
        (server,) = parents
        assert server != os.getpid()
        assert threads_of(server) == 1
        loaded = "'irbench.conversion.descent' in __import__('sys').modules"
        assert all(one.returned for one in pool.run(eval, [loaded] * 4))
        alone = pool.run_alone(eval, "__import__('os').getppid()", None)
        assert alone.returned == os.getpid()
    assert not Path(f"/proc/{server}").exists()


@linux_only
@pytest.mark.parametrize("stated", [None, "modules of mine"])
def test_workers_have_the_search_path_that_the_user_stated(monkeypatch, stated):
    if stated is None:
        monkeypatch.delenv("PYTHONPATH", raising=False)
    else:
        monkeypatch.setenv("PYTHONPATH", stated)
    expression = "dict(__import__('os').environ)"
    with WorkerPool(1) as pool:
        (found,) = pool.run(eval, [expression])
    assert found.returned.get("PYTHONPATH") == stated
    assert STATED_PATH not in found.returned
    assert os.environ.get("PYTHONPATH") == stated


@linux_only
@pytest.mark.parametrize("error", [OSError, EOFError])
def test_workers_are_spawned_where_they_cannot_be_forked(monkeypatch, error):
    def refuse(self, fds):
        raise error

    monkeypatch.setattr(ForkServer, "connect_to_new_process", refuse)
    with WorkerPool(1) as pool:
        (parent,) = pool.run(eval, ["__import__('os').getppid()"])
    assert parent.returned == os.getpid()


def test_processes_that_never_get_ready_fail_the_jobs(monkeypatch):
    monkeypatch.setattr(worker, "work", print)
    with WorkerPool(1) as pool:
        outcomes = list(pool.run(abs, [-1]))
    assert [one.error for one in outcomes] == ["the worker process died (exit code 0)"]
    assert outcomes[0].worker_lost


def test_a_run_that_is_given_up_ends_what_is_in_work():
    with WorkerPool(1) as pool:
        outcomes = pool.run(time.sleep, [0.0, 600.0])
        next(outcomes)
        outcomes.close()
        assert answers(pool.run(abs, [-3])) == {-3: 3}
