"""What is taken of what was measured, by hand; and targets where they were implanted."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from irbench.choosing.candidates import Candidate
from irbench.choosing.implants import implanted, n_found
from irbench.choosing.measuring import Measured
from irbench.choosing.verdict import judge, pareto, to_take
from irbench.cli.choose_output import deploying_commands, load_lines
from irbench.engine.jobs.specs import MethodSpec
from irbench.errors import ImageError
from irbench.ground_truth import GroundTruth


def candidate(name):
    return Candidate(name, MethodSpec(name), "score-map")


def measured(seconds, scores, centroids):
    one = Measured(seconds=[seconds] * 4, waited=[0.0] * 4, names=list("abcd"))
    one.scores = [np.array(scores, np.float32)] * 4
    one.boxes = [np.tile(np.float32([0, 0, 3, 3]), (len(scores), 1))] * 4
    centres = np.array([[10.0, 10.0], [30.0, 30.0]])
    found = np.array(centroids, float).reshape(-1, 2)
    strong = np.full(len(found), 9.0)
    one.on_implants = [(centres, found, strong)] * 4
    return one


def test_the_best_of_those_that_are_fast_enough():
    slow = judge(candidate("slow"), measured(0.1, [1, 2], [[10, 11], [30, 31]]), 0.5, None)
    fast = judge(candidate("fast"), measured(0.01, [1, 2], [[10, 11], [50, 50]]), 0.5, None)
    bad = judge(candidate("bad"), measured(0.02, [1, 2], []), 0.5, None)
    assert (slow.quality, fast.quality, bad.quality) == (1.0, 0.5, 0.0)
    assert (slow.fps, fast.fps) == (pytest.approx(10), pytest.approx(100))
    rows = [slow, fast, bad]
    assert pareto(rows) == [fast, slow]
    assert to_take(rows, 25) is fast
    assert to_take(rows, 5) is slow
    assert to_take(rows, 500) is None
    assert slow.alarms <= 0.5


def test_labels_decide_where_there_are_some():
    truths = {
        name: GroundTruth(name, (40, 40), np.float32([[0, 0, 3, 3]]), None) for name in "abcd"
    }
    row = judge(candidate("one"), measured(0.1, [2], []), 0.5, truths)
    assert row.quality == row.map50 == 1.0


def test_implants_lie_where_they_are_said_to():
    frame = np.random.default_rng(0).normal(7000, 20, (80, 90)).round().astype(np.uint16)
    worse, centres = implanted(frame, (6000, 8000), "a")
    clean = (frame - 6000.0) * 255 / 2000
    added = worse - clean
    for column, row in centres.astype(int):
        assert added[row, column] > 3 * clean.std()
    assert np.count_nonzero(np.abs(added) > 1e-3) <= 4 * 81
    assert n_found(centres, centres + 1.0, 3.0) == 4
    assert n_found(centres, np.zeros((0, 2)), 3.0) == 0


def test_a_frame_that_is_too_small_for_targets_is_refused_by_its_name():
    with pytest.raises(ImageError, match=r"tiny has 24x90 pixels.* at least 25"):
        implanted(np.zeros((24, 90), np.uint8), None, "tiny")
    _, centres = implanted(np.zeros((25, 25), np.uint8), None, "small")
    assert (centres == 12).all()


def lines(rows, shares, taken, least_fps):
    tried = [
        (row.candidate, SimpleNamespace(waited_share=share))
        for row, share in zip(rows, shares, strict=True)
    ]
    return list(load_lines(rows, tried, taken, least_fps))


def test_a_busy_machine_is_named_with_who_might_be_fast_enough():
    busy = measured(0.1, [1, 2], [[10, 11], [30, 31]])
    busy.waited = [0.08] * 4
    slowed = judge(candidate("slowed"), busy, 0.5, None)
    assert slowed.waited_share == pytest.approx(0.8)
    assert slowed.fps_undisturbed == pytest.approx(50)
    quick = judge(candidate("quick"), measured(0.01, [1, 2], []), 0.5, None)
    assert lines([slowed, quick], [0.01, 0.02], quick, 25) == []
    said, perhaps = lines([slowed, quick], [0.8, 0.0], quick, 25)
    assert "80%" in said
    assert perhaps.endswith("slowed (50.0).")
    # One that is taken already, and one that would be too slow anyway, are no news.
    assert len(lines([slowed, quick], [0.8, 0.0], slowed, 5)) == 1
    assert len(lines([slowed, quick], [0.8, 0.0], quick, 60)) == 1


def test_the_commands_that_deploy_it_load_what_was_loaded():
    row = judge(candidate("mine"), measured(0.1, [1], []), 0.5, None)
    commands = deploying_commands(row, [Path("frames")], 0.5, (0, 16383), None, [Path("my own.py")])
    assert len(commands) == 2
    for command in commands:
        words = shlex.split(command)
        assert words[words.index("--plugin") + 1] == "my own.py"
        assert words[words.index("--value-range") + 1 :][:2] == ["0", "16383"]


def test_the_commands_that_deploy_a_network_name_all_that_it_ran_with():
    network = dataclasses.replace(
        candidate("net"),
        kind="box",
        weights="nudt",
        image_size=320,
        backend="openvino",
        precision="bf16",
    )
    row = judge(network, measured(0.1, [1], []), 0.5, None)
    calibrate, detect, export = deploying_commands(row, [Path("f")], 0.5, None, None, [])
    name = network.spec.name
    params = ("weights=nudt", "backend=openvino", "precision=bf16", "image_size=320")
    assert calibrate.endswith(" ".join(f"--param {name}.{param}" for param in params))
    assert detect.endswith(
        f"--weights nudt --backend openvino --precision bf16 --param {name}.image_size=320"
    )
    assert "--weights nudt --imgsz 320 --format model" in export
