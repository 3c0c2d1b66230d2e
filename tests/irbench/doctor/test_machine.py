"""Cores, memory, devices, folders, data."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

from irbench.doctor.found_data import check_data, check_plugins, check_weights
from irbench.doctor.isolation import Isolated, run_isolated
from irbench.doctor.machine import (
    check_environment,
    check_machine,
    cores_and_memory,
    other_programs,
    quota,
)
from irbench.doctor.places import check_place
from irbench.doctor.torch_state import torch_findings


def states(findings):
    return [one.state for one in findings]


def test_this_machine():
    assert "broken" not in states(check_machine())


def test_more_cores_than_the_container_may_use():
    cores, memory = cores_and_memory(64, 4.0, 10**12)
    assert cores.state == "warning"
    assert cores.advice == "irbench run --jobs 4"
    assert memory.state == "ok"


def test_less_memory_than_the_workers_take():
    cores, memory = cores_and_memory(64, None, 4 * 10**9)
    assert cores.state == "ok"
    assert memory.advice == "irbench run --jobs 10"


@pytest.mark.parametrize(
    ("content", "expected"), [("max 100000", None), ("250000 100000", 2.5), ("nonsense", None)]
)
def test_the_time_of_a_control_group(tmp_path, content, expected):
    (tmp_path / "cpu.max").write_text(content)
    assert quota(tmp_path / "cpu.max") == expected
    assert quota(tmp_path / "missing") is None


def test_other_programs():
    assert list(other_programs(None)) == []
    (load,) = other_programs(3.04)
    assert load.state == "warning"
    assert "load average 3.0" in load.text


def test_variables():
    assert list(check_environment({})) == []
    one_thread, told = check_environment({"OMP_NUM_THREADS": "1", "HOME": "/"})
    assert one_thread.state == "warning"
    assert told.text == "OMP_NUM_THREADS=1"


FACTS = {"version": "2.13.0", "cuda": None, "available": False, "devices": [], "threads": 2}
GPU = {"cuda": "13.0", "available": True, "devices": [{"name": "X", "memory_bytes": 8e9}]}


@pytest.mark.parametrize(
    ("facts", "has_gpu", "state", "text"),
    [
        ({}, False, "ok", "CPU alone"),
        ({}, True, "warning", "built for the CPU"),
        ({"cuda": "13.0"}, True, "warning", "does not see"),
        (GPU, True, "ok", "X (8 GB)"),
    ],
)
def test_what_torch_sees(facts, has_gpu, state, text):
    (one,) = torch_findings(Isolated([{**FACTS, **facts}]), has_gpu)
    assert one.state == state
    assert text in one.text


def test_torch_that_does_not_load():
    (one,) = torch_findings(Isolated([], "ImportError: undefined symbol"), False)
    assert one.state == "broken"
    assert "undefined symbol" in one.text


def test_a_check_that_hangs():
    found = run_isolated(
        "import time; print('{\"a\": 1}', flush=True); time.sleep(60)", timeout_s=2
    )
    assert found.records == [{"a": 1}]
    assert found.trouble == "took longer than 2 s"


def test_a_folder_that_is_not_made_yet_and_one_that_cannot_be(tmp_path):
    (good,) = check_place("run directory", tmp_path / "a" / "b", "go elsewhere")
    assert good.state in ("ok", "warning")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    (bad,) = check_place("run directory", tmp_path / "file" / "b", "go elsewhere")
    assert (bad.state, bad.advice) == ("broken", "go elsewhere")
    assert "cannot be written" in bad.text
    (bad,) = check_place("user data", tmp_path / "file" / "b", "go elsewhere", needed=False)
    assert bad.state == "note"


@pytest.mark.parametrize(("free", "state"), [(10**6, "broken"), (5e8, "warning"), (5e9, "ok")])
def test_room_on_disk(tmp_path, monkeypatch, free, state):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    (one,) = check_place("run directory", tmp_path, "go elsewhere")
    assert one.state == state


def test_where_data_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("IRBENCH_DATA", str(tmp_path / "nowhere"))
    found = {one.about: one for one in check_data(None)}
    assert found["$IRBENCH_DATA"].state == "broken"
    assert found["data nudt"].state == "note"
    assert str(tmp_path / "nowhere") in found["data nudt"].text
    assert "irbench data import" in found["data nudt"].advice
    found = {one.about: one for one in check_data(tmp_path)}
    assert "--data-root" not in found
    assert found["data nudt"].text == f"not here: looked in {tmp_path}"


def test_what_is_shipped_is_well():
    assert states(check_plugins()) == ["ok"]
    (one,) = check_weights()
    assert "le-irstd-nudt" in one.text
