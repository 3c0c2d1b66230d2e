"""``irbench compare`` as users type it."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess

import click.testing
import numpy as np
import orjson
import pytest
from rich.console import Console

from irbench.cli.compare import compare as command
from irbench.detections import Detections
from irbench.engine.storage.directory import RunDirectory
from irbench.engine.storage.image_records import ImageRecord
from irbench.engine.storage.parquet_files import write_detections, write_ground_truth
from irbench.errors import UsageError
from irbench.ground_truth import GroundTruth
from irbench.images.masks import mask_regions
from irbench.metrics.definition import METRICS
from irbench.protocol import TABLE1

N_IMAGES = 24
POWERS = {"good": 0.9, "twin": 0.9, "poor": 0.2}


IDENTITY = {"group": "Test Methods", "year": 2026, "kind": "score-map", "dataset": "made"}


def square_regions(places):
    mask = np.zeros((32, 48), bool)
    for row, column in places:
        mask[row : row + 3, column : column + 3] = True
    return mask_regions(mask)


def write_run(path, n_images=N_IMAGES, poor_threshold=1.0):
    """A run directory as the engine leaves it: three methods, and one that failed."""
    rng = np.random.default_rng(0)
    truths, found = [], {name: {} for name in POWERS}
    for index in range(n_images):
        places = [(4, 4), (20, 30)]
        regions = square_regions(places)
        truths.append(GroundTruth(f"scene-{index:02d}", (32, 48), regions.boxes, regions))
        for name, power in POWERS.items():
            kept = [place for place in places if rng.random() < power]
            clutter = [(20, 10)] if rng.random() < 0.3 else []
            one = square_regions(kept + clutter)
            found[name][truths[-1].id] = Detections(one.boxes, rng.uniform(1, 2, len(one)), one)
    directory = RunDirectory(path)
    write_ground_truth(directory.ground_truth_file, {"test": truths})
    rows = []
    for name, images in found.items():
        entries = [ImageRecord("test", image, {0.25: one}) for image, one in images.items()]
        write_detections(directory.detections_file(name), entries)
        threshold = poor_threshold if name == "poor" else 1.0
        rows.append(
            {
                **IDENTITY,
                "method": name,
                "title": name.title(),
                "state": "done",
                "threshold": threshold,
            }
        )
    rows.append(
        {
            **IDENTITY,
            "method": "broken",
            "title": "Broken",
            "state": "failed",
            "reason": "no weights",
        }
    )
    dataset = {"name": "made", "title": "Made up", "split": "test", "scheme": "",
               "n_images": n_images, "n_targets": 2 * n_images}  # fmt: skip
    directory.write(
        {
            "key": {"protocol": TABLE1.as_dict()},
            "dataset": dataset,
            "methods": {
                name: {"state": "done", "calibration": {"extent": 0.25}} for name in POWERS
            },
        }
    )
    directory.results_file.write_bytes(orjson.dumps({"rows": rows}))
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "made")


def call(*arguments):
    """Run ``irbench compare``; what it printed on standard output."""
    runner = click.testing.CliRunner()
    arguments = [*map(str, arguments), "--resamples", "300"]
    answer = runner.invoke(command, arguments, standalone_mode=False)
    if answer.exception is not None:
        raise answer.exception
    return answer.stdout


def call_json(*arguments):
    return json.loads(call(*arguments, "--json"))


def test_two_methods(run):
    out = call(run, "good", "poor")
    assert "Good minus Poor: Made up, split test, 24 images, 48 targets" in out
    for text in ("mAP@50 ↑ %", "Fa ↓ 10⁻⁶", "(Holm)", "IoU ≥ 0.5", "centroid < 3 px", "seed 0"):
        assert text in out


def test_two_methods_as_json(run):
    content = call_json(run, "good", "poor")
    assert [one["method"] for one in content["methods"]] == ["good", "poor"]
    f1 = next(one for one in content["differences"] if one["metric"] == "f1")
    values = [one["values"]["f1"]["estimate"] for one in content["methods"]]
    assert f1["estimate"] == pytest.approx(values[0] - values[1])
    assert 0 < f1["lower"] < f1["estimate"] < f1["upper"]
    assert 0 < f1["p"] <= f1["p_holm"] < 0.1
    by_iou = content["mcnemar"][0]
    alone = [one for one in content["found_alone"] if one["rule"] == "overlap"]
    for method, count in (("good", "only_first"), ("poor", "only_second")):
        assert sum(one["method"] == method for one in alone) == by_iou[count]
    assert alone[0]["box"] in ([4, 4, 7, 7], [30, 20, 33, 23])


def test_the_list_of_targets_is_cut_with_a_count(run):
    n_alone = call_json(run, "good", "poor")["mcnemar"][0]["only_first"]
    out = call(run, "good", "poor")
    assert n_alone > 10
    assert f"Good alone finds, IoU ≥ 0.5: {n_alone}" in out
    assert f"… and {n_alone - 10} more" in out
    listed = out.split("Good alone finds, IoU")[1].split("\n\n")[0]
    assert listed.count("scene-") == 10


def test_order_of_the_methods_is_the_sign(run):
    (there,) = call_json(run, "good", "poor", "--metric", "f1")["differences"]
    (back,) = call_json(run, "poor", "good", "--metric", "f1")["differences"]
    assert there["lower"] == pytest.approx(-back["upper"])
    assert there["p"] == back["p"]


def test_all_methods_are_ranked(run):
    out = call(run)
    assert "By mAP@50 ↑, %" in out
    assert "By F1" in out
    assert "Not compared: Broken (failed)." in out
    assert "share a letter" in out
    ranking = call_json(run)["rankings"]["f1"]
    assert [one["rank"] for one in ranking] == [1, 2, 3]
    assert [one["letters"] for one in ranking] == ["a", "a", "b"]
    assert ranking[-1]["method"] == "poor"


def test_some_methods_are_ranked_among_themselves(run):
    content = call_json(run, "good", "poor", "twin", "--metric", "niou,pd", "--metric", "fa")
    assert list(content["rankings"]) == ["niou", "pd", "fa"]
    assert len(content["differences"]) == 9
    assert "Broken" in call(run, "good", "poor", "twin")


def test_the_same_seed_prints_the_same(run):
    assert call(run, "good", "twin") == call(run, "good", "twin")
    assert call(run, "good", "twin") != call(run, "good", "twin", "--seed", 7)


def test_a_metric_undefined_for_one_method_says_why(tmp_path):
    run = write_run(tmp_path / "run", poor_threshold=None)
    out = call(run, "good", "poor")
    assert "F1 of Poor is undefined: no threshold" in out
    content = call_json(run, "good", "poor")
    f1 = next(one for one in content["differences"] if one["metric"] == "f1")
    assert f1["estimate"] is None
    assert f1["p"] is None
    assert content["mcnemar"] == []
    assert "—" in call(run)


def test_a_method_that_keeps_nothing(tmp_path):
    run = write_run(tmp_path / "run", poor_threshold="inf")
    content = call_json(run, "good", "poor", "--metric", "recall,precision")
    values = content["methods"][1]["values"]
    assert values["recall"]["estimate"] == 0
    assert values["precision"]["estimate"] is None


@pytest.mark.parametrize("methods", [[], ["good", "poor"]])
def test_a_narrow_terminal_cuts_no_number(run, monkeypatch, methods):
    monkeypatch.setattr(
        "irbench.cli.comparison_formats.results_console", lambda: Console(width=80, highlight=False)
    )
    narrow = call(run, *methods, "--metric", "map50,fa")
    assert max(map(len, narrow.splitlines())) <= 80
    content = call_json(run, *methods, "--metric", "map50,fa")
    for method in content["methods"]:
        for metric, value in method["values"].items():
            assert METRICS[metric].format(value["estimate"]) in narrow


@pytest.mark.parametrize("methods", [("good", "poor"), ("good", "poor", "twin")])
def test_every_format_has_the_same_p_values(run, methods):
    content = call_json(run, *methods, "--metric", "f1,fa")
    tests = [*content["differences"], *content["mcnemar"]]
    table = call(run, *methods, "--metric", "f1,fa", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [float(row["p_holm"]) for row in rows] == [one["p_holm"] for one in tests]
    assert [float(row["estimate"]) for row in rows] == [
        one.get("estimate", one.get("difference")) for one in tests
    ]
    text = call(run, *methods, "--metric", "f1,fa")
    printed = re.findall(r"(?:<0\.0001|[01]\.\d{4})", text)
    markdown = call(run, *methods, "--metric", "f1,fa", "--format", "markdown")
    latex = call(run, *methods, "--metric", "f1,fa", "--format", "latex")
    assert re.findall(r"(?:<0\.0001|[01]\.\d{4})", markdown.replace(r"\<", "<")) == printed
    assert re.findall(r"(?:<0\.0001|[01]\.\d{4})", latex.replace(r"\textless{}", "<")) == printed
    assert latex.isascii()
    for form in (text, markdown, latex):
        assert "adjusted by Holm over" in " ".join(form.split())


def test_two_formats_at_once_are_refused(run):
    with pytest.raises(UsageError, match="two formats"):
        call(run, "good", "poor", "--json", "--format", "csv")


def test_latex_of_a_comparison_compiles(run, tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed (Debian: texlive-latex-recommended)")
    text = call(run, "--metric", "f1", "--format", "latex")
    (tmp_path / "c.tex").write_text(
        r"\documentclass{article}\usepackage{booktabs}\usepackage{graphicx}\begin{document}"
        + text
        + r"\end{document}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "c.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert b"Overfull" not in done.stdout


def test_a_method_that_keeps_nothing_has_no_rank_in_false_alarms(tmp_path):
    run = write_run(tmp_path / "run", poor_threshold="inf")
    rankings = call_json(run, "--metric", "fa,recall")["rankings"]
    (poor,) = [one for one in rankings["fa"] if one["method"] == "poor"]
    assert poor["rank"] is None
    (poor,) = [one for one in rankings["recall"] if one["method"] == "poor"]
    assert poor["rank"] == 3


def test_few_images_are_warned_of(tmp_path):
    assert "Only 6 images" in call(write_run(tmp_path / "run", n_images=6), "good", "poor")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["good", "por"], "'por'. Did you mean poor?.* Known: broken, good, poor, twin"),
        (["good", "broken"], "broken is failed .*: no weights"),
        (["good", "good"], "must be different ones"),
        (["good"], "at least two methods with results are needed, got 1"),
        (["good", "poor", "--metric", "f2"], "Did you mean f1?"),
        (["good", "poor", "--metric", "fps"], "unknown metric to compare by 'fps'"),
    ],
)
def test_errors_say_what_there_is(run, arguments, message):
    with pytest.raises(UsageError, match=message):
        call(run, *arguments)


def test_one_image_has_no_spread(tmp_path):
    with pytest.raises(UsageError, match="at least two images"):
        call(write_run(tmp_path / "run", n_images=1), "good", "poor")


def test_no_run_directory(tmp_path):
    with pytest.raises(UsageError, match="no run directory"):
        call(tmp_path)


def test_few_draws_are_refused(run):
    runner = click.testing.CliRunner()
    answer = runner.invoke(command, [str(run), "good", "poor", "--resamples", "5"])
    assert answer.exit_code == 2
    assert "--resamples" in answer.output
