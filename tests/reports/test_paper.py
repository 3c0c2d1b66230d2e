"""The published tables, transcribed: their own sums have to agree."""

from __future__ import annotations

import pytest

from irbench.metrics.definition import METRICS
from irbench.reports._paper import (
    COST,
    QUALITY,
    f1_inconsistencies,
    published_tables,
    stored_value,
)

LE_IRSTD = ("le-irstd", "le-irstd-published")


def test_all_tables_are_there():
    sizes = {number: len(table.rows) for number, table in published_tables().items()}
    assert sizes == {1: 17, 2: 5, 3: 8, 4: 3, 5: 2, 6: 3}
    assert list(published_tables()[1].datasets) == ["irstd1k", "nuaa", "nudt"]


def test_every_f1_follows_from_p_and_r_but_these():
    found = {
        (one.table, one.row, one.dataset): (one.printed, round(one.recomputed, 2))
        for one in f1_inconsistencies(0.1)
    }
    swapped_digits = (90.74, 90.47)
    assert found == {
        (1, "PSTNN", "nudt"): (63.55, 34.48),
        (1, "Fast R-CNN", "nudt"): (91.05, 89.10),
        (1, "RetinaNet", "nudt"): (89.01, 84.44),
        (2, "(c)", "irstd1k"): (85.23, 84.81),
        (2, "(e)", "irstd1k"): swapped_digits,
        (3, "6 / 3*3 / 1,2", "irstd1k"): swapped_digits,
        (3, "1 / 5*5 / 1,2", "irstd1k"): (82.23, 82.40),
        (3, "6 / 3*3 / 3,6", "irstd1k"): (85.37, 85.19),
        (4, "BSblock(PCConv)", "irstd1k"): swapped_digits,
        (5, "SC", "irstd1k"): (82.77, 87.17),
        (5, "VKConv", "irstd1k"): swapped_digits,
        (6, "SC+DWConv", "irstd1k"): (79.84, 83.99),
        (6, "SC+DWConv+shuffle", "irstd1k"): swapped_digits,
    }


def test_the_smaller_inconsistencies():
    found = {(one.table, one.row) for one in f1_inconsistencies(0.02)}
    found -= {(one.table, one.row) for one in f1_inconsistencies(0.1)}
    assert found == {
        (2, "(a)"), (4, "C2f"), (2, "(d)"), (3, "6 / 5*5 / 1,2"), (4, "BSblock(SC)"),
        (6, "SC+shuffle"),
    }  # fmt: skip


def test_the_final_model_is_the_same_in_every_ablation():
    rows = [
        row
        for number, table in published_tables().items()
        for row in table.rows.values()
        if number > 1 and row.methods == LE_IRSTD
    ]
    assert len(rows) == 5
    assert all(row.printed == rows[0].printed for row in rows)


@pytest.mark.parametrize(
    ("method", "row"),
    [("fkrw", "FKRW"), ("newtophat", "NewTopHat"), ("mpcm", "MPCM"), ("tllcm", "TLLCM"),
     ("gswlcm", "GSWLCM"), ("ipi", "IPI"), ("ipi-fast", "IPI"), ("ript", "RIPT"),
     ("pstnn", "PSTNN"), ("le-irstd", "LE-IRSTD")],
)  # fmt: skip
def test_our_methods_have_their_rows(method, row):
    assert [r.name for r in published_tables()[1].rows.values() if method in r.methods] == [row]


def test_the_baseline_is_yolov8n():
    assert published_tables()[2].rows["(a)"].methods == ("yolov8n",)
    assert published_tables()[4].rows["C2f"].methods == ("yolov8n",)


def test_values_print_again_as_they_are_printed():
    for table in published_tables().values():
        for row in table.rows.values():
            for dataset, values in row.printed.items():
                for name, printed in values.items():
                    stored = row.value(name, dataset)
                    text = METRICS[name].format(stored)
                    if name in COST:
                        text = "-" if stored is None else text + METRICS[name].unit
                    assert text == printed, (table.number, row.name, name)


def test_stored_values():
    assert stored_value("precision", "69.65") == 0.6965
    assert stored_value("flops", "270.35G") == 270.35e9
    assert stored_value("params", "-") is None


def test_a_few_values_by_eye():
    rows = published_tables()[1].rows
    quality = [rows["GSWLCM"].printed["nudt"][name] for name in QUALITY]
    assert quality == ["12.79", "20.38", "15.72", "20.72"]
    assert rows["AGPCNet"].printed[""] == {"params": "12.43M", "flops": "270.35G"}
    assert rows["DET-YOLO"].printed["nuaa"]["map50"] == "84.83"
    settings = published_tables()[2].rows["(d)"].settings
    assert settings == {"MBConv": "✓", "BSblock": "✓", "AVCStem": "✓", "GSConv": "×"}
