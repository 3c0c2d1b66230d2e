"""Marks against a reference row: the tests of a comparison, adjusted by hand."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest

from irbench.errors import UnknownNameError, UsageError
from irbench.metrics.definition import METRICS
from irbench.report import ReportOptions
from irbench.reports._columns import chosen_columns
from irbench.reports._significance import significance
from irbench.reports._table import result_table, table_groups
from irbench.reports.csv_table import Csv
from irbench.reports.html import Html
from irbench.reports.latex import Latex
from irbench.reports.markdown import Markdown
from irbench.scoring.scored_output import score_row
from irbench.statistics.comparison import Comparison
from irbench.statistics.resamples import Resamples

from .conftest import ODD

COLUMNS = ("precision", "recall", "f1", "fa")
MARKED = ReportOptions(reference="boxes", columns=COLUMNS)


@pytest.fixture(scope="module")
def expected(whole_run):
    """By method and metric the adjusted p-value, of a comparison of its own and of Holm's steps."""
    truths = whole_run.ground_truth["test"]
    outputs = {row["method"]: score_row(whole_run, row, truths) for row in whole_run.scored_rows}
    comparison = Comparison(
        outputs, truths, COLUMNS, resamples=Resamples([truth.id for truth in truths])
    )
    p = {
        (method, metric): comparison.difference(method, "boxes", metric).p_value
        for metric in COLUMNS
        for method in ("tophat", ODD)
    }
    adjusted, largest = {}, 0.0
    for step, key in enumerate(sorted(p, key=p.__getitem__)):
        largest = max(largest, min(1.0, p[key] * (len(p) - step)))
        adjusted[key] = largest
    return adjusted


def outcome(run, method, metric, p):
    rows = {row["method"]: row[metric] for row in run.rows if metric in row}
    gain = rows[method] - rows["boxes"]
    if p > 0.05 or gain == 0:
        return "same"
    return "better" if (gain > 0) == METRICS[metric].higher_is_better else "worse"


def test_p_values_are_those_of_a_comparison_adjusted_over_the_table(whole_run, expected):
    groups = table_groups([whole_run], MARKED)
    found = significance(groups, chosen_columns(COLUMNS), "boxes")
    assert found.p_holm[0] == pytest.approx(expected)
    assert found.outcomes[0] == {
        (method, metric): outcome(whole_run, method, metric, p)
        for (method, metric), p in expected.items()
    }
    assert "Holm over the 8 comparisons of this table" in found.legend
    assert "10000 draws, seed 0" in found.legend


def test_a_difference_beyond_chance_is_marked_by_its_direction(whole_run, monkeypatch):
    """Made-up p-values, so that all three marks occur, whatever the images are."""
    values = iter(np.tile([1e-4, 1.0], 50))
    monkeypatch.setattr(
        "irbench.statistics.scored_group.paired_difference",
        lambda first, second, *_: _Made(first - second, float(next(values))),
    )
    groups = table_groups([whole_run], MARKED)
    found = significance(groups, chosen_columns(COLUMNS), "boxes").outcomes[0]
    for place, ((method, metric), one) in enumerate(found.items()):
        p = 1.0 if place % 2 else 1e-4
        assert one == outcome(whole_run, method, metric, p), (method, metric)
    assert {"better", "worse"} & set(found.values())


class _Made:
    def __init__(self, estimate, p_value):
        self.interval, self.p_value = self, p_value
        self.estimate = estimate


def test_every_format_has_the_same_marks(whole_run, expected, tmp_path):
    with Csv().write([whole_run], tmp_path, MARKED)[0].open(newline="", encoding="utf-8") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    for (method, metric), p in expected.items():
        assert float(rows[method][f"{metric}_p_holm"]) == pytest.approx(p)
        assert rows[method][f"{metric}_vs_boxes"] == outcome(whole_run, method, metric, p)
    assert rows["boxes"]["f1_vs_boxes"] == rows["broken"]["f1_vs_boxes"] == ""

    glyphs = {"better": "+", "worse": "−", "same": "≈"}
    wanted = sorted(glyphs[outcome(whole_run, *key, p)] for key, p in expected.items())
    text = Markdown().write([whole_run], tmp_path, MARKED)[0].read_text(encoding="utf-8")
    assert sorted(re.findall("<sup>([+−≈])</sup>", text)) == wanted
    assert "8 comparisons" in text
    latex = Latex().write([whole_run], tmp_path, MARKED)[1].read_text()
    assert len(re.findall(r"\\irbench(?:better|worse|same)\}\}", latex)) == 8
    assert "8 comparisons" in latex
    page = Html().write([whole_run], tmp_path, MARKED)[0].read_text(encoding="utf-8")
    assert sorted(re.findall('class="outcome">([+−≈])<', page)) == wanted
    assert "8 comparisons" in page
    shown = Markdown().terminal_text([whole_run], MARKED, 100, styled=False)
    assert sorted(re.findall(r"\d[¹²³]?\*?([+−≈])", shown)) == wanted


def test_one_comparison_and_few_images_are_said(whole_run):
    options = ReportOptions(reference="boxes", columns=("f1",), methods=("boxes", "tophat"))
    table = result_table(table_groups([whole_run], options), options)
    assert "over the one comparison of this table" in table.legend[0]
    assert any("Few images (6 on my night scenes)" in note for note in table.footnotes)


def test_nothing_is_marked_unless_asked_for(whole_run, tmp_path):
    assert "irbenchsame" not in Latex().write([whole_run], tmp_path)[1].read_text()
    assert "_p_holm" not in Csv().write([whole_run], tmp_path)[0].read_text(encoding="utf-8")


def test_the_legend_of_the_marks_stays_where_nothing_else_is_said(whole_run):
    options = ReportOptions(reference="boxes", columns=("f1",), notes="none")
    table = result_table(table_groups([whole_run], options), options)
    assert "the 2 comparisons" in table.legend[0]
    assert table.footnotes == table.row_notes == ()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"reference": "tophatt"}, UnknownNameError, "Did you mean tophat"),
        ({"reference": "none"}, UsageError, "no results: skipped, leak"),
        ({"reference": "broken"}, UsageError, "no results: failed"),
        ({"reference": "boxes", "methods": ("tophat",)}, UsageError, "among --methods"),
        ({"reference": "boxes", "columns": ("fps", "params")}, UsageError, "paired test"),
        ({"reference": "boxes", "methods": ("boxes", "broken")}, UsageError, "second row"),
    ],
)
def test_a_reference_that_cannot_be_one(whole_run, options, error, words):
    made = ReportOptions(**options)
    with pytest.raises(error, match=words) as raised:
        result_table(table_groups([whole_run], made), made)
    assert "\n" not in str(raised.value)


def test_more_comparisons_than_the_draws_can_resolve_are_refused(whole_run, monkeypatch):
    """By 79 draws no p-value is under 2 / 80, so that two comparisons are the most."""
    monkeypatch.setattr("irbench.reports._significance.N_RESAMPLES", 79)
    groups = table_groups([whole_run], MARKED)
    assert significance(groups, chosen_columns(("f1",)), "boxes").outcomes[0]
    with pytest.raises(UsageError, match="at most 2 comparisons"):
        significance(groups, chosen_columns(COLUMNS), "boxes")


def test_a_dataset_without_the_reference_has_no_marks(whole_run, make_run, rows):
    other = make_run("nudt", [rows.done("tophat", 0.5)])
    options = ReportOptions(reference="boxes", columns=("f1",))
    table = result_table(table_groups([whole_run, other], options), options)
    assert any("Nothing is tested on NUDT-SIRST, where Boxes" in note for note in table.footnotes)
