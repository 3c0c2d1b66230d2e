"""The Markdown report: one table per dataset."""

from __future__ import annotations

import os
from pathlib import Path

from irbench.report import ReportOptions
from irbench.reports.markdown import Markdown

GOLDEN = Path(__file__).parents[1] / "golden" / "table1.md"


def written(runs, out, **options):
    (path,) = Markdown().write(runs, out, ReportOptions(**options))
    assert path.name == "table1.md"
    return path.read_text(encoding="utf-8")


def test_the_report_is_as_it_was(paper_like, tmp_path):
    """Written anew where IRBENCH_UPDATE_GOLDEN is set; look at the difference before keeping it."""
    text = written(paper_like, tmp_path)
    if os.environ.get("IRBENCH_UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def section(text, title):
    return text.split(f"## {title}\n")[1].split("\n## ")[0]


def test_a_table_holds_the_methods_that_its_dataset_has(paper_like, tmp_path):
    text = written(paper_like, tmp_path)
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## IRSTD-1k", "## NUDT-SIRST", "## my night scenes",
    ]  # fmt: skip
    assert "PSTNN" in section(text, "NUDT-SIRST")
    table = section(text, "IRSTD-1k")
    assert "PSTNN" not in table
    assert "Low-rank" not in table
    assert "LE-IRSTD" in table


def test_ranks_have_marks(paper_like, tmp_path):
    table = section(written(paper_like, tmp_path), "NUDT-SIRST")
    assert "**90.00**" in table
    assert "<ins>70.00</ins>" in table
    assert "*61.00*" in table


def test_names_are_escaped(paper_like, tmp_path):
    text = written(paper_like, tmp_path)
    assert r"50%\_a&b × Müller–Łoś<sup>" in text
    assert r"a plug-in, \$x\$ \<b\>." in text


def test_every_row_of_a_table_has_as_many_cells(paper_like, tmp_path):
    text = written(paper_like, tmp_path, columns=("all",), paper=True)
    tables = [part for part in text.split("\n\n") if part.startswith("|")]
    assert len(tables) == 5
    for table in tables:
        counts = {line.count("|") - line.count(r"\|") for line in table.splitlines()}
        assert len(counts) == 1


def test_published_values_come_in_a_section_of_their_own(paper_like, make_run, rows, tmp_path):
    assert "Published" not in written(paper_like, tmp_path)
    text = written(paper_like, tmp_path, paper=True)
    assert "# Published beside measured" in text
    assert "−19.05" in text
    other = make_run("folder", [rows.done("a", 0.5)], "other")
    assert "The paper has no values for these datasets." in written([other], tmp_path, paper=True)


def test_columns_of_the_methods_alone(paper_like, tmp_path):
    text = written(paper_like, tmp_path, columns=("params",))
    assert "| Method" in section(text, "Methods")
