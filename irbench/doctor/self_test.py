"""A few seconds of real work with a known end: a run of Top-Hat, and a network."""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from irbench.doctor.diagnosis import Diagnosis
from irbench.doctor.isolation import run_isolated
from irbench.extras import DEEP, missing_packages

CLASSICAL = "tophat"
NETWORK = "yolov8n"

N_IMAGES = 3

EXPECTED: dict[str, dict[str, float]] = {
    CLASSICAL: {"n_detections": 772, "f1": 1 / 3, "map50": 0.4673267326732674, "pd": 1 / 3},
    NETWORK: {"best_score": 0.6180},
}
"""What the two find, and how well; the network's scores may differ by :data:`TOLERANCE`."""

TOLERANCE = {CLASSICAL: 1e-6, NETWORK: 0.02}

_PROGRAM = "from irbench.doctor.self_test import main; main()"


def check_self_test() -> Iterator[Diagnosis]:
    """Run both, each in a process of its own, and compare with what they must find."""
    names = [CLASSICAL]
    if not missing_packages(*DEEP):
        names.append(NETWORK)
    for name in names:
        start = time.monotonic()
        isolated = run_isolated(_PROGRAM, name)
        seconds = time.monotonic() - start
        if isolated.trouble or not isolated.records:
            why = isolated.trouble or "no output"
            text = f"{name} on synth does not work: {why}"
            advice = f"irbench run --methods {name} --dataset synth --limit 3 shows more"
            yield Diagnosis("self-test", "broken", text, advice)
        else:
            yield judge(name, isolated.records[-1], seconds)


def judge(name: str, found: Mapping[str, float], seconds: float) -> Diagnosis:
    """Whether a result is the one that it must be."""
    wrong = [
        f"{key} is {found.get(key)}, not {value}"
        for key, value in EXPECTED[name].items()
        if key not in found or not math.isclose(found[key], value, abs_tol=TOLERANCE[name])
    ]
    if wrong:
        return Diagnosis(
            "self-test",
            "broken",
            f"{name} on synth gives other numbers than it must: {'; '.join(wrong)}",
            "compare the libraries' versions with constraints.txt, and report it to the developers",
        )
    return Diagnosis("self-test", "ok", f"{name} on synth is as it must be, in {seconds:.0f} s")


def main() -> None:
    """In the other process: run what ``sys.argv`` names, and print what it found."""
    import sys

    tests: dict[str, Callable[[], dict[str, Any]]] = {CLASSICAL: run_engine, NETWORK: run_network}
    sys.stdout.write(json.dumps(tests[sys.argv[1]]()) + "\n")


def run_engine() -> dict[str, float]:
    """A whole run of the classical method: workers, conversion, files, scores."""
    from irbench.engine.jobs.specs import DatasetSpec
    from irbench.engine.planning.plan import RunPlan, plan_methods
    from irbench.engine.run.runner import Runner
    from irbench.engine.storage.directory import RunDirectory
    from irbench.protocol import get_protocol
    from irbench.scoring.calibration import Calibration

    plan = RunPlan(
        dataset=DatasetSpec("synth", None, None),
        split="test",
        protocol=get_protocol("table1"),
        methods=plan_methods([CLASSICAL], {}),
        limit=N_IMAGES,
        n_jobs=1,
        n_timing_images=0,
        # Given, so that no validation images have to be run.
        calibrations={CLASSICAL: Calibration(0.5, 10.0, "self-test")},
        calibration_source="self-test",
    )
    with tempfile.TemporaryDirectory(prefix="irbench-doctor-") as folder:
        results = Runner(plan, RunDirectory(Path(folder) / "run")).execute()
        (row,) = results.rows
        if row["state"] != "done":
            raise RuntimeError(f"{row['state']}: {row['reason']}")
        n_detections = sum(map(len, results.detections(CLASSICAL).values()))
    return {"n_detections": n_detections, **{name: row[name] for name in ("f1", "map50", "pd")}}


def run_network() -> dict[str, float]:
    """The network with its shipped weights, on the device that it would run on."""
    from irbench.networks.detector import NetworkDetector
    from irbench.networks.devices import resolve_device
    from irbench.plugins.registry import load_dataset, load_method

    detector = load_method(NETWORK, weights="nudt")
    assert isinstance(detector, NetworkDetector)
    detector.to(resolve_device("auto"))
    found = detector.detect(load_dataset("synth")[0].image)
    return {"best_score": float(found.scores.max()) if len(found) else 0.0}
