"""One number of one run has one value and one interval, whichever command prints it."""

from __future__ import annotations

import csv
import html
import json
import re

import click
import pytest

from irbench.cli.check import check
from irbench.cli.compare import compare
from irbench.metrics.definition import METRICS
from irbench.statistics.resamples import N_RESAMPLES, Resamples

from .conftest import CommandLine

NOTHING = """
import numpy as np
from irbench import MethodInfo, ScoreMapDetector

class Nothing(ScoreMapDetector):
    '''A map of zeros.'''
    info = MethodInfo(name="nothing", title="Nothing", group="Mine", year=2026, reference="none")

    def compute(self, image):
        return np.zeros_like(image)
"""

NAMES = ("f1", "map50", "iou", "hiou", "fa_hungarian", "ap_yolo", "auc", "auc_snpr", "scrg")


@pytest.fixture(scope="module")
def command(small_dataset, tmp_path_factory):
    made = CommandLine(tmp_path_factory.mktemp("one_number"), inside=True)
    (made.folder / "nothing.py").write_text(NOTHING)
    made.within(
        "run", "--methods", "tophat,nothing", "--dataset", small_dataset, "--out", "run",
        "--timing-images", 0, "--jobs", 1, "--plugin", "nothing.py",
    )  # fmt: skip
    return made


@pytest.fixture(scope="module")
def compared(command):
    """Of ``irbench compare``: by method, the estimate and the interval of each metric."""
    out = command.within("compare", "run", "--metric", ",".join(NAMES), "--json").stdout
    return {one["method"]: one["values"] for one in json.loads(out)["methods"]}


@pytest.fixture(scope="module")
def table(command):
    """Of ``irbench report``: the rows of the CSV file, by method."""
    command.within(
        "report", "run", "--format", "csv", "--columns", ",".join(NAMES), "--intervals",
        "--out", "tables",
    )  # fmt: skip
    with (command.folder / "tables/table1.csv").open(newline="") as file:
        return {row["method"]: row for row in csv.DictReader(file)}


def test_the_interval_of_a_report_is_that_of_a_comparison(table, compared):
    n_compared = 0
    for method, values in compared.items():
        for name, one in values.items():
            printed = [table[method].get(f"{name}_{side}") or None for side in ("lower", "upper")]
            if one["lower"] is None:
                assert printed == [None, None]
                continue
            assert [float(end) for end in printed] == [one["lower"], one["upper"]]
            assert float(table[method][name]) == one["estimate"]
            n_compared += one["lower"] < one["upper"]
    # The others are perfect on every draw.
    assert n_compared >= 6


def test_metrics_of_score_maps_have_intervals_in_a_report(table):
    for name in ("auc", "auc_snpr", "scrg"):
        assert float(table["tophat"][f"{name}_lower"]) < float(table["tophat"][f"{name}_upper"])


def test_the_page_prints_the_same_interval(command, compared):
    command.within("report", "run", "--format", "html", "--columns", "f1,auc", "--out", "page")
    page = html.unescape((command.folder / "page/report.html").read_text(encoding="utf-8"))
    for name in ("f1", "auc"):
        ends = [METRICS[name].format(compared["tophat"][name][side]) for side in ("lower", "upper")]
        assert re.search(r"\b{}–{}".format(*map(re.escape, ends)), page)


def test_a_map_of_zeros_has_one_iou(command, table, compared):
    row = next(row for row in command.results()["rows"] if row["method"] == "nothing")
    assert row["iou"] == compared["nothing"]["iou"]["estimate"] == float(table["nothing"]["iou"])
    assert row["iou"] == 0
    records = json.loads(
        command.within("analyze", "run", "nothing", "--repeats", 1, "--format", "json").stdout
    )["sensitivity"]
    unmoved = [r for r in records if r["method"] == "nothing" and r["amplitude_px"] == 0]
    assert [r["mean"] for r in unmoved if r["score"] == "iou"] == [0]


def test_all_commands_draw_alike():
    defaults = Resamples(("a", "b"))
    assert (defaults.n_resamples, defaults.seed) == (N_RESAMPLES, 0)
    for command in (compare, check):
        options = {param.name: param for param in command.params}
        assert isinstance(command, click.Command)
        assert (options["resamples"].default, options["seed"].default) == (N_RESAMPLES, 0)
