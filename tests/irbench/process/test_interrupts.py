from __future__ import annotations

import signal
import threading

import pytest

from irbench.engine.executors.worker_processes import WorkerProcesses
from irbench.process.interrupts import interrupts_held_back


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
def number(request):
    """A signal that is handled as Ctrl-C is."""
    before = signal.signal(request.param, signal.default_int_handler)
    yield request.param
    signal.signal(request.param, before)


def test_what_comes_in_the_block_comes_at_its_end(number):
    steps = []

    def work():
        with interrupts_held_back():
            signal.raise_signal(number)
            steps.append("after the signal")
            signal.raise_signal(number)
            steps.append("after another")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == ["after the signal", "after another"]
    assert signal.getsignal(number) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def test_an_error_in_the_block_is_raised_and_handlers_are_back(number):
    def work():
        with interrupts_held_back():
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        work()
    assert signal.getsignal(number) is signal.default_int_handler


def test_other_threads_may_use_it():
    done = []

    def work():
        with interrupts_held_back():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done


def test_a_call_is_handed_over_whole_before_the_interrupt(monkeypatch, number):
    """An interrupt between waking a thread and noting it leaves a pool that cannot be ended."""
    processes = WorkerProcesses(1)
    handed_over = []

    class Pool:
        active = True

        def schedule(self, function, args):
            signal.raise_signal(number)
            handed_over.append(args)

    try:
        monkeypatch.setattr(processes, "_pool", Pool())
        with pytest.raises(KeyboardInterrupt):
            processes.submit(print, 1)
        assert handed_over == [(1,)]
    finally:
        monkeypatch.undo()
        processes.end(at_once=True)
