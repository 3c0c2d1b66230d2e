"""Calibrating many methods: what one of them costs the others."""

from __future__ import annotations

import dataclasses
import errno
import json

import click
import pytest
from click.testing import CliRunner

from irbench.cli.calibrate import calibrate
from irbench.engine.executors.executor import ExecutorError
from irbench.engine.run.method_outcome import MethodFailedError
from irbench.engine.run.method_run import MethodRun
from irbench.errors import WriteError
from irbench.scoring.calibration import Calibration, read_calibrations

METHODS = ("tophat", "maxmedian", "newtophat")


@pytest.fixture
def answers(monkeypatch):
    """By method, what calibrating it comes to, instead of running it; an error is raised."""
    found = {
        name: Calibration(0.2, 3.0 + index, "validation", 0.5, 0.6)
        for index, name in enumerate(METHODS)
    }

    def answer(run, pool, key):
        one = found[run.method.name]
        if isinstance(one, BaseException):
            raise one
        return one

    monkeypatch.setattr(MethodRun, "calibrate", answer)
    return found


@pytest.fixture
def out(tmp_path):
    return tmp_path / "calibration.json"


def call(out, methods=METHODS):
    words = ["--dataset", "synth", "--methods", ",".join(methods), "--out", str(out)]
    return CliRunner().invoke(calibrate, words, catch_exceptions=False, standalone_mode=False)


def thresholds(out):
    return {name: one.threshold for name, one in read_calibrations(out).items()}


def test_failed_validation_images_are_reported_and_kept(answers, out):
    failing = dataclasses.replace(answers["tophat"], n_images=50, n_failed=8)
    answers["tophat"] = failing
    done = call(out)
    assert done.return_value == 1
    assert "tophat: 8 of 50 validation images failed" in done.output
    assert read_calibrations(out)["tophat"].failures == failing.failures
    assert read_calibrations(out)["newtophat"].failures == ""


def test_a_method_that_fails_costs_no_other(answers, out):
    answers["maxmedian"] = MethodFailedError("failed on 10 of 10 images: why")
    done = call(out)
    assert done.return_value == 1
    assert "failed: failed on 10 of 10 images: why" in done.output
    assert "tophat       extent 0.2  threshold 3 " in done.output
    assert thresholds(out) == {"tophat": 3.0, "newtophat": 5.0}
    # Once it works it joins them; and what the file holds of it outlives that it fails again.
    answers["maxmedian"] = Calibration(0.5, 7.0, "validation")
    assert call(out, ["maxmedian"]).return_value == 0
    answers["maxmedian"] = MethodFailedError("why")
    before = out.read_bytes()
    done = call(out, ["maxmedian"])
    assert (done.return_value, out.read_bytes()) == (1, before)
    assert "nothing was calibrated" in done.output
    assert thresholds(out) == {"tophat": 3.0, "newtophat": 5.0, "maxmedian": 7.0}


@pytest.mark.parametrize(
    "error",
    [
        WriteError("journal", OSError(errno.ENOSPC, "full")),
        ExecutorError("the cluster is gone"),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_ends_it_costs_no_method_that_is_done(answers, out, error):
    answers["maxmedian"] = error
    with pytest.raises((type(error), click.Abort)):
        call(out)
    assert thresholds(out) == {"tophat": 3.0}
    on = json.loads(out.read_text())["methods"]["tophat"]["on"]
    assert (on["dataset"], on["split"], on["n_images"]) == ("synth", "val", 50)
