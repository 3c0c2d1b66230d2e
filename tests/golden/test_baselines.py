"""The project's own gate: runs of today against the committed baselines.

To accept a change, run ``irbench check RUN --write FILE`` as docs/ci-gate.md says, and say in the
changelog why the values moved.
"""

from __future__ import annotations

from pathlib import Path

from irbench.gate.baseline import read_baseline
from irbench.gate.rules import Gate
from irbench.gate.wording import sentence

BASELINES = Path(__file__).parents[2] / "baselines"


def check(name, results, methods):
    baseline = read_baseline(BASELINES / f"{name}.json")
    assert set(baseline.rows) == set(methods)
    report = Gate().check(baseline, results)
    assert report.passed, "\n".join([*map(sentence, report.failures), *report.notes])
    return report


def test_synth(run_results):
    methods = ["tophat", "maxmedian", "newtophat", "lcm", "mpcm"]
    report = check("synth", run_results(methods, "synth"), methods)
    assert report.counts["same"] >= 14 * len(methods)


def test_nudt(run_results, data_root):
    methods = ["tophat", "mpcm"]
    check("nudt", run_results(methods, "nudt", data_root, "60-20-20"), methods)
