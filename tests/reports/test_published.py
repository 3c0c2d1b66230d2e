"""Published beside measured."""

from __future__ import annotations

import pytest

from irbench.reports._published import comparison_tables, comparisons
from irbench.reports._side_by_side import side_by_side


def by_key(found):
    return {(one.title, one.dataset, one.metric): one for one in found}


def test_every_value_of_table_1_comes_with_what_was_measured(paper_like):
    found = by_key(comparisons(side_by_side(paper_like)))
    one = found["MPCM", "nudt", "f1"]
    assert (one.published, one.measured) == (0.8005, 0.61)
    assert one.difference == pytest.approx(-0.1905)
    assert one.text("difference") == "−19.05"
    # 17 published rows on two of the paper's datasets: 4 values each, and 2 for both.
    assert len(found) == 17 * (2 * 4 + 2)
    assert not any(dataset == "folder" for _, dataset, _ in found)


def test_costs_are_compared_once(paper_like):
    one = by_key(comparisons(side_by_side(paper_like)))["LE-IRSTD", "", "params"]
    assert (one.published, one.measured) == (2.57e6, 2_578_175)
    assert one.text("difference") == "+0.01"


def test_a_row_that_failed_has_a_published_value_only(paper_like):
    one = by_key(comparisons(side_by_side(paper_like)))["PSTNN", "nudt", "f1"]
    assert one.method == "pstnn"
    assert (one.published, one.measured, one.difference) == (0.6355, None, None)


def test_both_ways_to_compute_ipi_stand_beside_it(make_run, rows):
    made = [rows.done("ipi", 0.5, "IPI"), rows.done("ipi-fast", 0.4, "IPI (fast)")]
    found = by_key(comparisons(side_by_side([make_run("nuaa", made)])))
    assert found["IPI", "nuaa", "f1"].measured == 0.5
    assert found["IPI (fast)", "nuaa", "f1"].measured == 0.4
    assert {found[t, "nuaa", "f1"].published for t in ("IPI", "IPI (fast)")} == {0.8285}


def test_what_only_the_paper_has_comes_last_as_published(paper_like):
    quality, cost = comparison_tables(side_by_side(paper_like))
    headings = [title for title, _ in quality.sections]
    assert headings[-1] == "As published"
    published = {row.title for row in dict(quality.sections)["As published"]}
    assert published == {
        "FKRW", "NewTopHat", "TLLCM", "GSWLCM", "IPI", "RIPT", "AGPCNet", "ALCNet", "SCTransNet",
        "R-CNN", "Fast R-CNN", "RetinaNet", "AMFLW-YOLO", "DET-YOLO",
    }  # fmt: skip
    assert "FKRW" not in {row.title for _, rows in cost.sections for row in rows}


def test_the_footnotes_name_impossible_values_of_the_datasets_at_hand(paper_like, make_run, rows):
    quality, _ = comparison_tables(side_by_side(paper_like))
    notes = " ".join(quality.footnotes)
    assert "PSTNN on NUDT-SIRST: 63.55 printed, 34.48 from P and R" in notes
    assert "Not in the paper's Table I: Top-Hat, 50%_a&b × Müller–Łoś." in notes
    assert "my night scenes" in notes
    quality, _ = comparison_tables(side_by_side([make_run("nuaa", [rows.done("mpcm", 0.5)])]))
    assert "from P and R" not in " ".join(quality.footnotes)


def test_a_dataset_that_the_paper_lacks(make_run, rows):
    run = make_run("folder", [rows.done("mpcm", 0.5)], "other")
    assert comparison_tables(side_by_side([run])) == []


def test_rows_that_cannot_be_built_say_why_and_all_others_are_methods():
    from irbench.plugins.registry import catalogue
    from irbench.published import published_tables

    known = catalogue("methods").classes
    rows = published_tables()[1].rows.values()
    unbuilt = {row.name: row.not_built for row in rows if not set(row.methods) & set(known)}
    assert set(unbuilt) == {"R-CNN", "AMFLW-YOLO", "DET-YOLO"}
    assert all(unbuilt.values())
    assert not any(row.not_built for row in rows if row.name not in unbuilt)
