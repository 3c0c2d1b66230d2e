"""The published tables, transcribed."""

from __future__ import annotations

import dataclasses

import pytest

from irbench.metrics.definition import METRICS
from irbench.plugins.registry import catalogue
from irbench.published import (
    COST,
    QUALITY,
    published_source,
    published_tables,
    stored_value,
)

LE_IRSTD = ("le-irstd", "le-irstd-published")


def test_all_tables_are_there():
    sizes = {number: len(table.rows) for number, table in published_tables().items()}
    assert sizes == {1: 17, 2: 5, 3: 8, 4: 3, 5: 2, 6: 3}
    assert list(published_tables()[1].datasets) == ["irstd1k", "nuaa", "nudt"]


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


def test_what_is_published_cannot_be_changed():
    table = published_tables()[1]
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.rows["LE-IRSTD"].name = "another"
    with pytest.raises(TypeError):
        table.rows["LE-IRSTD"].printed["nudt"]["f1"] = "100.00"
    with pytest.raises(TypeError):
        published_tables()[7] = table


def test_numerals():
    numerals = [table.numeral for table in published_tables().values()]
    assert numerals == ["I", "II", "III", "IV", "V", "VI"]
    assert "Tables I to VI" in published_source()


def test_what_a_row_does_not_have():
    row = published_tables()[2].rows["(a)"]
    assert row.text("f1", "nudt") == "-"
    assert row.value("f1", "nudt") is None


def test_every_ablation_names_its_network():
    variants = pytest.importorskip("irbench.methods.deep._variants", exc_type=ImportError)
    for number, networks in variants.ABLATIONS.items():
        rows = published_tables()[number].rows.values()
        assert tuple(row.methods[0] for row in rows) == networks
    known = catalogue("methods").classes
    named = {
        name
        for number in variants.ABLATIONS
        for row in published_tables()[number].rows.values()
        for name in row.methods
    }
    assert named <= known.keys()
