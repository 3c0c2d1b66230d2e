"""Trainings that differ by their seed, as one row of mean and standard deviation."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from irbench.errors import UsageError
from irbench.report import ReportOptions
from irbench.reports.csv_table import Csv
from irbench.reports.figures import Figures
from irbench.reports.html import Html
from irbench.reports.latex import Latex
from irbench.reports.markdown import Markdown

F1 = (0.9012, 0.9104, 0.8957)
SEEDS = ReportOptions(seeds=True, columns=("f1", "map50", "fps", "params"))


@pytest.fixture
def trained(make_run, rows):
    """Three runs of one network with weights of its own each, and a filter in all."""

    def run(place, f1=None, **more):
        network = rows.box(
            "net", F1[place] if f1 is None else f1, "Net", weights=f"net-{place}",
            weights_sha256=f"{place}abcdef0{place}" * 4, **more,
        )  # fmt: skip
        return make_run("nudt", [network, rows.done("tophat", 0.5)], f"seed-{place}")

    return run


def of_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return {row["method"]: row for row in csv.DictReader(file)}


def test_a_network_is_one_row_of_its_mean_and_sample_deviation(trained, tmp_path):
    runs = [trained(place) for place in range(3)]
    row = of_csv(Csv().write(runs, tmp_path, SEEDS)[0])["net"]
    assert row["n_runs"] == "3"
    assert float(row["f1"]) == pytest.approx(np.mean(F1), abs=1e-15)
    assert float(row["f1_sd"]) == pytest.approx(np.std(F1, ddof=1), abs=1e-15)
    assert float(row["map50"]) == pytest.approx(np.mean(F1) - 0.1, abs=1e-15)
    # The same in all three is no mean of anything.
    assert (row["params"], row["params_sd"]) == ("2578175", "")
    shown = f"{100 * np.mean(F1):.2f}", f"±{100 * np.std(F1, ddof=1):.2f}"
    text = Markdown().write(runs, tmp_path, SEEDS)[0].read_text(encoding="utf-8")
    assert f"**{shown[0]}** ({shown[1]})" in text
    assert "standard deviation over 3 trainings" in text
    assert "0abcdef0, 1abcdef0, 2abcdef0" in text
    latex = "".join(path.read_text() for path in Latex().write(runs, tmp_path, SEEDS))
    assert rf"{{\tiny \ensuremath{{\pm}}{shown[1][1:]}}}" in latex


def with_params(make_run, rows, params, f1=F1, **more):
    """A run for each of some parameters, with a row that has no weights of irbench's."""
    return [
        make_run("nudt", [rows.box("net", f1[i], "Net", method_params=one, **more)], f"seed-{i}")
        for i, one in enumerate(params)
    ]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        (
            [{"predictions": "coco", "content": f"{i}abcdef012345678"} for i in range(3)],
            "mean over 3 trainings, predictions 0abcdef0, 1abcdef0, 2abcdef0",
        ),
        (
            [{"weights": f"runs/seed-{i}.pth", "size": 5} for i in range(3)],
            "mean over 3 trainings, weights seed-0.pth, seed-1.pth, seed-2.pth",
        ),
    ],
)
def test_a_network_that_irbench_has_no_weights_of_is_one_row_too(
    make_run, rows, tmp_path, params, said
):
    runs = with_params(make_run, rows, params)
    row = of_csv(Csv().write(runs, tmp_path, SEEDS)[0])["net"]
    assert float(row["f1"]) == pytest.approx(np.mean(F1), abs=1e-15)
    assert float(row["f1_sd"]) == pytest.approx(np.std(F1, ddof=1), abs=1e-15)
    assert said in row["note"]
    assert "content" not in row["method_params"]


def test_the_same_predictions_are_no_other_training(make_run, rows, tmp_path):
    runs = with_params(make_run, rows, [{"predictions": "mask", "content": "ab"}] * 2)
    with pytest.raises(UsageError, match=r"Net has the same predictions in .*seed-0 and .*seed-1"):
        Csv().write(runs, tmp_path, SEEDS)
    runs = with_params(make_run, rows, [{"predictions": k, "content": k} for k in ("a", "b")])
    with pytest.raises(UsageError, match="other settings in"):
        Csv().write(runs, tmp_path, SEEDS)


def test_failures_in_any_of_the_runs_are_those_of_the_mean(trained, tmp_path):
    failed = {"state": "partial", "n_failed": 3, "n_failed_validation": 2, "n_validation": 50}
    runs = [trained(0, note="a"), trained(1, note="b", **failed), trained(2, note="a")]
    row = of_csv(Csv().write(runs, tmp_path, SEEDS)[0])["net"]
    assert row["state"] == "partial"
    assert row["note"].startswith("a; b; mean over 3 trainings")
    text = " ".join(Markdown().write(runs, tmp_path, SEEDS)[0].read_text(encoding="utf-8").split())
    assert "partial: 3 of 798 images and 2 of 150 validation images failed" in text


def test_a_filter_that_is_the_same_in_all_is_itself(trained, tmp_path):
    row = of_csv(Csv().write([trained(0), trained(1)], tmp_path, SEEDS)[0])["tophat"]
    assert (row["f1"], row["f1_sd"], row["n_runs"]) == ("0.5", "", "1")


def test_a_run_without_results_is_left_out_of_the_mean_and_said(trained, make_run, rows, tmp_path):
    failed = make_run("nudt", [rows.unfinished("net", "failed", "no memory", "Net")], "seed-9")
    path = Csv().write([failed, trained(0), trained(2)], tmp_path, SEEDS)[0]
    row = of_csv(path)["net"]
    assert (row["state"], row["n_runs"]) == ("done", "2")
    assert float(row["f1"]) == pytest.approx((F1[0] + F1[2]) / 2, abs=1e-15)
    assert "without 1 that have no results" in row["note"]


def test_a_metric_that_a_run_lacks_has_no_mean(trained, tmp_path):
    row = of_csv(
        Csv().write([trained(0), trained(1, fa=None)], tmp_path, ReportOptions(seeds=True))[0]
    )
    assert row["net"]["fa"] == ""
    assert "no number in 1 of 2 runs" in row["net"]["undefined"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"method_params": {"image_size": 320}}, r"other settings in .*seed-1 than in .*seed-0"),
        ({"weights_sha256": "0abcdef00" * 4}, r"same weights in .*seed-0 and .*seed-1"),
    ],
)
def test_what_is_no_other_seed_is_refused(make_run, rows, more, message):
    def run(place, **fields):
        sha = {"weights_sha256": f"{place}abcdef0{place}" * 4}
        return make_run(
            "nudt", [rows.box("net", F1[place], "Net", **{**sha, **fields})], f"seed-{place}"
        )

    with pytest.raises(UsageError, match=message):
        Markdown().write([run(0), run(1, **more)], make_run, SEEDS)


def test_a_filter_that_changed_between_the_runs_is_refused(make_run, rows, tmp_path):
    runs = [make_run("nudt", [rows.done("tophat", f1)], f"run-{f1}") for f1 in (0.5, 0.6)]
    with pytest.raises(UsageError, match="TOPHAT learns nothing and has another"):
        Markdown().write(runs, tmp_path, SEEDS)


def test_what_shows_a_single_run_refuses_the_mean(trained, tmp_path):
    runs = [trained(0), trained(1)]
    for report in (Html, Figures):
        with pytest.raises(UsageError, match="--seeds is for tables"):
            report().write(runs, tmp_path, SEEDS)
    with pytest.raises(UsageError, match="the one or the other"):
        Markdown().write(runs, tmp_path, ReportOptions(seeds=True, intervals=True))
