from __future__ import annotations

import itertools
import time

import pytest

from irbench.networks import stopwatch
from irbench.networks.stopwatch import CudaStopwatch, Stopwatch, stopwatch_for


def test_laps_are_the_times_between_marks(monkeypatch):
    times = iter([1.0, 1.5, 3.5])
    monkeypatch.setattr(time, "perf_counter", lambda: next(times))
    watch = Stopwatch()
    for _ in range(3):
        watch.mark()
    assert watch.lap() == [500.0, 2000.0]
    assert watch.lap() == []


@pytest.fixture
def cuda(monkeypatch):
    """A device on which every event happens 10 ms after the last, once it is waited for."""
    torch = pytest.importorskip("torch")
    log, clock = [], itertools.count(step=10)

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing
            self.at = None

        def record(self, stream):
            assert stream == "stream of cuda:1"
            log.append("record")
            self.at = next(clock)

        def elapsed_time(self, other):
            assert log[-1] == "wait", "an event is read before the device has reached it"
            return other.at - self.at

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: f"stream of {device}")
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: log.append("wait"))
    return log


def test_cuda_waits_before_the_first_mark_and_after_the_last_only(cuda):
    watch = stopwatch_for("cuda:1")
    assert isinstance(watch, CudaStopwatch)
    for _ in range(2):
        for _ in range(3):
            watch.mark()
        assert watch.lap() == [10.0, 10.0]
    assert cuda == ["wait", "record", "record", "record", "wait"] * 2


def test_the_cpu_has_the_clock_of_the_host():
    assert type(stopwatch_for("cpu")) is Stopwatch
    assert stopwatch.stopwatch_for("cpu").lap() == []
