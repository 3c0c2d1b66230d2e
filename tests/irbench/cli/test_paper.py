"""``irbench paper`` as users type it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from irbench.cli.paper import paper
from irbench.engine.storage.directory import RunDirectory
from irbench.engine.storage.results import write_results
from irbench.errors import UsageError
from irbench.protocol import TABLE1

GOLDEN = Path(__file__).parents[2] / "golden" / "paper-table5.md"
NASTY = r"50%_a&b ~^\{}#$<>|[dim]中"


@pytest.fixture
def call():
    def invoke(*arguments):
        result = CliRunner().invoke(paper, list(map(str, arguments)), standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result.stdout

    return invoke


@pytest.fixture
def counted(monkeypatch):
    """Networks are counted at once, and all the same."""

    def measure(names, input_size, progress):
        cost = SimpleNamespace(parameters=2_578_175, flops=7.347e9, flops_printed=7.72e9)
        return dict.fromkeys(names, cost)

    monkeypatch.setattr("irbench.published.network_counts.measure_costs", measure)


@pytest.fixture
def make_run(tmp_path):
    """Write a run directory as the engine does."""

    def make(folder, name, title, rows, limit=None):
        directory = RunDirectory(tmp_path / folder)
        full = [
            {"method": method, "title": text, "group": "G", "state": state, "reason": "",
             "precision": f1, "recall": f1, "f1": f1, "map50": f1, "calibration": "validation",
             "note": "", "year": 2020, "kind": "score-map", "dataset": name}
            for method, text, state, f1 in rows
        ]  # fmt: skip
        dataset = {"name": name, "title": title, "split": "test", "scheme": "60-20-20",
                   "n_images": 266, "n_targets": 380}  # fmt: skip
        run = {
            "key": {"protocol": TABLE1.as_dict(), "limit": limit},
            "dataset": dataset,
            "methods": {row["method"]: {"state": row["state"]} for row in full},
        }
        write_results(directory, full, run)
        directory.write(run)
        return directory.path

    return make


def test_markdown_of_a_table(call, counted):
    """Written anew where IRBENCH_UPDATE_GOLDEN is set; look at the difference before keeping it."""
    text = call("--table", 5, "--format", "markdown")
    if os.environ.get("IRBENCH_UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
    lines = text.splitlines()
    assert "| SC     |  3.51M | 8.86G | 93.37 | 81.75 | †82.77 |  86.78 |" in lines
    assert "| V     | VKConv | IRSTD-1k | 89.76 | 91.19 | 90.74 |     90.47 |      +0.27 |" in lines


def test_all_tables_by_default(call):
    text = call("--no-counts")
    for numeral in ("I,", "II,", "III,", "IV,", "V,", "VI,"):
        assert f"\nTable {numeral} " in f"\n{text}"
    assert "13 printed, 9 without repetitions" in text
    assert "counted again" not in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_rows_of_table_3_that_do_not_fit_are_shown(call, counted):
    text = call("--table", 3)
    lines = [line for line in text.splitlines() if line.startswith("III ")]
    shown = [line for line in lines if " no " in line]
    assert len(shown) == 7
    assert any(re.search(r"3\.72M +2\.58M +−30\.7 +no +9\.80G", line) for line in shown)


def test_the_tolerance_is_an_option(call):
    assert "20 printed" in call("--no-counts", "--tolerance", 0)
    text = call("--no-counts", "--tolerance", 30)
    assert "Every printed F1 is within 30 points" in text
    assert "†" not in text


def test_without_torch(call, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "torch" else find(name, *a)
    )
    text = call("--table", 2)
    assert re.search(r"Nothing was counted: .* needs torch: pip install", text)
    assert "(c) ✓" in text


def test_runs_stand_beside(call, make_run):
    nudt = make_run(
        "nudt", "nudt", "NUDT-SIRST",
        [("mpcm", "MPCM", "done", 0.7), ("pstnn", "PSTNN", "partial", 0.4),
         ("ipi", "IPI", "failed", None), ("tophat", "Top-Hat", "done", 0.5)],
        limit=10,
    )  # fmt: skip
    copy = make_run("copy", "mine", "IRSTD-1K", [("le-irstd", "LE-IRSTD", "done", 0.9)])
    synth = make_run("synth", "synth", "synth", [("mpcm", "MPCM", "done", 0.9)])
    text = call("--no-counts", "--runs", nudt, copy, synth, "--format", "markdown")
    line = next(line for line in text.splitlines() if line.startswith("| MPCM") and "70.00" in line)
    assert line.split("|")[1:-1] == [
        " MPCM            ", *(f" {number} ".rjust(len(head)) for number, head in zip(
            ("72.62", "70.00", "−2.62", "89.18", "70.00", "−19.18", "80.05", "70.00", "−10.05",
             "80.73", "70.00", "−10.73"),
            line.split("|")[2:-1], strict=True)),
    ]  # fmt: skip
    assert "| PSTNN (partial) |" in text
    assert "| IPI " not in text.split("published and measured")[1]
    assert "only the first 10 images of split test of 60-20-20, 266 images" in text
    assert "Protocol table1: P, R, F1 at IoU 0.5" in text
    assert "Not in the tables shown: Top-Hat." in text
    assert "The tables shown do not have this dataset." in text
    # Six tables have LE-IRSTD on IRSTD-1K, and the ablations say which of their rows it is.
    assert text.count("published and measured") == 7
    assert "| (e): LE-IRSTD |" in text


def test_several_runs_of_one_dataset_are_told_apart(call, make_run):
    first = make_run("a/nudt", "nudt", "NUDT-SIRST", [("mpcm", "MPCM", "done", 0.7)])
    second = make_run("b/nudt", "nudt", "NUDT-SIRST", [("mpcm", "MPCM", "done", 0.6)])
    content = json.loads(
        call("--no-counts", "--runs", first, "--runs", second, "--runs", first, "--format", "json")
    )
    assert [row["run"] for row in content["measured"]] == [str(first), str(second)]
    text = call("--no-counts", "--runs", first, second, "--format", "markdown")
    assert f"MPCM \\[{first}\\]".replace("_", "\\_") in text


def test_json(call, counted, make_run):
    run = make_run("run", "nudt", "NUDT-SIRST", [("mpcm", "MPCM", "done", 0.7)])
    content = json.loads(call("--format", "json", "--table", 1, "--runs", run))
    assert content["tables"].keys() == {"1"}
    row = content["tables"]["1"]["rows"]["LE-IRSTD"]
    assert row["cost"] == {"params": "2.57M", "flops": "7.42G"}
    assert row["values"]["nudt"]["f1"] == "92.00"
    assert content["f1"]["different"] == len(content["f1"]["inconsistencies"]) == 3
    assert content["f1"]["inconsistencies"][0]["recomputed"] == pytest.approx(34.479, abs=1e-3)
    rows = content["counts"]["rows"]
    names = [row["method"] for row in rows]
    assert names[-3:] == ["retinanet", "le-irstd", "le-irstd-published"]
    first = rows[-2]
    assert first["params"] == {
        "published": 2_570_000,
        "counted": 2_578_175,
        "difference": pytest.approx(0.3181, abs=1e-4),
        "agreement": "truncated",
    }
    assert "FKRW" not in content["counts"]["absent"]
    (measured,) = content["measured"]
    assert measured["metrics"]["f1"]["difference"] == pytest.approx(-0.1005)
    assert content["runs"][0]["protocol"]["name"] == "table1"


def test_out(call, tmp_path):
    file = tmp_path / "new" / "paper.txt"
    assert call("--no-counts", "--table", 2, "--out", file) == ""
    text = file.read_text()
    assert text.startswith("Table II, IRSTD-1k")
    assert "\x1b" not in text
    with pytest.raises(UsageError, match="cannot be written"):
        call("--no-counts", "--out", file / "below.txt")


@pytest.fixture
def compile_latex(tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed (Debian: texlive-latex-recommended)")

    def run(text):
        (tmp_path / "paper.tex").write_text(text, encoding="ascii")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
        log = done.stdout.decode("latin-1")
        assert done.returncode == 0, log[-3000:]
        assert "Overfull" not in log
        return tmp_path / "paper.pdf"

    return run


def test_latex_compiles_with_any_name(call, counted, make_run, compile_latex):
    run = make_run("run_1", "mine", "NUDT-SIRST", [("mpcm", NASTY, "done", 0.7)])
    text = call("--format", "latex", "--runs", run)
    assert r"MPCM: 50\%\_a\&b" in text
    assert r"run\_1" in text
    # Whatever the paper prints, the default fonts have.
    assert re.findall(r"U\+\w+", text) == ["U+4E2D"]
    pdf = compile_latex(text)
    if shutil.which("pdftotext"):
        done = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, check=True)
        words = done.stdout.decode()
        assert "SC+DWConv+shuffle" in words
        assert "U+4E2D" in words


def test_a_terminal_shows_any_name(call, make_run):
    run = make_run("run", "mine", "NUDT-SIRST", [("mpcm", NASTY, "done", 0.7)])
    text = "".join(call("--no-counts", "--runs", run).split())
    assert "[dim]" in text


def test_help():
    result = CliRunner().invoke(paper, ["--help"])
    for option in ("--table", "--tolerance", "--no-counts", "--imgsz", "--runs RUN…", "--format",
                   "--out"):  # fmt: skip
        assert option in result.output
    assert "the exit code is 0" in " ".join(result.output.split())
    assert "irbench paper --format latex --out published.tex" in result.output


@pytest.mark.parametrize(
    "arguments",
    [["--table", "7"], ["--table", "0"], ["--format", "html"], ["--tolerance", "-1"], ["run"],
     ["--runs"], ["--runs", "--no-counts"]],
)  # fmt: skip
def test_bad_usage(arguments):
    result = CliRunner().invoke(paper, arguments)
    assert result.exit_code == 2


def test_what_is_no_run(call, tmp_path):
    with pytest.raises(UsageError, match="is no run directory"):
        call("--no-counts", "--runs", tmp_path)


def test_findings_are_no_failure():
    result = CliRunner().invoke(paper, ["--no-counts"])
    assert result.exit_code == 0


def test_the_command_is_listed():
    from irbench.cli.main import irbench

    assert "  paper " in CliRunner().invoke(irbench, ["--help"]).output


def test_oracle_runs_do_not_stand_beside_published_values(call, make_run):
    path = make_run("upper bound", "nudt", "NUDT-SIRST", [("mpcm", "MPCM", "done", 0.9)])
    path = getattr(path, "path", path)
    results = json.loads((path / "results.json").read_text())
    results["rows"][0]["operating_point"] = "oracle"
    (path / "results.json").write_text(json.dumps(results))
    with pytest.raises(UsageError, match="oracle"):
        call("--table", "1", "--no-counts", "--runs", path)
