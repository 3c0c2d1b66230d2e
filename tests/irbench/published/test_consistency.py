"""The tables' own sums, in closed form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irbench.published.consistency import (
    F1Inconsistency,
    different_entries,
    disagreements,
    f1_inconsistencies,
    harmonic_mean,
)

# (P, R, printed F1), and what 2PR/(P+R) is, worked out apart from the code.
NINE = {
    (60.18, 24.16, 63.55): 34.48,
    (88.92, 89.29, 91.05): 89.10,
    (83.11, 85.81, 89.01): 84.44,
    (88.23, 81.65, 85.23): 84.81,
    (89.76, 91.19, 90.74): 90.47,
    (81.65, 83.16, 82.23): 82.40,
    (89.76, 81.07, 85.37): 85.19,
    (93.37, 81.75, 82.77): 87.17,
    (94.91, 75.32, 79.84): 83.99,
}


def test_the_nine_wrong_entries_and_no_others():
    entries = different_entries(f1_inconsistencies())
    found = {
        (one.precision, one.recall, one.printed): round(one.recomputed, 2) for one, *_ in entries
    }
    assert found == NINE
    assert len(entries) == len(NINE)


def test_where_they_stand():
    found = [(one.table, one.row, one.dataset) for one in f1_inconsistencies()]
    assert found == [
        (1, "PSTNN", "nudt"),
        (1, "Fast R-CNN", "nudt"),
        (1, "RetinaNet", "nudt"),
        (2, "(c)", "irstd1k"),
        (2, "(e)", "irstd1k"),
        (3, "1 / 5*5 / 1,2", "irstd1k"),
        (3, "6 / 3*3 / 1,2", "irstd1k"),
        (3, "6 / 3*3 / 3,6", "irstd1k"),
        (4, "BSblock(PCConv)", "irstd1k"),
        (5, "SC", "irstd1k"),
        (5, "VKConv", "irstd1k"),
        (6, "SC+DWConv", "irstd1k"),
        (6, "SC+DWConv+shuffle", "irstd1k"),
    ]


def test_le_irstd_is_wrong_in_each_table_that_repeats_it():
    repeated = [entry for entry in different_entries(f1_inconsistencies()) if len(entry) > 1]
    assert [[one.table for one in entry] for entry in repeated] == [[2, 3, 4, 5, 6]]
    assert {one.printed for one in repeated[0]} == {90.74}


def test_those_that_no_mean_can_be():
    found = {one.row for one in f1_inconsistencies() if one.is_impossible}
    assert found == {"PSTNN", "Fast R-CNN", "RetinaNet"}


def test_the_smaller_ones():
    found = {(one.table, one.row) for one in f1_inconsistencies(0.02)}
    found -= {(one.table, one.row) for one in f1_inconsistencies(0.1)}
    assert found == {
        (2, "(a)"), (4, "C2f"), (2, "(d)"), (3, "6 / 5*5 / 1,2"), (4, "BSblock(SC)"),
        (6, "SC+shuffle"),
    }  # fmt: skip


def test_a_great_tolerance_lets_all_pass():
    assert [one.row for one in f1_inconsistencies(29.0)] == ["PSTNN"]
    assert f1_inconsistencies(30.0) == []


def test_without_tolerance_only_rounding_passes():
    found = {(one.table, one.row) for one in f1_inconsistencies(0.0)}
    found -= {(one.table, one.row) for one in f1_inconsistencies(0.02)}
    # 86.188 from P and R, 86.20 printed; rounding of all three can move it by 0.01.
    assert found == {(2, "(b)")}


percent = st.floats(1.0, 100.0)


@given(precision=percent, recall=percent)
def test_a_rounded_triple_is_explained_by_rounding(precision, recall):
    f1 = 1 / (0.5 / precision + 0.5 / recall)
    printed = [round(value, 2) for value in (precision, recall, f1)]
    one = F1Inconsistency(1, "", "", *printed)
    # A hair for the arithmetic, where a digit stands on the edge.
    nearer = F1Inconsistency(
        1, "", "", *printed[:2], printed[2] + (1e-9 if one.difference < 0 else -1e-9)
    )
    assert one.is_rounding or nearer.is_rounding


@given(precision=percent, recall=percent)
def test_what_is_off_is_not_explained(precision, recall):
    f1 = 1 / (0.5 / precision + 0.5 / recall)
    # At most 0.005 · (1 + ∂F1/∂P + ∂F1/∂R), and those two add up to at most 2.
    for step in (-0.0151, 0.0151):
        assert not F1Inconsistency(1, "", "", precision, recall, f1 + step).is_rounding


def test_harmonic_mean():
    assert harmonic_mean(30.0, 60.0) == 40.0
    assert harmonic_mean(0.0, 0.0) == 0.0


def test_what_tables_print_differently():
    found = {(one.method, one.metric): one.printed for one in disagreements()}
    assert found.keys() == {("le-irstd", "f1"), ("yolov8n", "flops")}
    values = dict(found["le-irstd", "f1"])
    assert values["90.47"] == ((1, "LE-IRSTD"),)
    assert [table for table, _ in values["90.74"]] == [2, 3, 4, 5, 6]
    assert dict(found["yolov8n", "flops"]) == {"8.23G": ((2, "(a)"),), "8.24G": ((4, "C2f"),)}


@pytest.mark.parametrize(
    ("printed", "impossible"), [(79.9, True), (80.0, False), (90.0, False), (90.1, True)]
)
def test_a_mean_lies_between(printed, impossible):
    assert F1Inconsistency(1, "", "", 90.0, 80.0, printed).is_impossible is impossible
