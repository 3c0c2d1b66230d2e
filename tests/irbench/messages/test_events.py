"""The structured log of a run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from irbench.messages import log_file
from irbench.messages.events import MAX_TEXT, MOST_OF_A_KIND, Events

NOON = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)


def read(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.jsonl"


def test_an_event_is_one_line_of_json_with_its_time(path):
    events = Events(now=lambda: NOON)
    with events.logged_to(path):
        events.record("calibrated", method="tophat", threshold=11.25)
    assert path.read_text() == (
        '{"time":"2026-01-02T12:00:00.123Z","level":"info","event":"calibrated",'
        '"method":"tophat","threshold":11.25}\n'
    )


def test_outside_of_a_log_nothing_is_written_but_all_is_told(path):
    told = []
    events = Events(told.append, lambda: NOON)
    events.record("start", dataset="nudt", n=3, none=None, facts={"size": 5.0, "scales": (1, 2)})
    with events.logged_to(path):
        pass
    assert path.read_bytes() == b""
    assert told == ["12:00:00 start: dataset=nudt n=3 facts={size: 5, scales: 1,2}"]


def test_a_log_is_appended_to_and_a_torn_line_is_dropped(path):
    path.write_bytes(b'{"event":"start"}\n{"event":"meth')
    events = Events()
    with events.logged_to(path):
        events.record("resume")
    assert [one["event"] for one in read(path)] == ["start", "resume"]


def test_failures_of_many_images_are_listed_up_to_a_bound_for_each_method(path):
    events = Events()
    with events.logged_to(path):
        for method in ("a", "b"):
            for index in range(1000):
                events.record("image_failed", method=method, image=str(index))
            events.record("method_failed", method=method)
    lines = read(path)
    assert len(lines) == 2 * (MOST_OF_A_KIND + 1)
    assert lines[MOST_OF_A_KIND - 1]["more"] == "not listed"
    assert "more" not in lines[MOST_OF_A_KIND - 2]


def test_a_long_text_is_cut(path):
    events = Events()
    with events.logged_to(path):
        events.record("error", "error", reason="x" * 10**6)
    (line,) = read(path)
    assert line["reason"] == "x" * MAX_TEXT + f"… (the first {MAX_TEXT} of 1000000 characters)"


def test_a_log_that_has_grown_large_gives_way_to_another(path, monkeypatch):
    monkeypatch.setattr(log_file, "MAX_BYTES", 1000)
    events = Events()
    with events.logged_to(path):
        for index in range(100):
            events.record("method_done", method=f"method-{index:03d}")
    older = path.with_name("log.1.jsonl")
    assert max(path.stat().st_size, older.stat().st_size) < 1200
    assert read(older)[-1]["method"] < read(path)[0]["method"]
    assert read(path)[-1]["method"] == "method-099"
    assert {one.name for one in path.parent.iterdir()} == {path.name, older.name}


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path):
    told = []
    events = Events(told.append)
    (tmp_path / "log.jsonl").mkdir()
    with events.logged_to(tmp_path / "log.jsonl"):
        events.record("start")
    assert len(told) == 2
    assert "cannot be written: Is a directory" in told[0]
    assert told[1].endswith("start: ")


def test_a_full_disk_ends_the_log_and_not_the_run():
    told = []
    events = Events(told.append)
    with events.logged_to(Path("/dev/full")):
        events.record("start")
        events.record("finish")
    assert sum("/dev/full cannot be written" in line for line in told) == 1


def test_a_command_says_how_it_ends(path):
    with Events().of_command(path, ["irbench", "run", "a b"], resumed=False, jobs=2) as ended:
        ended["n"] = 1
    with (
        pytest.raises(KeyboardInterrupt),
        Events().of_command(path, ["irbench"], resumed=True),
    ):
        raise KeyboardInterrupt
    with pytest.raises(ValueError, match="bad"), Events().of_command(path, [], resumed=True):
        raise ValueError("bad")
    lines = read(path)
    assert [line["event"] for line in lines] == [
        "start", "finish", "resume", "interrupted", "resume", "error",
    ]  # fmt: skip
    assert lines[0]["command"] == "irbench run 'a b'"
    assert lines[0]["jobs"] == 2
    assert lines[1]["n"] == 1
    assert lines[-1]["reason"] == "ValueError: bad"
    assert lines[-1]["level"] == "error"
