"""A metric of one's own, from one file: run, report, compare, check; and one that fails."""

from __future__ import annotations

import csv
import json
import re

import pytest

import irbench
from irbench.gate.recording import gated_metrics

from .test_docs_pages import file_of

DETECTOR = """
import numpy as np
from irbench import MethodInfo, ScoreMapDetector

class Fading(ScoreMapDetector):
    '''The image above its median, at most LIMIT.'''
    info = MethodInfo(name="fading", title="Fading", group="Mine", year=2026, reference="none")

    def compute(self, image):
        found = np.maximum(image - np.median(image), 0)
        return found if image.mean() < LIMIT else found[::-1]
"""

TOY = """
import numpy as np
from irbench.metrics.metric import fraction

def form(counts):
    def values(draws):
        FORM
    return values

toy = fraction("toy", "Toy", "boxes", "", "A toy.", needs="boxes", form=form, reason="toys are out")
"""


@pytest.fixture
def f2(irbench_command):
    for name in ("f2", "localisation"):
        text = file_of("add-your-metric.md", rf"{name}\.py")
        (irbench_command.folder / f"{name}.py").write_text(text)
    return irbench_command


def run_fading(command, dataset, limit, out, *more, **options):
    (command.folder / "fading.py").write_text(DETECTOR.replace("LIMIT", str(limit)))
    return command.within(
        "run", "--methods", "fading,tophat", "--dataset", dataset, "--out", out,
        "--timing-images", 0, "--jobs", 1, "--plugin", "fading.py", *more, **options,
    )  # fmt: skip


def f2_of(row):
    return 5 * row["precision"] * row["recall"] / (4 * row["precision"] + row["recall"])


def test_one_file_brings_a_metric_to_every_command(f2, small_dataset):
    """One of the counts that irbench makes, and one with a count of its own."""
    plugins = ("--plugin", "f2.py", "--plugin", "localisation.py")
    printed = run_fading(f2, small_dataset, 999, "good", *plugins).stdout
    rows = {row["method"]: row for row in f2.results("good")["rows"]}
    assert "F2 ↑" in printed
    assert "Loc. error ↓" in printed
    for row in rows.values():
        assert row["f2"] == pytest.approx(f2_of(row), abs=1e-12)
        # Hits lie nearer than the protocol's 3 px.
        assert 0 <= row["localisation"] < 3
    header = (f2.folder / "good/results.csv").read_text().splitlines()[0]
    assert ",f2,localisation," in header

    columns = ("--columns", "f1,f2,localisation", "--intervals", *plugins)
    table = f2.within("report", "good", *columns).stdout
    table = " ".join(table.split())  # as wide as the terminal
    assert "F2: Weighted harmonic mean" in table
    assert "Loc. error: Mean distance between" in table
    # The clause of the metric: what of the protocol its number depends on.
    assert "a box is a hit from IoU 0.5" in table
    assert "a box is a hit" not in f2.within("report", "good", "--columns", "pd").stdout
    json_text = f2.within(
        "compare", "good", "fading", "tophat", "--metric", "f2,localisation", "--json", *plugins
    ).stdout
    compared = json.loads(json_text)
    for method in compared["methods"]:
        for name, scale in (("f2", 100), ("localisation", 1)):
            value = method["values"][name]
            assert value["estimate"] == rows[method["method"]][name]
            low, high = (f"{scale * value[end]:.2f}" for end in ("lower", "upper"))
            assert f"{low}–{high}" in table
    listed = f2.within("metrics", "list", *plugins).stdout
    assert listed.split("of plug-ins")[1].split()[0] == "f2"
    assert "f2.py" in f2.within("metrics", "show", "f2", *plugins).stdout
    shown = f2.within("metrics", "show", "localisation", *plugins).stdout
    assert "distances (distance, hits) of each image's kept" in shown
    shown = f2.within("metrics", "show", "localisation", "--json", *plugins).stdout
    assert json.loads(shown)["interval"] is True
    frame = irbench.load_run(f2.folder / "good").results
    assert frame.loc["tophat", "f2"] == rows["tophat"]["f2"]
    page = f2.within("report", "good", "--format", "html", *plugins, "--columns", "localisation")
    assert page.returncode == 0
    assert "Loc. error" in (f2.folder / "good/report.html").read_text()


def test_check_gates_it(f2, small_dataset):
    run_fading(f2, small_dataset, 999, "good", "--plugin", "f2.py")
    f2.within("check", "good", "--write", "base.json", "--plugin", "f2.py")
    f2.within("check", "good", "--baseline", "base.json", "--plugin", "f2.py")
    run_fading(f2, small_dataset, 0, "bad", "--plugin", "f2.py")
    junit = ("--junit", "out.xml", "--plugin", "f2.py")
    # All but F2 may fall as they like.
    others = [f"--tolerance={name}=1e9" for name in gated_metrics() if name != "f2"]
    f2.within("check", "bad", "--baseline", "base.json", *junit, *others, status=1)
    (failed,) = re.findall(r'<testcase[^>]*name="(\w+)"[^>]*>\s*<failure', _text(f2, "out.xml"))
    assert failed == "f2"
    loose = "--tolerance=fading.f2=1"
    f2.within("check", "bad", "--baseline", "base.json", *junit, *others, loose)
    # Without its file it is not passed over.
    unknown = f2("check", "good", "--baseline", "base.json", status=1)
    assert "2 missing" in unknown.stdout
    assert "that is not loaded" in " ".join(unknown.stdout.split())


def _text(command, name):
    return (command.folder / name).read_text()


def test_a_run_of_before_gains_the_column(f2, small_dataset):
    run_fading(f2, small_dataset, 999, "run")
    assert "f2" not in f2.results("run")["rows"][0]
    refused = f2.within("report", "run", "--columns", "f2", status=2).stderr
    assert "One of your own needs --plugin FILE" in refused
    # From the stored detections; the files stay what they are.
    f2.within("report", "run", "--format", "csv", "--plugin", "f2.py", "--out", "table")
    assert "f2" not in f2.results("run")["rows"][0]
    (table,) = (f2.folder / "table").glob("*.csv")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert len(rows) == 2
    for row in rows:
        expected = f2_of({name: float(row[name]) for name in ("precision", "recall")})
        assert float(row["f2"]) == pytest.approx(expected, abs=1e-6)
    run_fading(f2, small_dataset, 999, "run", "--plugin", "f2.py")
    for row in f2.results("run")["rows"]:
        assert row["f2"] == pytest.approx(f2_of(row), abs=1e-12)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("return 1 / np.zeros(0)[0]", "failed: IndexError: .* (toy.py, line 7)"),
        ("return np.full(draws.n_draws, 1.2)", "must be from 0 to 1, its form returned 1.2"),
        ("return 0.5", "must return (1,) floats"),
    ],
)
def test_a_metric_that_fails_is_on_record_and_never_a_number(
    irbench_command, small_dataset, form, reason
):
    command = irbench_command
    (command.folder / "toy.py").write_text(TOY.replace("FORM", form))
    told = re.compile(re.escape(reason).replace(r"\.\*", ".*"))
    done = run_fading(command, small_dataset, 999, "run", "--plugin", "toy.py", status=1)
    assert len(told.findall(done.stderr)) == 2
    for row in command.results("run")["rows"]:
        assert row["state"] == "done"
        assert row["toy"] is None
        assert row["failed_metrics"] == ["toy"]
        assert told.search(row["undefined"]["toy"])
        assert row["f1"] is not None
    options = ("--columns", "f1,toy", "--intervals", "--plugin", "toy.py")
    table = " ".join(command.within("report", "run", *options).stdout.split())
    assert "—" in table
    assert told.search(table)
    options = ("--metric", "toy", "--plugin", "toy.py")
    refused = command.within("compare", "run", "fading", "tophat", *options, status=1).stderr
    assert re.search(re.escape(reason.split(" (")[0]).replace(r"\.\*", ".*"), refused)


def test_one_that_fails_on_draws_alone_has_no_interval_and_says_so(irbench_command, small_dataset):
    command = irbench_command
    form = (
        "found = draws.sums(counts.true_positives) / draws.sums(counts.targets)\n"
        "        return found if draws.n_draws == 1 else found + 2"
    )
    (command.folder / "toy.py").write_text(TOY.replace("FORM", form))
    run_fading(command, small_dataset, 999, "run", "--plugin", "toy.py")
    rows = command.results("run")["rows"]
    assert all(row["toy"] == row["recall"] for row in rows)
    options = ("--columns", "f1,toy", "--intervals", "--plugin", "toy.py")
    table = " ".join(command.within("report", "run", *options).stdout.split())
    assert "has no interval: the metric 'toy' must be from 0 to 1, its form returned 2" in table


def test_nan_is_undefined(irbench_command, small_dataset):
    command = irbench_command
    form = "return np.full(draws.n_draws, np.nan)"
    (command.folder / "toy.py").write_text(TOY.replace("FORM", form))
    run_fading(command, small_dataset, 999, "run", "--plugin", "toy.py")
    for row in command.results("run")["rows"]:
        assert row["toy"] is None
        assert row["undefined"]["toy"] == "toys are out"
        assert "failed_metrics" not in row
