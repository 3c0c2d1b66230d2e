"""One method with an odd name, one that failed, data with spaces: in every format of text."""

from __future__ import annotations

import csv

import pytest
from click.testing import CliRunner

from irbench.cli.main import irbench
from irbench.cli.table import print_results

ODD = "50%_a&b<script>"
ESCAPED = {
    "tables/table1.tex": r"50\%\_a\&b\textless{}script\textgreater{}",
    "tables/table1.md": r"50%\_a&b\<script\>",
    "report.html": "50%_a&amp;b&lt;script&gt;",
}


@pytest.fixture
def run(html_run):
    return html_run((ODD, "broken"), name="50%_a&b run")


def test_every_format_of_text(run, capsys):
    answer = CliRunner().invoke(
        irbench, ["report", str(run.path), "--format", "latex,markdown,csv,html"]
    )
    assert answer.exit_code == 0, answer.output
    for name, escaped in ESCAPED.items():
        text = (run.path / name).read_text("utf-8")
        assert escaped in text, name
        assert "my night scenes" in text
        assert "failed" in text
        assert "b<script>" not in text
    with (run.path / "tables/table1.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["title"] for row in rows] == [ODD, "Broken & Co"]
    assert {row["dataset_title"] for row in rows} == {"my night scenes"}
    assert [row["state"] for row in rows] == ["done", "failed"]
    print_results(run)
    printed = capsys.readouterr().out
    for expected in (ODD, "Broken & Co", "(failed)", "my night scenes"):
        assert expected in printed
    # There is nothing to be the best of.
    assert "*" not in printed.partition("Next:")[0]
