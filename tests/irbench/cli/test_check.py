"""``irbench check`` as users type it, on runs of the engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import cv2
import numpy as np
import orjson
import pytest
from defusedxml import ElementTree

# The image above its median: the amplitude is in the scores, so that raw scores calibrate.
PLUGIN = """
import numpy as np
from irbench import MethodInfo, ScoreMapDetector

class {cls}(ScoreMapDetector):
    info = MethodInfo(name="{name}", title="{cls}", group="Test Methods", year=2026, reference="")

    def compute(self, image):
        above = image - np.median(image)
        return {answer}
"""
SCALED = "above / above.max()"


def write_plugin(folder, answer="above"):
    folder.mkdir(exist_ok=True)
    (folder / "plain.py").write_text(PLUGIN.format(cls="Plain", name="plain", answer="above"))
    (folder / "mine.py").write_text(PLUGIN.format(cls="Mine", name="mine", answer=answer))
    return ["--plugin", str(folder / "plain.py"), "--plugin", str(folder / "mine.py")]


def irbench(*arguments, status=0):
    done = subprocess.run(
        [sys.executable, "-m", "irbench", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100"},
        check=False,
    )
    assert done.returncode == status, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done


def call(*arguments, status=0):
    """In this process, which needs no second start."""
    from click.testing import CliRunner

    from irbench.cli.check import check
    from irbench.errors import IrbenchError

    answer = CliRunner().invoke(check, [*map(str, arguments)], standalone_mode=False)
    if isinstance(answer.exception, IrbenchError):
        assert answer.exception.exit_code == status
        return str(answer.exception)
    if answer.exception is not None:
        raise answer.exception
    assert answer.return_value == status
    return answer.output


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Scenes whose targets differ much in contrast, with some clutter of low contrast."""
    root = tmp_path_factory.mktemp("data") / "scenes"
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    rng = np.random.default_rng(3)
    rows, columns = np.indices((40, 48))
    names = [f"scene_{index:02d}" for index in range(20)]
    for index, name in enumerate(names):
        image = 70 + rng.normal(0, 2, rows.shape)
        row, column = rng.integers(8, 32, 2)
        spot = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 2.5)
        # In every other image there is nothing but weak clutter.
        is_target = index % 2 == 0
        image += (rng.uniform(60, 150) if is_target else 25) * spot
        mask = (spot > 0.5) & is_target
        cv2.imwrite(str(root / "images" / f"{name}.png"), np.clip(image, 0, 255).astype(np.uint8))
        cv2.imwrite(str(root / "masks" / f"{name}.png"), mask.astype(np.uint8) * 255)
    (root / "val.txt").write_text("\n".join(names[:8]) + "\n")
    (root / "test.txt").write_text("\n".join(names[8:]) + "\n")
    return root


def run(data, out, plugins, jobs=1):
    irbench(
        "run", "--methods", "plain,mine", "--dataset", data, "--out", out, "--jobs", jobs,
        "--score", "raw", "--timing-images", 0, *plugins,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(data, tmp_path_factory):
    """A folder with a run and its baseline."""
    folder = tmp_path_factory.mktemp("gate")
    run(data, folder / "run", write_plugin(folder / "plugins"), jobs=2)
    call(folder / "run", "--write", folder / "b.json")
    return folder


@pytest.mark.slow
def test_another_number_of_jobs_passes(made, data, tmp_path):
    run(data, tmp_path / "run", write_plugin(tmp_path / "plugins"), jobs=1)
    said = call(tmp_path / "run", "--baseline", made / "b.json")
    assert "irbench check passed: nothing moved" in said
    call(tmp_path / "run", "--write", tmp_path / "b.json")
    assert (tmp_path / "b.json").read_bytes() == (made / "b.json").read_bytes()


def test_a_map_that_is_scaled_per_image_is_caught_and_named(made, data, tmp_path):
    run(data, tmp_path / "run", write_plugin(tmp_path / "plugins", SCALED))
    said = call(
        tmp_path / "run", "--baseline", made / "b.json",
        "--junit", tmp_path / "out" / "junit.xml", "--markdown", tmp_path / "summary.md", status=1,
    )  # fmt: skip
    lines = [line for line in said.splitlines() if "regressed" in line]
    assert max(map(len, said.splitlines())) <= 100
    assert any(line.startswith("mine") and "mAP@50 ↑ %" in line for line in lines)
    assert not any(line.startswith("plain") for line in lines)
    assert "mine: code: " in said
    assert "irbench check FAILED" in lines[-1]
    suites = ElementTree.fromstring((tmp_path / "out" / "junit.xml").read_bytes())
    failed = {
        (case.attrib["classname"], case.attrib["name"])
        for case in suites.iter("testcase")
        if case.find("failure") is not None
    }
    assert ("irbench.folder.mine", "map50") in failed
    assert (tmp_path / "summary.md").read_text().startswith("### irbench check FAILED")


def test_a_baseline_of_other_data(made, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(made / "run", copy)
    content = orjson.loads((copy / "run.json").read_bytes())
    content["key"]["limit"] = 3
    (copy / "run.json").write_bytes(orjson.dumps(content))
    said = call(copy, "--baseline", made / "b.json", status=2)
    assert "not comparable" in said
    assert "limit: None -> 3" in said


def test_files_that_are_no_baselines(made, tmp_path):
    cut = tmp_path / "cut.json"
    cut.write_bytes((made / "b.json").read_bytes()[:700])
    assert "cut short" in call(made / "run", "--baseline", cut, status=2)
    said = call(made / "run", "--baseline", tmp_path / "none.json", status=2)
    assert f"irbench check RUN --write {tmp_path / 'none.json'}" in said
    assert "no baseline" in call(made / "run", "--baseline", made / "run" / "run.json", status=2)
    assert "no run directory" in call(tmp_path, "--baseline", made / "b.json", status=2)


def test_one_of_baseline_and_write(made):
    assert "either --baseline" in call(made / "run", status=2)
    both = ("--baseline", made / "b.json", "--write", made / "c.json")
    assert "either --baseline" in call(made / "run", *both, status=2)


def test_what_cannot_be_written(made):
    said = call(made / "run", "--write", made / "b.json" / "x.json", status=2)
    assert "cannot be written" in said
    arguments = ("--baseline", made / "b.json", "--junit", made / "b.json" / "j.xml")
    assert "cannot be written" in call(made / "run", *arguments, status=2)


def test_tolerances_and_timing_are_told_what_is_wrong(made):
    against = (made / "run", "--baseline", made / "b.json")
    assert "Did you mean" in call(*against, "--tolerance", "map51=1", status=2)
    assert "--timing-images 20" in call(*against, "--timing", status=2)
    assert "passed" in call(*against, "--tolerance", "mine.f1=0.1")
