"""The table in the terminal: no line is wider, and no value is lost."""

from __future__ import annotations

import re

import pytest

from irbench.report import ReportOptions
from irbench.reports.markdown import Markdown


def shown(runs, width, **options):
    return Markdown().terminal_text(runs, ReportOptions(**options), width, styled=False)


@pytest.mark.parametrize("width", [60, 80, 100, 240])
def test_it_fits_and_holds_every_value(paper_like, width):
    text = shown(paper_like, width, columns=("wide",))
    assert max(map(len, text.splitlines())) <= width
    for dataset in ("IRSTD-1k", "NUDT-SIRST", "my night scenes"):
        assert f"\n{dataset}\n" in text
    for value in ("2.58", "7.51", "95.00", "85.00", "90.00", "80.00", "10.00", "35.00", "36.00"):
        assert re.search(rf"(?<!\d){re.escape(value)}", text), value


def test_columns_that_do_not_fit_stand_in_a_second_block(paper_like):
    nudt = [run for run in paper_like if run.dataset["name"] == "nudt"]
    assert shown(nudt, 240, columns=("wide",)).count("\nMethod ") == 1
    assert shown(nudt, 60, columns=("wide",)).count("\nMethod ") >= 2


def test_ranks_marks_and_notes(paper_like):
    text = shown(paper_like, 120, columns=("f1", "fa"))
    assert "90.00¹" in text
    assert "10.00¹*" in text
    assert "LE-IRSTD [" in text
    assert "¹ ² ³ the best" in text
    assert "* Fa of a method that returns boxes" in text


def test_digits_stand_one_below_the_other(paper_like):
    nudt = [run for run in paper_like if run.dataset["name"] == "nudt"]
    text = shown(nudt, 120, columns=("f1",), notes="none")
    values = re.finditer(r"^.* (\d\d\.\d\d)", text, re.M)
    places = [found.start(1) - found.start() for found in values]
    assert len(places) == 4
    assert len(set(places)) == 1


def test_an_ablation_has_its_settings(ablation_run):
    text = shown([ablation_run], 100, table=2)
    assert re.search(r"Ablation +MBConv +BSblock +AVCStem +GSConv", text)
    assert max(map(len, text.splitlines())) <= 100


def test_styles_where_the_terminal_shows_them(paper_like):
    text = Markdown().terminal_text(paper_like, ReportOptions(), 100, styled=True)
    assert "\x1b[1m90.00" in text
