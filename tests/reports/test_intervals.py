"""Intervals, and ablations, in the formats that are no LaTeX."""

from __future__ import annotations

import csv
import re

import pytest

from irbench.report import ReportOptions
from irbench.reports.csv_table import Csv
from irbench.reports.latex import Latex
from irbench.reports.markdown import Markdown


def cells_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def resampled(whole_run):
    """A run whose methods can be scored again; one image of it has no target."""
    return whole_run


def test_every_format_prints_the_same_interval(resampled, tmp_path):
    options = ReportOptions(intervals=True, columns=("f1",))
    csv_file = Csv().write([resampled], tmp_path, options)[0]
    row = cells_of(csv_file)[0]
    lower, value, upper = (float(row[name]) for name in ("f1_lower", "f1", "f1_upper"))
    assert 0 <= lower <= upper <= 1
    assert lower < upper
    printed = f"{100 * lower:.2f}–{100 * upper:.2f}"
    text = Markdown().write([resampled], tmp_path, options)[0].read_text(encoding="utf-8")
    assert f"({printed})" in text
    assert f"{100 * value:.2f}" in text
    latex = Latex().write([resampled], tmp_path, options)[1].read_text()
    assert r"\tiny " + printed.replace("–", r"\textendash{}") in latex
    assert any("95 % intervals" in line.replace("\\", "") for line in latex.splitlines())


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        (("f1",), "BCa"),
        (("map50",), "expanded percentile with half a missed target"),
        (
            ("f1", "map50"),
            "BCa; of average precision, expanded percentile with half a missed target",
        ),
    ],
)
def test_the_note_says_of_what_kind_the_intervals_are(resampled, tmp_path, columns, kind):
    options = ReportOptions(intervals=True, columns=columns)
    text = Markdown().write([resampled], tmp_path, options)[0].read_text(encoding="utf-8")
    assert f"95 % intervals ({kind}) of a bootstrap" in text


def test_a_method_without_results_has_no_interval(resampled, tmp_path):
    rows = cells_of(Csv().write([resampled], tmp_path, ReportOptions(intervals=True))[0])
    failed = next(row for row in rows if row["state"] == "failed")
    assert failed["f1_lower"] == failed["f1_upper"] == ""


def test_no_interval_unless_asked_for(resampled, tmp_path):
    assert "f1_lower" not in Csv().write([resampled], tmp_path)[0].read_text(encoding="utf-8")
    assert r"\tiny" not in Latex().write([resampled], tmp_path)[1].read_text()


def test_an_ablation_as_markdown(ablation_run, tmp_path):
    options = ReportOptions(table=2, paper=True)
    path = Markdown().write([ablation_run], tmp_path, options)[0]
    assert path.name == "table2.md"
    text = path.read_text(encoding="utf-8")
    assert "# Ablation, as Table II of the paper" in text
    heads = next(line for line in text.splitlines() if line.startswith("| Ablation"))
    assert [re.sub(r"[ ↑↓]", "", head) for head in heads.strip("| ").split("|")] == [
        "Ablation", "MBConv", "BSblock", "AVCStem", "GSConv", "P", "R", "F1", "mAP@50", "Params",
        "FLOPs",
    ]  # fmt: skip
    assert "were not run: (c) (yolov8n-faststem)" in text
    assert "(a): YOLOv8-n" in text


def test_an_ablation_as_csv(ablation_run, tmp_path):
    options = ReportOptions(table=3, as_published=True)
    rows = cells_of(Csv().write([ablation_run], tmp_path, options)[0])
    assert len(rows) == 9
    assert {row["method"] for row in rows} == {
        "", "le-irstd", "le-irstd-published", "le-irstd-deep",
    }  # fmt: skip
    first = rows[0]
    assert (first["row"], first["Width"], first["Convolution"], first["Depth"]) == (
        "1 / 3*3 / 1,2", "1", "3*3", "1,2",
    )  # fmt: skip
    assert (first["state"], first["f1"], first["params"]) == (
        "as published", "0.8164", "2340000.0",
    )  # fmt: skip
