"""``irbench report`` as users type it."""

from __future__ import annotations

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from irbench.cli.main import main
from irbench.protocol import BASICIRSTD, TABLE1

PLUGIN = '''
from irbench.atomic import write_bytes
from irbench.report import DEFAULT_OPTIONS, Report, ReportInfo


class Names(Report):
    """The titles of the methods."""

    info = ReportInfo(name="names", title="the titles of the methods", folder="")

    def write(self, runs, out, options=DEFAULT_OPTIONS):
        path = out / "names.txt"
        write_bytes(path, " ".join(row["title"] for row in runs[0].rows).encode())
        return [path]
'''


def write_run(path, dataset, title, protocol=TABLE1):
    """A run directory with one row, as the engine leaves it."""
    row = {
        "method": "mpcm", "title": "MPCM", "group": "HVS-based Methods", "year": 2016,
        "kind": "score-map", "note": "", "dataset": dataset, "dataset_title": title,
        "split": "test", "scheme": "60-20-20", "method_params": {}, "state": "done", "reason": "",
        "precision": 0.5, "recall": 0.25, "f1": 1 / 3, "map50": 0.4, "params": None, "flops": None,
        "operating_point": protocol.operating_point, "extent": 0.25, "threshold": 10.0,
        "calibration": "validation", "conversion": protocol.score_map_conversion,
        "n_images": 9, "n_targets": 8, "n_failed": 0, "undefined": {},
    }  # fmt: skip
    facts = {"name": dataset, "title": title, "split": "test", "scheme": "60-20-20"}
    run = {
        "schema": 1,
        "key": {
            "dataset": dataset, "scheme": "60-20-20", "split": "test", "limit": None,
            "manifests": {"test": dataset}, "protocol": protocol.as_dict(),
            "calibration": "validation",
        },
        "dataset": {**facts, "n_images": 9, "n_targets": 8, "left_out": {}},
        "machine": {"processor": "Some CPU", "cores": 1},
        "versions": {"irbench": "0.1.0"},
        "methods": {"mpcm": {"state": "done"}},
    }  # fmt: skip
    path.mkdir()
    (path / "run.json").write_text(json.dumps(run))
    (path / "results.json").write_text(json.dumps({"rows": [row]}))
    return path


@pytest.fixture
def nudt(tmp_path):
    return write_run(tmp_path / "nudt run", "nudt", "NUDT-SIRST")


@pytest.fixture
def nuaa(tmp_path):
    return write_run(tmp_path / "nuaa", "nuaa", "NUAA-SIRST")


@pytest.fixture
def report(capsys):
    """Run ``irbench report`` and answer what it printed."""

    def call(*arguments, status=0):
        with pytest.raises(SystemExit) as exit_:
            main(["report", *map(str, arguments)])
        printed = capsys.readouterr()
        assert exit_.value.code == status, printed.err
        return printed.err if status else printed.out

    return call


def test_markdown_is_written_and_printed(report, nudt):
    out = report(nudt)
    file = nudt / "tables" / "table1.md"
    assert "50.00 | 25.00 | 33.33 |" in file.read_text(encoding="utf-8")
    assert "  50.00 25.00 33.33    40.00" in out
    assert "|" not in out
    assert f"wrote {file}" in out


def test_several_formats_and_runs(report, nudt, nuaa, tmp_path):
    out = report(nudt, nuaa, "--format", "latex,csv", "--out", tmp_path / "a" / "b", "--paper")
    names = ["table1.tex", "table1-fragment.tex", "table1-paper-fragment.tex", "references.bib",
             "table1.csv", "table1-paper.csv"]  # fmt: skip
    assert out.splitlines() == [f"wrote {tmp_path / 'a' / 'b' / name}" for name in names]
    assert "NUAA-SIRST and NUDT-SIRST" in (tmp_path / "a" / "b" / "table1.tex").read_text()
    assert not (nudt / "tables").exists()


def test_all_formats(report, nudt):
    report(nudt, "--format", "all")
    written = {path.suffix for path in (nudt / "tables").iterdir()}
    assert {".md", ".tex", ".csv"} <= written


def test_the_same_run_twice_is_one(report, nudt):
    assert report(nudt, nudt / ".").count("\nNUDT-SIRST\n") == 1


def test_columns(report, nudt):
    report(nudt, "--columns", "f1")
    assert "| Method              |  F1 ↑ |" in (nudt / "tables" / "table1.md").read_text("utf-8")
    assert "Pd ↑" not in report(nudt, "--columns", "wide")
    assert "Pd ↑" in report(nudt, "--columns", "wide", "--show-empty")
    assert "Pd ↑" in report(nudt, "--columns", "f1,pd")
    assert "Did you mean" in report(nudt, "--columns", "f11", status=2)


def test_an_unknown_format_lists_those_there_are(report, nudt):
    error = report(nudt, "--format", "latx", status=2)
    assert "Did you mean latex?" in error
    assert "markdown" in error


def test_no_run_directory(report, tmp_path):
    error = report(tmp_path / "nowhere", status=2)
    assert "no run directory" in error
    assert error.count("\n") == 1


def test_different_protocols_are_refused_in_one_line(report, nudt, tmp_path):
    other = write_run(tmp_path / "other", "nuaa", "NUAA-SIRST", BASICIRSTD)
    error = report(nudt, other, status=2)
    assert error.count("\n") == 1
    assert "operating_point is 'val-f1'" in error


def test_rows_as_published_that_there_are_none_of(report, nudt):
    content = json.loads((nudt / "results.json").read_text())
    content["rows"][0]["method"] = "yolov8n"
    (nudt / "results.json").write_text(json.dumps(content))
    told = report(nudt, "--table", "2", "--as-published")
    assert "--as-published adds no row: Table II of the paper is of IRSTD-1k, not of NUDT" in told


def test_a_folder_that_cannot_be_made(report, nudt, tmp_path):
    (tmp_path / "file").write_text("")
    assert "--out" in report(nudt, "--out", tmp_path / "file" / "x", status=2)


def test_the_help_names_every_format(report):
    text = report("--help")
    for name in ("latex", "markdown", "csv"):
        assert f"\n  {name} " in text


def test_what_the_engine_writes_can_be_reported(report, tmp_path, capsys):
    data = tmp_path / "my scenes"
    rng = np.random.default_rng(3)
    for folder in ("images", "masks"):
        (data / folder).mkdir(parents=True)
    for index in range(3):
        mask = np.zeros((32, 40), np.uint8)
        mask[10 + index : 13 + index, 20:23] = 255
        image = np.clip(rng.normal(80, 2, mask.shape) + mask // 2, 0, 255).astype(np.uint8)
        cv2.imwrite(str(data / "images" / f"{index}.png"), image)
        cv2.imwrite(str(data / "masks" / f"{index}.png"), mask)
    with pytest.raises(SystemExit) as exit_:
        main(["run", "--methods", "tophat", "--dataset", str(data), "--out", str(tmp_path / "run"),
              "--jobs", "1", "--timing-images", "1"])  # fmt: skip
    assert exit_.value.code == 0, capsys.readouterr()
    capsys.readouterr()
    out = report(
        tmp_path / "run", "--columns", "wide", "--paper", "--format", "all", "--notes", "full"
    )
    assert "\nmy scenes\n" in out
    assert "3 images with 3 targets" in out
    assert "Times end to end" in out
    assert "of 1 image." in " ".join(out.split())
    assert "Classical parameters at their published defaults for every dataset." in out
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert f" {100 * results['rows'][0]['map50']:.2f} " in out


def test_a_format_of_ones_own(nudt, tmp_path):
    """In a process of its own: a plug-in stays loaded for good."""
    plugin = tmp_path / "names.py"
    plugin.write_text(PLUGIN)
    command = [sys.executable, "-m", "irbench", "report", nudt, "--plugin", plugin]
    done = subprocess.run([*command, "--format", "names"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (nudt / "names.txt").read_text() == "MPCM"
    assert done.stdout == f"wrote {nudt / 'names.txt'}\n"
