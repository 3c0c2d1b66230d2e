"""Curves of degraded runs on the page: from what is stored beside a run, and nothing else."""

from __future__ import annotations

import orjson
import pytest

from irbench.degradation.curves import stored_points
from irbench.pictures.styles import method_styles
from irbench.report import ReportOptions
from irbench.reports._html_robustness import robustness
from irbench.reports.html import Html


def rows_of(done, f1, alarms):
    return [
        done("tophat", f1, "Top-Hat", alarms_per_frame=alarms),
        done("le-irstd", f1 + 0.1, "LE <IRSTD>", kind="box", alarms_per_frame=0.0),
    ]


@pytest.fixture
def run(make_run, finished_row):
    """A clean run with two levels of noise and two of quantisation beside it."""
    clean = make_run("nudt", rows_of(finished_row, 0.8, 0.5), "clean")
    levels = {"noise=2": 0.6, "noise=10": 0.3, "quantise=6": 0.7, "quantise=4": 0.4}
    for name, f1 in levels.items():
        worse = make_run("nudt", rows_of(finished_row, f1, 40.0), f"clean/robustness/{name}")
        content = orjson.loads((worse.path / "run.json").read_bytes())
        content["key"]["degrade"] = [name]
        (worse.path / "run.json").write_bytes(orjson.dumps(content))
    # What is no level is passed over.
    (clean.path / "robustness" / "notes").mkdir()
    (clean.path / "robustness" / "robustness.csv").write_text("method\n")
    return clean


def test_levels_are_read_from_the_mildest_to_the_worst(run):
    points, problems = stored_points(run)
    assert problems == []
    levels = [(one.degradation, one.level) for one in points if one.method == "tophat"]
    assert levels == [("", 0.0), ("noise", 2), ("noise", 10), ("quantise", 6), ("quantise", 4)]
    assert [one.values[0] for one in points if one.method == "tophat"] == [0.8, 0.6, 0.3, 0.7, 0.4]


def test_a_part_has_a_curve_of_each_method_in_each_metric(run):
    parts, problems = robustness([run], method_styles(run.rows))
    assert problems == []
    assert [part.title.partition(":")[0] for part in parts] == ["noise", "quantise"]
    noise = parts[0]
    assert noise.levels == ["clean", "2", "10"]
    assert [chart.title for chart in noise.charts] == ["F1", "mAP@50", "Alarms/frame"]
    assert [text for _, text in noise.charts[0].x_ticks] == noise.levels
    # The first line falls from 80 to 30 of an axis to 90: down in a picture is a greater number.
    heights = [
        [float(point.split()[1]) for point in one.path[1:].split("L")]
        for one in noise.charts[0].lines
    ]
    assert all(line == sorted(line) and len(line) == 3 for line in heights)
    (method, cells), _ = noise.rows
    assert (method, cells[1]) == ("tophat", "60.00 / 50.00 / 40.000")


def test_the_page_has_a_section_of_its_own(run, make_run, finished_row, tmp_path):
    (path,) = Html().write([run], tmp_path, ReportOptions())
    text = path.read_text(encoding="utf-8")
    assert text.count("<h3>Robustness</h3>") == 1
    assert "noise: Gaussian noise" in text
    assert "LE &lt;IRSTD&gt;" in text
    assert "LE <IRSTD>" not in text
    plain = make_run("nudt", rows_of(finished_row, 0.8, 0.5), "plain")
    (path,) = Html().write([plain], tmp_path, ReportOptions())
    assert "Robustness" not in path.read_text(encoding="utf-8")


def test_runs_of_other_images_and_damaged_ones_are_named(run):
    first = run.path / "robustness" / "noise=2" / "run.json"
    content = orjson.loads(first.read_bytes())
    content["key"]["scheme"] = "official"
    first.write_bytes(orjson.dumps(content))
    (run.path / "robustness" / "quantise=4" / "run.json").write_text("{")
    points, problems = stored_points(run)
    assert {str(one.level) for one in points} == {"0.0", "10.0", "6.0"}
    assert len(problems) == 2
    assert "noise=2: " in problems[0]
    assert "run of other images" in problems[0]
    assert problems[1].startswith("quantise=4: ")
