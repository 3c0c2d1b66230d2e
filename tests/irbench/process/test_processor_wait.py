"""Waiting for a processor: what the system counts, and what is said of times measured meanwhile."""

from __future__ import annotations

import pytest

from irbench.process import processor_wait
from irbench.process.processor_wait import ProcessorWait, competing_load, upper_bounds, waited_s


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("12000 2500000000 7\n", 2.5),
        ("0 0 0\n", None),
        ("", None),
        ("1 2\n", None),
        ("a b c", None),
    ],
)
def test_what_linux_counts(tmp_path, content, expected):
    (tmp_path / "schedstat").write_text(content)
    assert waited_s(tmp_path / "schedstat") == expected
    assert waited_s(tmp_path / "missing") is None


@pytest.mark.parametrize(
    ("waits", "share"), [((1.0, 3.0), 0.5), ((1.0, 9.0), 1.0), ((None,), None)]
)
def test_the_share_of_a_lifetime(monkeypatch, waits, share):
    counted = iter([*waits, waits[-1]])
    clock = iter([10.0, 14.0])
    monkeypatch.setattr(processor_wait, "waited_s", lambda: next(counted))
    monkeypatch.setattr(processor_wait.time, "perf_counter", lambda: next(clock))
    assert ProcessorWait().share() == share


def test_load_counts_where_it_leaves_too_few_cores(monkeypatch):
    monkeypatch.setattr(processor_wait, "n_cores", lambda: 4)
    monkeypatch.setattr(processor_wait.os, "getloadavg", lambda: (3.0, 0.0, 0.0))
    assert competing_load(1) is None
    assert competing_load(2) == 3.0


def test_a_table_names_the_times_that_are_upper_bounds():
    rows = [
        {"title": "A", "waited_share": 0.09},
        {"title": "B", "waited_share": None},
        {"title": "C"},
    ]
    assert upper_bounds(rows) == ""
    assert "A (10 % waiting)" in upper_bounds([{"title": "A", "waited_share": 0.1}])
