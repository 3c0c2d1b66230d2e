from __future__ import annotations

from pathlib import Path

import pytest

from irbench.cli.table import print_results
from irbench.engine.results import RunResults
from irbench.protocol import TABLE1


@pytest.fixture
def results():
    dataset = {
        "name": "folder", "title": "my [odd] scenes", "split": "test", "scheme": "",
        "n_images": 3, "n_targets": 4,
    }  # fmt: skip
    run = {"key": {"protocol": TABLE1.as_dict()}, "dataset": dataset, "data_root": "/some where"}
    identity = {"group": "HVS-based [Methods]", "year": 2020, "note": ""}
    rows = (
        {
            **identity,
            "method": "a",
            "title": "50%_a&b [v2]",
            "state": "done",
            "f1": 0.5,
            "fa": 1e-5,
        },
        {**identity, "method": "b", "title": "B" * 60, "state": "partial", "f1": 0.25, "fa": None},
        {**identity, "method": "c", "title": "C", "state": "failed", "reason": "no"},
    )
    return RunResults(Path("runs/x"), run, rows)


def test_it_fits_a_hundred_columns_and_loses_nothing(results, capsys):
    print_results(results)
    text = capsys.readouterr().out
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    for expected in ("50%_a&b [v2]", "my [odd] scenes", "HVS-based [Methods]", "50.00", "10.00"):
        assert expected in text
    assert "(partial)" in text
    assert "(failed)" in text
    assert "…" not in text
    assert "--dataset '/some where'" in text


def test_only_the_wanted_rows(results, capsys):
    print_results(results, ["c"])
    assert "50%_a&b" not in capsys.readouterr().out
