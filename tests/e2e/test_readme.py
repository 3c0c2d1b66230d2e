"""What the README shows is what works."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from irbench.testing import check_detector

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.fixture
def plugin(tmp_path):
    (block,) = (b for b in re.findall(r"```python\n(.*?)```", README, re.S) if "class Mine" in b)
    file = tmp_path / "mine.py"
    file.write_text(block)
    return file


def test_the_example_method_keeps_the_contract(plugin, monkeypatch):
    spec = importlib.util.spec_from_file_location("mine", plugin)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "mine", module)
    spec.loader.exec_module(module)
    check_detector(module.Mine())


def test_the_example_method_becomes_a_row(plugin, irbench_command):
    assert "irbench run --methods mine,tophat --plugin mine.py --dataset synth" in README
    irbench_command(
        "run", "--methods", "mine,tophat", "--plugin", "mine.py", "--dataset", "synth",
        "--param", "mine.gain=2", "--limit", 3, "--timing-images", 0,
    )  # fmt: skip
    rows = irbench_command.results("runs/synth")["rows"]
    assert [row["method"] for row in rows] == ["tophat", "mine"]
    assert rows[1]["method_params"] == {"gain": 2.0}


def test_the_two_commands_are_the_sessions():
    noxfile = (Path(__file__).parents[2] / "noxfile.py").read_text()
    for session in ("bench", "tests"):
        assert f"pip install nox && nox -s {session} " in README
        assert f"def {session}(" in noxfile
