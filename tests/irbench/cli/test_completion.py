"""What a shell is offered when Tab is pressed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from irbench.cli.completion import COMPLETE_VARIABLE
from irbench.cli.main import irbench
from irbench.plugins.registry import catalogue


def offered(*words):
    """What may stand for the last word."""
    asked = ShellComplete(irbench, {}, "irbench", COMPLETE_VARIABLE)
    return [(one.value, one.type) for one in asked.get_completions(list(words[:-1]), words[-1])]


def names(*words):
    return [value for value, _ in offered(*words)]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("nudt", "nuaa"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        states = {"tophat": {"state": "done"}, "mpcm": {"state": "failed"}}
        (tmp_path / "runs" / name / "run.json").write_text(json.dumps({"methods": states}))
    (tmp_path / "runs" / "train").mkdir()
    return tmp_path


def test_commands_and_options():
    assert names("co") == ["compare", "completion"]
    assert names("data", "ve") == ["verify"]
    assert "--methods" in names("run", "--m")


def test_methods():
    assert names("detect", "toph") == ["tophat"]
    assert names("methods", "show", "ps") == ["pstnn"]
    assert names("profile", "tophat", "mpc") == ["mpcm"]
    assert set(names("train", "")) == set(catalogue("methods").classes)


def test_methods_separated_by_commas():
    assert names("run", "--methods", "cl") == ["classical"]
    assert names("run", "--methods", "ext") == ["extended"]
    assert names("run", "--methods", "tophat,to") == []
    assert names("run", "--methods", "mpcm,to") == ["mpcm,tophat"]


def test_datasets_else_directories():
    assert names("run", "--dataset", "nu") == ["nuaa", "nudt"]
    assert "synth" in names("data", "verify", "")
    assert "folder" not in names("data", "verify", "")
    assert offered("run", "--dataset", "my_im") == [("my_im", "dir")]


def test_run_directories(runs):
    assert names("report", "") == ["runs/nuaa", "runs/nudt"]
    assert names("compare", "runs/nud") == ["runs/nudt"]
    assert names("check", "runs/") == ["runs/nuaa", "runs/nudt"]
    assert names("paper", "--runs", "runs/nua") == ["runs/nuaa"]
    assert offered("report", "elsewhere") == [("elsewhere", "dir")]


def test_the_rows_of_a_run(runs):
    assert names("compare", "runs/nudt", "t") == ["tophat"]
    assert names("analyze", "runs/nudt", "") == ["tophat", "mpcm"]
    assert names("compare", "runs/none", "t") == []


def test_formats_of_reports():
    assert names("report", "runs/nudt", "--format", "la") == ["latex"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_for_completions(shell):
    done = CliRunner().invoke(irbench, ["completion", shell])
    assert done.exit_code == 0
    assert f"{COMPLETE_VARIABLE}={shell}_complete" in done.output


def test_bash_itself_completes(runs):
    script = Path(sys.executable).with_name("irbench")
    program = """
        source <(irbench completion bash)
        COMP_WORDS=(irbench detect toph); COMP_CWORD=2
        _irbench_completion irbench; echo "${COMPREPLY[@]}"; COMPREPLY=()
        COMP_WORDS=(irbench report runs/nud); COMP_CWORD=2
        _irbench_completion irbench; echo "${COMPREPLY[@]}"; COMPREPLY=()
    """
    environment = {**os.environ, "PATH": f"{script.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", program], capture_output=True, text=True, env=environment, timeout=120
    )
    assert done.stdout.split() == ["tophat", "runs/nudt"], done.stderr


def test_pressing_tab_imports_nothing_heavy():
    words = {"COMP_WORDS": "irbench run --methods t", "COMP_CWORD": "3"}
    program = (
        "import sys\nfrom irbench.cli.main import main\n"
        "try:\n    main([])\nfinally:\n    sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **words, COMPLETE_VARIABLE: "bash_complete"},
        timeout=120,
    )
    assert "plain,tophat" in done.stdout.split()
    assert not {"torch", "cv2", "scipy", "pyarrow", "rich"} & set(done.stderr.split())
