"""Calls in the background: in order, one at a time, none of their errors lost."""

from __future__ import annotations

import threading

import pytest

from irbench.process.background_calls import BackgroundCalls


def test_the_caller_goes_on_while_a_call_runs():
    gate, done = threading.Event(), []
    with BackgroundCalls(at_once=False) as background:
        background.submit(lambda: (gate.wait(60), done.append(1)))
        assert not done
        gate.set()
    assert done == [1]


def test_one_call_may_wait_and_the_caller_for_room_for_another():
    gate, order = threading.Event(), []
    with BackgroundCalls(at_once=False) as background:
        background.submit(lambda: (gate.wait(60), order.append("first")))
        background.submit(lambda: order.append("second"))
        assert not order
        threading.Timer(0.01, gate.set).start()
        background.submit(lambda: order.append("third"))
        assert order[0] == "first"
        background.wait()
    assert order == ["first", "second", "third"]


def test_what_waited_for_a_call_that_fails_is_not_made():
    gate, made = threading.Event(), []

    def fail_late():
        gate.wait(60)
        fail()

    background = BackgroundCalls(at_once=False)
    background.submit(fail_late)
    background.submit(lambda: made.append("waited"))
    gate.set()
    with pytest.raises(ValueError, match="no room"):
        background.wait()
    background.submit(lambda: made.append("later"))
    background.wait()
    assert made == ["later"]


def test_at_once_runs_it_in_the_same_thread():
    threads = []
    with BackgroundCalls(at_once=True) as background:
        background.submit(lambda: threads.append(threading.current_thread()))
        assert threads == [threading.current_thread()]


def fail():
    raise ValueError("no room")


@pytest.mark.parametrize(
    "wait",
    [
        lambda background: background.wait(),
        lambda background: [background.submit(lambda: None) for _ in range(3)],
        lambda background: background.__exit__(None, None, None),
    ],
    ids=["wait", "submit", "end"],
)
def test_an_error_is_raised_where_it_is_waited_for(wait):
    background = BackgroundCalls(at_once=False)
    background.submit(fail)
    with pytest.raises(ValueError, match="no room"):
        wait(background)


def test_an_error_is_raised_once():
    with BackgroundCalls(at_once=False) as background:
        background.submit(fail)
        with pytest.raises(ValueError, match="no room"):
            background.wait()
        background.wait()


def test_an_error_of_the_block_comes_first_and_waits_for_the_call():
    gate, done, told = threading.Event(), [], []

    def tell(message):
        told.append(message)
        gate.set()

    def slow():
        gate.wait(60)
        done.append(1)
        raise ValueError("later")

    def interrupted():
        with BackgroundCalls(at_once=False, report=tell) as background:
            background.submit(slow, "scoring Top-Hat")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == [1]
    assert told == [
        "stopping as soon as scoring Top-Hat is done",
        "scoring Top-Hat failed: later",
    ]
