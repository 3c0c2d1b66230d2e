"""The page of the metrics is made from their definitions, and does not go stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from irbench.errors import UsageError
from irbench.metrics.definition import METRICS
from irbench.metrics.documentation import BEGIN, END, main, metric_tables, with_tables

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_the_page_is_up_to_date():
    page = PAGE.read_text(encoding="utf-8")
    stale = "stale: run python -m irbench.metrics.documentation docs/metrics.md"
    assert page == with_tables(page), stale


def test_every_metric_has_a_row_with_direction_unit_and_source():
    rows = [line for line in metric_tables().splitlines() if line.startswith("| `")]
    assert len(rows) == len(METRICS)
    for metric in METRICS.values():
        (row,) = (row for row in rows if row.startswith(f"| `{metric.name}` |"))
        cells = row.replace("\\|", "\0").strip("| ").split("|")
        assert len(cells) == 7 or not metric.reference
        for text in (metric.title, metric.arrow, metric.unit, metric.description, metric.dialect):
            assert text.replace("|", "\0") in row.replace("\\|", "\0")


def test_all_metrics_of_quality_say_their_formula():
    quality = [m for m in METRICS.values() if m.kind in ("boxes", "points", "pixels", "maps")]
    assert [metric.name for metric in quality if not metric.formula] == []


def test_the_page_names_every_dialect():
    text = PAGE.read_text(encoding="utf-8").partition(BEGIN)[0]
    for word in (
        "mIoU",
        "coco-101",
        "all-point",
        "yolo",
        "raster order",
        "hungarian",
        "pads empty sides",
    ):
        assert word in text


def test_the_example_of_the_page_runs(capsys):
    example = PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    exec(compile(example, str(PAGE), "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert any(line.startswith("mAP@50 ") for line in printed)


def test_text_outside_the_marks_stays(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(f"before\n{BEGIN}\nstale text\n{END}\nafter\n", encoding="utf-8")
    main(path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "stale text" not in text
    assert metric_tables() in text
    assert with_tables(text) == text


@pytest.mark.parametrize("page", ["", BEGIN, END, f"{END}{BEGIN}"])
def test_a_page_without_both_marks_is_refused(page):
    with pytest.raises(UsageError, match="the page must hold the marks"):
        with_tables(page)
