"""The commands of docs/ci-gate.md work as they stand there, one after the other."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from irbench.cli.main import main

TEXT = (Path(__file__).parents[3] / "docs" / "ci-gate.md").read_text(encoding="utf-8")
BLOCKS = dict.fromkeys(("bash", "yaml"))
for kind in BLOCKS:
    BLOCKS[kind] = re.findall(rf"```{kind}\n(.*?)```", TEXT, re.S)


def status_of(command, *more):
    with pytest.raises(SystemExit) as ended:
        main([*shlex.split(command)[1:], *more])
    return ended.value.code


def test_the_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (workflow,) = BLOCKS["yaml"]
    commands = [line for block in BLOCKS["bash"] for line in block.splitlines()]
    steps = re.findall(r"run: (irbench .*)", workflow)
    assert len(commands) == 6
    # The workflow repeats what was shown before.
    assert steps == commands[2:4]
    for command in commands:
        # Few images and one worker: what they find is not the point.
        few = ("--limit", "2", "--jobs", "1") if command.startswith("irbench run") else ()
        assert status_of(command, *few) == 0, capsys.readouterr().err
    assert (tmp_path / "gate.md").read_text().startswith("### irbench check passed")
    summary = re.search(r"run: (cat gate.md >> .*)", workflow).group(1)
    assert os.system(f"GITHUB_STEP_SUMMARY=summary.md; {summary}") == 0
    assert (tmp_path / "summary.md").read_text() == (tmp_path / "gate.md").read_text()


def test_the_workflow():
    yaml = pytest.importorskip("yaml")
    (workflow,) = BLOCKS["yaml"]
    (job,) = yaml.safe_load(workflow)["jobs"].values()
    assert all(step.keys() & {"uses", "run"} for step in job["steps"])
    assert "pip install ." in [step.get("run") for step in job["steps"]]
