"""Signals become wishes, and a second one becomes an interruption."""

from __future__ import annotations

import signal
import threading

import pytest

from irbench.process import interrupts
from irbench.process.interrupts import StopRequest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_noted_and_handlers_come_back(number, capfd):
    before = signal.getsignal(number)
    with StopRequest() as stop:
        assert not stop.asked
        signal.raise_signal(number)
        assert stop.asked
    assert signal.getsignal(number) is before
    assert "Ctrl-C again stops at once" in capfd.readouterr().err


def test_a_second_one_interrupts(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(interrupts.time, "monotonic", lambda: now[0])
    with StopRequest(acknowledge=False):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)  # The same Ctrl-C, passed on by another process.
        now[0] += interrupts.AGAIN_S
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with StopRequest(acknowledge=False) as stop:
            signal.raise_signal(signal.SIGINT)
            assert not stop.asked
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_may_train_too():
    seen = []

    def train():
        with StopRequest(acknowledge=False) as stop:
            seen.append(stop.asked)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert seen == [False]
