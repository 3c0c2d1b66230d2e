"""Whatever is typed or lies there: one line that says what to do, exit code 2, nothing written."""

from __future__ import annotations

import errno
import shlex

import pytest

from irbench.cli.main import main
from irbench.messages.progress import Progress

NEAREST = {
    "rum": "Did you mean run",
    "data verfy x": "Did you mean 'verify'",
    "methods lst": "Did you mean 'list'",
    "run --metods tophat": "Did you mean '--methods'",
    "detect tophatt pic.png": "Did you mean tophat",
    "methods show tophatt": "Did you mean tophat",
    "train le-irst --dataset synth": "Did you mean le-irstd",
    "run --dataset nuddt": "Did you mean nudt",
    "data import empty --dataset nuddt": "Did you mean nudt",
    "data stats synht": "Did you mean synth",
    "report empty --format latx": "Did you mean latex",
    "run --dataset synth --methods tophat --protocol tabel1": "Did you mean table1",
    "run --dataset synth --methods tophat --split tset": "Did you mean test",
    "detect tophat pic.png --param siz=5": "Did you mean size",
    "train le-irstd --dataset synth --set epoch=3": "Did you mean epochs",
}

RUNS = [
    f"{command} {place}"
    for command in ("report", "compare", "analyze", "check --write b.json", "paper --runs")
    for place in ("empty", "missing", "text.txt", "broken")
]

DATA = [
    f"{command} {place}"
    for command in (
        "run --dataset",
        "calibrate --dataset",
        "evaluate --predictions empty --dataset",
        "train le-irstd --dataset",
        "profile tophat --dataset",
        "data verify",
        "data stats",
        "data leaks --dataset",
        "data import --dataset nudt",
    )
    for place in ("empty", "missing", "text.txt")
]

FILES = [
    "check empty --baseline bad.json",
    "check empty --baseline missing.json",
    "detect tophat empty",
    "detect tophat missing.png",
    "detect tophat pic.png --out text.txt",
    "detect tophat pic.png --calibration bad.json",
    "detect tophat pic.png --calibration empty",
    "detect le-irstd pic.png --weights missing",
    "detect le-irstd pic.png --weights text.txt",
    "evaluate --dataset synth --predictions empty",
    "evaluate --dataset synth --predictions bad.json",
    "evaluate --dataset synth --predictions missing",
    "run --dataset synth --methods tophat --out text.txt",
    "run --dataset synth --methods tophat --out text.txt/x",
    "run --dataset synth --methods tophat --plugin missing.py",
    "run --dataset synth --methods tophat --plugin empty",
    "run --dataset synth --methods tophat --plugin plug.py",
    "run --dataset synth --methods tophat --calibration text.txt",
    "run --dataset nudt --data-root empty",
    "run --dataset nudt --data-root text.txt",
    "run --dataset synth --methods tophat --verbose --quiet",
    "run --dataset synth --methods tophat --operating-point mean-kstd --score raw",
    "calibrate --dataset synth --methods tophat --out bad.json",
    "train le-irstd --dataset synth --recipe bad.json",
    "train le-irstd --dataset synth --recipe missing.toml",
    "train le-irstd --dataset synth --weights missing",
    "train le-irstd --dataset synth --out text.txt",
    "train tophat --dataset synth",
    "export le-irstd --weights missing",
    "export tophat",
    "data list --scheme official",
    "data export synth text.txt",
    "data export synth text.txt/sub",
    "data import bad.json --dataset nudt",
    "completion tcsh",
    "run",
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with things that are none of what is wanted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IRBENCH_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "no data"))
    # It tells of work that takes more than a second, on a busy machine even this does.
    monkeypatch.setattr("irbench.messages.progress.terminal_progress", Progress)
    for name in ("empty", "broken"):
        (tmp_path / name).mkdir()
    contents = {
        "text.txt": "hello\n",
        "pic.png": "not a picture",
        "bad.json": "{",
        "plug.py": "import nothing_of_this_name\n",
        "broken/run.json": '{"schema": 1, "key": {}',
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def listing(folder):
    """All files but locks, which stay where something might have been written."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {path: path.read_bytes() for path in files}


def one_line(line, folder, capsys):
    before = listing(folder)
    with pytest.raises(SystemExit) as end:
        main(shlex.split(line))
    out, err = capsys.readouterr()
    assert end.value.code == 2, err
    assert out == ""
    assert len(err.splitlines()) == 1, err
    assert err.startswith("irbench")
    assert listing(folder) == before
    return err


@pytest.mark.parametrize("line", NEAREST)
def test_the_nearest_name_is_told(line, folder, capsys):
    assert NEAREST[line] in one_line(line, folder, capsys)


@pytest.mark.parametrize("line", RUNS + DATA + FILES)
def test_one_line_says_what_is_wrong(line, folder, capsys):
    one_line(line, folder, capsys)


def test_a_group_alone_shows_its_help(capsys):
    with pytest.raises(SystemExit) as end:
        main(["data"])
    assert end.value.code == 2
    assert "irbench data import NUDT-SIRST.zip" in capsys.readouterr().err


def test_what_fails_for_other_reasons_is_no_bad_usage(folder, capsys, monkeypatch):
    def fails(*_, **__):
        raise OSError(errno.EIO, "Input/output error", "pic.png")

    monkeypatch.setattr("irbench.plugins.registry.method_class", fails)
    with pytest.raises(SystemExit) as end:
        main(["detect", "tophat", "pic.png"])
    assert end.value.code == 1
    assert capsys.readouterr().err == "irbench: pic.png: Input/output error.\n"
