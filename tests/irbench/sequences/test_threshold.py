"""The threshold of a wanted alarm rate, and its commands, against what was drawn."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from irbench.cli.calibrate import calibrate
from irbench.cli.detect import detect
from irbench.errors import UsageError
from irbench.scoring.calibration import read_calibrations, shipped_calibration
from irbench.sequences.threshold import alarm_threshold, check_frames


def test_it_keeps_the_rate_on_further_frames():
    rng = np.random.default_rng(0)
    outside = 0
    for _ in range(200):
        scores = rng.exponential(size=(2, 500))
        found = alarm_threshold(scores[0], 100, 0.2)
        assert (scores[0] >= found.threshold).sum() == found.n_alarms == 20
        low, high = found.interval
        # Exponential scores: exp(-t) of 5 a frame are above t.
        outside += not low <= 5 * np.exp(-found.threshold) <= high
    assert outside <= 20


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 6), max_size=60), st.integers(10, 40))
def test_it_never_keeps_more_than_wanted(scores, n_frames):
    values = np.array(scores, np.float32)
    found = alarm_threshold(values, n_frames, 1.0)
    n_kept = np.count_nonzero(values.astype(float) >= found.threshold)
    assert n_kept == found.n_alarms <= n_frames
    # One score lower would be too many.
    lower = values[values < found.threshold]
    if len(lower):
        assert np.count_nonzero(values >= lower.max()) > n_frames


@pytest.mark.parametrize(("n_frames", "rate"), [(99, 0.1), (0, 1.0), (10, 0.0), (10, np.nan)])
def test_too_few_frames_are_an_error(n_frames, rate):
    with pytest.raises(UsageError, match=r"at least 100 frames|at least 10 frames|above 0"):
        alarm_threshold(np.zeros(0), n_frames, rate)


@pytest.mark.parametrize("n_frames", [1, 7, 12, 13, 300, 1001])
def test_the_rate_that_is_named_is_enough(n_frames):
    with pytest.raises(UsageError) as refused:
        check_frames(n_frames, 1e-4)
    rate = float(str(refused.value).rpartition("at least ")[2].rstrip("."))
    check_frames(n_frames, rate)
    assert rate <= 1.1 * 10 / n_frames


@pytest.fixture
def clip(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(4)
    np.save("empty.npy", rng.normal(7000, 20, (30, 48, 64)).round().astype(np.uint16))
    np.save("again.npy", rng.normal(7000, 20, (60, 48, 64)).round().astype(np.uint16))
    return tmp_path


def call(command, *words):
    words = list(map(str, words))
    return CliRunner().invoke(command, words, catch_exceptions=False, standalone_mode=False)


def test_calibrated_on_frames_it_holds_on_others(clip):
    words = ("--methods", "tophat", "--frames", "empty.npy", "--alarms-per-frame", 1)
    done = call(calibrate, *words, "--out", "camera.json")
    assert done.return_value == 0
    assert "29 alarms on 30 frames: 0.967 a frame (95 % 0.65 to 1.4)" in done.output
    found = read_calibrations("camera.json")["tophat"]
    assert found.extent == shipped_calibration("tophat").extent
    done = call(detect, "tophat", "again.npy", "--calibration", "camera.json", "--pictures", "none")
    summary = json.loads((clip / "detections/detections.json").read_text())["summary"]
    low, high = summary["interval_95"]
    assert low < 1.5
    assert high > 0.6
    assert "camera.json, made on 30 frames of empty.npy, at 1.0 alarms a frame" in done.output
    assert "on another camera" not in done.output


def test_the_way_that_frames_were_read_goes_on_to_detection(clip):
    words = ("--methods", "tophat", "--frames", "empty.npy", "--alarms-per-frame", 1)
    done = call(calibrate, *words, "--value-range", 6000, 8000, "--out", "camera.json")
    printed = "--calibration camera.json --value-range 6000 8000"
    assert printed in done.output
    words = ("tophat", "again.npy", "--pictures", "none", *printed.split())
    assert "may be wrong by far" not in call(detect, *words).output
    assert "give --value-range 6000 8000" in call(detect, *words[:-3]).output


def test_of_many_bad_frames_the_first_are_named(clip):
    """A wrong value range makes all frames of a film bad, and printed a line for each."""
    wrong = ("--value-range", 0, 100)
    done = call(detect, "tophat", "again.npy", "--pictures", "none", *wrong)
    assert done.return_value == 1
    named = [line for line in done.output.splitlines() if line.startswith("again.npy#")]
    assert len(named) == 10
    assert "50 bad frames more: detections/frames.csv has all" in done.output
    assert (clip / "detections/frames.csv").read_text().count("must lie in value_range") == 60
    words = ("--methods", "tophat", "--frames", "empty.npy", "--alarms-per-frame", 1)
    done = call(calibrate, *words, *wrong)
    assert done.return_value == 1
    assert "20 bad frames more\n" in done.output


def test_what_does_not_go_together(clip):
    with pytest.raises(UsageError, match="needs at least 100 frames"):
        call(calibrate, "--frames", "empty.npy", "--alarms-per-frame", 0.1)
    both = ("--frames", "empty.npy", "--alarms-per-frame", 1)
    for option, value in (("--jobs", 2), ("--timeout", 5)):
        with pytest.raises(UsageError, match=f"{option} is for --dataset"):
            call(calibrate, *both, option, value)
    for words in (["--frames", "empty.npy"], ["--alarms-per-frame", 1], []):
        with pytest.raises(UsageError, match=r"--frames and --alarms-per-frame"):
            call(calibrate, *words)
