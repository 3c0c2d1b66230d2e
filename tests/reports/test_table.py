"""The layout of Table I, before any markup."""

from __future__ import annotations

import pytest

from irbench.errors import UnknownNameError, UsageError
from irbench.report import ReportOptions
from irbench.reports._columns import chosen_columns
from irbench.reports._table import result_table, table_groups


def layout(runs, *columns):
    options = ReportOptions(columns=columns)
    return result_table(table_groups(runs, options), options)


def row_of(table, title):
    (found,) = [row for group in table.row_groups for row in group.rows if row.title == title]
    return found


def texts(cells):
    return [cell.text for cell in cells]


def test_columns_and_headings_are_those_of_the_paper(paper_like):
    table = layout(paper_like)
    assert [group.title for group in table.columns] == [
        "", "IRSTD-1k", "NUDT-SIRST", "my night scenes",
    ]  # fmt: skip
    assert [m.name for m in table.columns[0].metrics] == ["params", "flops"]
    for group in table.columns[1:]:
        assert [m.name for m in group.metrics] == ["precision", "recall", "f1", "map50"]
    assert [group.title for group in table.row_groups] == [
        "Background Suppression",
        "HVS-based Methods",
        "Low-rank and Sparse Decomposition",
        "Deep Learning Methods",
    ]


def test_cells_hold_printed_values_and_ranks(paper_like):
    row = row_of(layout(paper_like), "LE-IRSTD")
    own, irstd1k, nudt, folder = row.cells
    assert texts(own) == ["2.58", "7.51"]
    assert texts(irstd1k) == ["85.00", "75.00", "80.00", "70.00"]
    assert [cell.rank for cell in nudt] == [1, 1, 1, 1]
    assert texts(folder) == ["—"] * 4
    assert row.present == (True, True, True, True)


def test_ties_share_a_rank(paper_like):
    table = layout(paper_like)
    ranks = [row_of(table, t).cells[1][2].rank for t in ("Top-Hat", "MPCM", "LE-IRSTD")]
    assert ranks == [2, 2, 1]


def test_a_method_that_a_dataset_lacks_is_absent_there(paper_like):
    row = row_of(layout(paper_like), "50%_a&b × Müller–Łoś")
    assert row.present == (True, False, True, False)
    assert texts(row.cells[1]) == ["—"] * 4
    assert texts(row.cells[2]) == ["55.00", "45.00", "50.00", "40.00"]


def test_the_wide_table_marks_false_alarms_of_box_methods(paper_like):
    table = layout(paper_like, "wide")
    names = [m.name for m in table.columns[1].metrics]
    assert names == ["precision", "recall", "f1", "map50", "pd", "fa", "iou", "niou", "fps"]
    fa = names.index("fa")
    assert row_of(table, "LE-IRSTD").cells[1][fa].mark == "*"
    assert row_of(table, "Top-Hat").cells[1][fa].mark == ""
    # Lower is better: of 0.9, 0.7, 0.61 and 0.5 the first has the fewest.
    assert row_of(table, "LE-IRSTD").cells[2][fa].rank == 1
    assert any(note.startswith("* Fa") for note in table.legend)


def test_columns_by_name(paper_like):
    table = layout(paper_like, "f1", "params", "f1")
    assert [m.name for m in table.columns[0].metrics] == ["params"]
    assert [m.name for m in table.columns[1].metrics] == ["f1"]
    assert layout(paper_like, "f1").columns[0].title == "IRSTD-1k"
    assert [group.title for group in layout(paper_like, "params").columns] == [""]


def test_an_unknown_column_names_the_nearest():
    with pytest.raises(UnknownNameError, match="map50"):
        chosen_columns(["map51"])


def ablation(run, **more):
    options = ReportOptions(table=2, **more)
    return result_table(table_groups([run], options), options)


def test_an_ablation_has_the_paper_s_rows_and_columns(ablation_run):
    table = ablation(ablation_run)
    assert table.headings == ("Ablation", "MBConv", "BSblock", "AVCStem", "GSConv")
    assert [group.title for group in table.columns] == ["IRSTD-1k", ""]
    rows = [row for group in table.row_groups for row in group.rows]
    assert [row.title for row in rows] == ["(a)", "(b)", "(e)", "(e)"]
    assert rows[0].settings == ("×", "×", "×", "×")
    assert texts(rows[0].cells[0]) == ["75.00", "65.00", "70.00", "60.00"]
    assert texts(rows[0].cells[1]) == ["3.01", "8.19"]
    assert texts(rows[1].cells[0]) == ["—"] * 4
    assert [table.row_notes[number - 1] for number in rows[1].notes] == ["failed: no memory"]
    assert [table.row_notes[number - 1] for number in rows[3].notes] == [
        "the network le-irstd-published"
    ]
    assert "Top-Hat" not in " ".join(table.footnotes)


def test_an_ablation_says_which_rows_it_lacks(ablation_run):
    notes = ablation(ablation_run).footnotes
    assert (
        "Rows of Table II that were not run: (c) (yolov8n-faststem), (d) "
        "(yolov8n-faststem-avcstem)."
    ) in notes
    assert any("(e) le-irstd, le-irstd-published" in note for note in notes)


def test_rows_of_the_paper_are_marked_and_not_ranked(ablation_run):
    row = row_of(ablation(ablation_run, as_published=True), "(d) (as published)")
    assert row.settings == ("✓", "✓", "✓", "×")
    assert texts(row.cells[0]) == ["89.89", "84.20", "86.92", "89.87"]
    assert texts(row.cells[1]) == ["2.67", "7.64"]
    assert {cell.rank for cells in row.cells for cell in cells} == {None}
    assert row.notes


def test_data_that_the_paper_lacks_get_no_rows_of_it(make_run, rows):
    run = make_run("folder", [rows.box("yolov8n", 0.5, "YOLOv8-n")])
    for number in (1, 2):
        options = ReportOptions(table=number, as_published=True)
        table = result_table(table_groups([run], options), options)
        assert len([row for group in table.row_groups for row in group.rows]) == 1
        assert not any("published" in note for note in table.row_notes)


def test_what_only_the_paper_has_stands_in_its_group(paper_like):
    options = ReportOptions(as_published=True)
    table = result_table(table_groups(paper_like, options), options)
    deep = table.row_groups[-1]
    assert [row.title for row in deep.rows] == [
        "LE-IRSTD", *(f"{name} (as published)" for name in (
            "AGPCNet", "ALCNet", "SCTransNet", "R-CNN", "Fast R-CNN", "RetinaNet", "AMFLW-YOLO",
            "DET-YOLO",
        )),
    ]  # fmt: skip
    agpcnet = row_of(table, "AGPCNet (as published)")
    assert texts(agpcnet.cells[0]) == ["12.43", "270.35"]
    assert texts(agpcnet.cells[2]) == ["74.32", "75.60", "74.95", "72.19"]
    # The user's own scenes are in no paper.
    assert agpcnet.present == (True, True, True, False)


def test_a_run_with_nothing_of_the_table_says_what_to_run(make_run, rows):
    run = make_run("nudt", [rows.done("tophat", 0.5)])
    with pytest.raises(
        UsageError, match=r"--methods le-irstd-avcstem-sc,le-irstd.* --dataset nudt"
    ):
        table_groups([run], ReportOptions(table=5))


def test_oracle_rows_never_stand_beside_published_ones(make_run, rows):
    run = make_run("nudt", [rows.done("a", 0.5)], operating_point="oracle")
    for options in (ReportOptions(paper=True), ReportOptions(as_published=True)):
        with pytest.raises(UsageError, match="oracle"):
            table_groups([run], options)


def test_the_caption_names_units_and_directions(paper_like):
    caption = layout(paper_like, "wide").caption
    assert "P, R, F1, mAP@50, Pd, IoU and nIoU in %" in caption
    assert "Fa in 10⁻⁶" in caption
    assert "↑: the higher, the better" in caption
    assert "ORACLE" not in caption


def test_an_oracle_table_says_so(make_run, rows):
    run = make_run("nudt", [rows.done("a", 0.5)], operating_point="oracle")
    table = layout([run])
    assert "ORACLE" in table.caption
    assert any("ORACLE" in note for note in table.footnotes)


def test_a_single_method_is_not_ranked(make_run, rows):
    table = layout([make_run("nudt", [rows.done("a", 0.5)])])
    assert [cell.rank for cell in row_of(table, "A").cells[0]] == [None] * 4


def test_a_threshold_that_keeps_nothing(make_run, rows):
    run = make_run("nudt", [rows.done("a", 0.5, threshold="inf"), rows.done("b", 0.5)])
    options = ReportOptions(columns=("f1", "threshold"), notes="full")
    table = result_table(table_groups([run], options), options)
    assert texts(row_of(table, "A").cells[0]) == ["50.00", "∞"]
    assert any("A 0.25/∞; B 0.25/12.346" in note for note in table.footnotes)


def test_costs_that_differ_between_datasets_are_noted(make_run, rows):
    runs = [
        make_run("nudt", [rows.box("net", 0.9, "Net")]),
        make_run("irstd1k", [rows.box("net", 0.8, "Net", flops=4.8e9)]),
    ]
    table = layout(runs)
    row = row_of(table, "Net")
    assert texts(row.cells[0]) == ["2.58", "4.80"]
    notes = [table.row_notes[number - 1] for number in row.notes]
    assert notes == ["FLOPs: 4.80 on IRSTD-1k, 7.51 on NUDT-SIRST"]
