"""``irbench cross``: weights by datasets, its cells against runs made one by one."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess

import pytest
from click.testing import CliRunner

from irbench.cli.cross import cross
from irbench.cli.run import run
from irbench.engine.storage.results import load_run
from irbench.errors import UnknownNameError, UsageError, WeightsError
from irbench.statistics.scored_group import score_methods

pytest.importorskip("torch")

COLUMNS = ("f1", "map50")
OPTIONS = (
    *("--methods", "tiny-net", "--scheme", "letters", "--timing-images", 0, "--jobs", 1),
    *("--device", "cpu"),
)


@pytest.fixture
def call(tiny_plugin, tmp_path, monkeypatch):
    """Calls a command with the plug-in, in a folder of its own; the command is kept in the run."""
    monkeypatch.chdir(tmp_path)

    def invoke(command, *arguments):
        words = [*map(str, arguments), "--plugin", str(tiny_plugin)]
        monkeypatch.setattr("sys.argv", ["irbench", command.name, *words])
        return CliRunner().invoke(command, words, catch_exceptions=False, standalone_mode=False)

    return invoke


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where the first test leaves its runs for the others."""
    return tmp_path_factory.mktemp("kept") / "runs"


@pytest.fixture
def two_runs(call, save_tiny, images_of, kept, tmp_path):
    """A run on each dataset with its own weights; those of the copies have seen tested scenes."""
    save_tiny()
    seen = images_of("tiny-copies", train="test", val="")
    save_tiny("tiny-net-tiny-copies", seed=1, dataset="tiny-copies", images=seen, scheme="letters")
    if not kept.exists():
        for data in ("tiny-scenes", "tiny-copies"):
            call(run, *OPTIONS, "--dataset", data, "--out", f"runs/{data}")
        shutil.copytree("runs", kept)
    shutil.copytree(kept, "runs", dirs_exist_ok=True)
    return "runs/tiny-scenes", "runs/tiny-copies"


def rows_of(folder):
    with (folder / "cross.csv").open(newline="") as file:
        return {(row["trained_on"], row["dataset"]): row for row in csv.DictReader(file)}


@pytest.mark.slow
def test_cells_are_those_of_runs_made_one_by_one(call, two_runs, tmp_path):
    metrics = ("--metric", ",".join(COLUMNS))
    done = call(cross, *two_runs, *metrics, "--jobs", 1)
    assert done.return_value == 0
    rows = rows_of(tmp_path / "runs" / "cross")
    assert len(rows) == 4
    given = ("--dataset", "tiny-copies", "--param", "tiny-net.weights=tiny-scenes")
    call(run, *OPTIONS, *given, "--out", "hand")
    expected = load_run(tmp_path / "hand")
    (row,) = expected.rows
    cell = rows["tiny-scenes", "tiny-copies"]
    scored = score_methods([expected], [row]).methods["tiny-net"]
    for name in COLUMNS:
        interval = scored.interval(name)
        numbers = (cell[name], cell[f"{name}_lower"], cell[f"{name}_upper"])
        assert numbers == (str(row[name]), str(interval.lower), str(interval.upper))
    assert [row["own"] for row in rows.values()] == ["1", "0", "0", "1"]

    leak = rows["tiny-copies", "tiny-scenes"]
    assert leak["state"] == "skipped"
    assert leak["reason"].startswith("leak: 4 of 4 tested images")
    assert leak["f1"] == ""
    for text in (
        done.output,
        (tmp_path / "runs" / "cross" / "cross.md").read_text(),
        (tmp_path / "runs" / "cross" / "cross.tex").read_text(),
    ):
        assert "leak" in text
        assert "4 of 4 tested images" in text


def test_without_running_there_are_dashes(call, two_runs, tmp_path):
    out = tmp_path / "none"
    assert call(cross, *two_runs, "--no-run", "--out", out).return_value == 0
    assert not (out / "tiny-scenes-on-tiny-copies").exists()
    assert rows_of(out)["tiny-scenes", "tiny-copies"]["state"] == "not run"
    text = (out / "cross.md").read_text()
    assert "Tiny-Net of Tiny Scenes on Tiny Copies: not run" in text
    if shutil.which("pdflatex"):
        typeset((out / "cross.tex").read_text(encoding="ascii"), tmp_path)


def typeset(fragment, folder):
    (folder / "page.tex").write_text(
        r"\documentclass{article}\usepackage{booktabs,graphicx}\begin{document}"
        rf"{fragment}\end{{document}}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout


def test_what_cannot_be_crossed(call, two_runs, tmp_path):
    first, second = two_runs
    with pytest.raises(UsageError, match="runs on at least two datasets are needed"):
        call(cross, first)
    with pytest.raises(UnknownNameError, match="metric to print"):
        call(cross, first, second, "--metric", "fps")
    with pytest.raises(UnknownNameError, match="network of the runs"):
        call(cross, first, second, "--methods", "tophat")
    content = json.loads((tmp_path / second / "run.json").read_text())
    content["command"] = ["irbench", "evaluate"]
    (tmp_path / second / "run.json").write_text(json.dumps(content))
    with pytest.raises(UsageError, match="was not made by `irbench run`"):
        call(cross, first, second)
    for file in (tmp_path / "named weights").glob("tiny-net-tiny-scenes.*"):
        file.unlink()
    with pytest.raises(WeightsError, match=r"tiny-net-tiny-scenes .* are not on this machine"):
        call(cross, first, second)
