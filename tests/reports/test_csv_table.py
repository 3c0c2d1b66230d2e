"""The tidy CSV, read again with pandas."""

from __future__ import annotations

import json

import pandas as pd

from irbench.metrics.definition import METRICS
from irbench.report import ReportOptions
from irbench.reports.csv_table import Csv


def test_one_row_per_method_and_dataset_with_stored_values(paper_like, tmp_path):
    (path,) = Csv().write(paper_like, tmp_path)
    table = pd.read_csv(path, keep_default_na=False, na_values=[""]).set_index(
        ["method", "dataset"]
    )
    assert len(table) == sum(len(run.rows) for run in paper_like)
    assert table.index.is_unique
    assert set(METRICS) <= set(table.columns)
    for run in paper_like:
        for row in run.rows:
            read = table.loc[row["method"], row["dataset"]]
            assert read["state"] == row["state"]
            assert read["title"] == row["title"]
            assert read["run"] == str(run.path)
            for name in METRICS:
                if row.get(name) is None:
                    assert pd.isna(read[name])
                else:
                    assert read[name] == row[name]


def test_nested_fields_are_json(paper_like, tmp_path):
    (path,) = Csv().write(paper_like, tmp_path)
    table = pd.read_csv(path).set_index(["method", "dataset"])
    assert json.loads(table.loc[("tophat", "nudt"), "method_params"]) == {"size": 9}
    undefined = json.loads(table.loc[("le-irstd", "nudt"), "undefined"])
    assert undefined["iou"] == "the method returns boxes only"


def test_chosen_columns(paper_like, tmp_path):
    (path,) = Csv().write(paper_like, tmp_path, ReportOptions(columns=("f1",)))
    assert set(METRICS) & set(pd.read_csv(path).columns) == {"f1"}


def test_published_values_are_tidy_too(paper_like, tmp_path):
    paths = Csv().write(paper_like, tmp_path, ReportOptions(paper=True))
    assert [path.name for path in paths] == ["table1.csv", "table1-paper.csv"]
    table = pd.read_csv(paths[1], keep_default_na=False, na_values=[""])
    one = table[(table.method == "mpcm") & (table.dataset == "nudt") & (table.metric == "f1")]
    assert one[["published", "measured"]].to_numpy().tolist() == [[0.8005, 0.61]]
    only = table[table.method.isna()]
    assert only.measured.isna().all()
    assert "FKRW" in set(only.row)
