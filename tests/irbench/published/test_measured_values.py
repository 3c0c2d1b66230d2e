"""Published beside measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from irbench.engine.storage.results import RunResults
from irbench.published import published_tables
from irbench.published.measured_values import compare_runs, published_dataset


def made(name, title, rows, path="runs/one"):
    dataset = {"name": name, "title": title}
    return RunResults(Path(path), {"dataset": dataset}, tuple(rows))


def row(method, state="done", **metrics):
    return {"method": method, "title": method.upper(), "state": state, **metrics}


@pytest.mark.parametrize(
    ("name", "title", "expected"),
    [
        ("nudt", "anything", "nudt"),
        ("my-copy", "NUDT-SIRST", "nudt"),
        ("folder", "irstd 1K", "irstd1k"),
        ("folder", "NUAA-SIRST (mine)", "nuaa"),
        ("synth", "synth", None),
        ("folder", "NUDT", None),
    ],
)
def test_datasets_are_mapped(name, title, expected):
    assert published_dataset(published_tables()[1], {"name": name, "title": title}) == expected


def test_ablations_know_irstd1k_only():
    facts = {"name": "nudt", "title": "NUDT-SIRST"}
    assert published_dataset(published_tables()[2], facts) is None


def test_differences_in_points():
    run = made("nudt", "NUDT-SIRST", [row("mpcm", precision=0.75, f1=0.8005, map50=None)])
    (found,) = compare_runs([run], [1])
    values = {one.metric: one for one in found.values}
    assert [one.metric for one in found.values] == ["precision", "recall", "f1", "map50"]
    assert values["precision"].published == 0.7262
    assert values["precision"].difference == pytest.approx(0.0238)
    assert values["precision"].text("difference") == "+2.38"
    assert values["f1"].text("difference") == "0"
    assert values["map50"].text("measured") == values["recall"].text("measured") == "—"
    assert values["map50"].text("published") == "80.73"


def test_rows_come_as_published_and_only_those_with_results():
    run = made(
        "irstd1k",
        "IRSTD-1k",
        [row("le-irstd", f1=0.9), row("tophat", f1=0.5), row("fkrw", "failed"),
         row("ipi-fast", "partial", f1=0.4), row("ipi", f1=0.6), row("mpcm", f1=0.3)],
    )  # fmt: skip
    found = compare_runs([run], range(1, 7))
    assert [(one.table, one.values[0].row, one.values[0].method) for one in found] == [
        (1, "MPCM", "mpcm"),
        (1, "IPI", "ipi"),
        (1, "IPI", "ipi-fast"),
        (1, "LE-IRSTD", "le-irstd"),
        (2, "(e)", "le-irstd"),
        (3, "6 / 3*3 / 1,2", "le-irstd"),
        (4, "BSblock(PCConv)", "le-irstd"),
        (5, "VKConv", "le-irstd"),
        (6, "SC+DWConv+shuffle", "le-irstd"),
    ]
    assert found[2].state == "partial"


def test_several_runs_of_one_dataset_stand_together():
    runs = [
        made("nudt", "NUDT-SIRST", [row("mpcm"), row("fkrw")], "a"),
        made("nuaa", "NUAA-SIRST", [row("mpcm")], "b"),
        made("nudt", "NUDT-SIRST", [row("mpcm")], "c"),
        made("synth", "synth", [row("mpcm")], "d"),
    ]
    found = [
        (one.dataset, one.values[0].method, str(one.run.path)) for one in compare_runs(runs, [1])
    ]
    assert found == [
        ("nuaa", "mpcm", "b"), ("nudt", "fkrw", "a"), ("nudt", "mpcm", "a"), ("nudt", "mpcm", "c"),
    ]  # fmt: skip
