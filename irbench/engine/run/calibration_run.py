"""Calibration alone: the validation part of a run, kept as one JSON file."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from irbench.atomic import write_json
from irbench.conventions import Conventions
from irbench.engine.executors.executor import ExecutorError
from irbench.engine.executors.worker_pool import WorkerPool
from irbench.engine.planning.plan import MethodPlan, RunPlan
from irbench.engine.run.method_run import MethodRun
from irbench.engine.run.split_scan import SplitScan, scan_split
from irbench.engine.storage.directory import RunDirectory
from irbench.errors import IrbenchError, MissingValidationError, UsageError, WriteError
from irbench.json_fields import parse_json
from irbench.messages.events import Events
from irbench.messages.progress import Progress
from irbench.networks.training_leaks import leak_reason
from irbench.scoring.calibration import Calibration
from irbench.scoring.calibration_settings import SETTINGS_FIELD


@dataclass
class Calibrated:
    """What came of calibrating methods.

    Attributes
    ----------
    found : dict of str to Calibration
        Without the methods that failed, cannot run, or were trained on these images.
    failed : dict of str to str
        The methods that failed, and why.
    """

    found: dict[str, Calibration] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def calibrate_methods(
    plan: RunPlan, out: Path, progress: Progress, events: Events | None = None
) -> Calibrated:
    """Calibrate the methods of a plan on its split, each isolated from the failure of the others.

    Parameters
    ----------
    plan : RunPlan
        Its ``split`` is the validation split.
    out : Path
        JSON, written after each method, so that what ends the command costs the method in
        work alone. Calibrations in it already are kept where they are not replaced.
    progress : Progress
    events : Events, optional

    Returns
    -------
    Calibrated

    Raises
    ------
    MissingValidationError
        If no image of the split can be read.
    WriteError, ExecutorError
        If no method can be run; no fault of one.
    """
    known = read_calibration_file(out)
    dataset = plan.dataset.open(plan.split)
    with progress.track(f"reading {dataset.info.title}", len(dataset)) as advance:
        scan = scan_split(dataset, None, advance, plan.protocol.squash)
    if not scan.truths:
        raise MissingValidationError(f"{plan.dataset.name} has no readable validation image.")
    measured_on = {
        "dataset": plan.dataset.name,
        "scheme": dataset.scheme,
        "split": plan.split,
        "manifest": scan.hash,
        "n_images": len(scan.truths),
        **_reading(plan.dataset.conventions),
    }
    done = Calibrated()
    with tempfile.TemporaryDirectory() as folder, WorkerPool(plan.n_jobs, plan.timeout_s) as pool:
        for method in plan.methods:
            state, reason = _stopped(method, plan, scan)
            if not state:
                directory = RunDirectory(folder)
                run = MethodRun(plan, method, directory, {"val": scan}, progress, events)
                try:
                    done.found[method.name] = run.calibrate(pool, {"manifest": scan.hash})
                except (WriteError, ExecutorError):
                    raise
                except IrbenchError as error:
                    state, reason = "failed", str(error)
            if state:
                progress.warn(f"{method.info.title}: {state}: {reason}")
                if state == "failed":
                    done.failed[method.name] = reason
                continue
            known[method.name] = {
                **done.found[method.name].as_dict(),
                "on": measured_on,
                SETTINGS_FIELD: method.settings.as_dict(),
            }
            write_json(out, {"methods": dict(sorted(known.items()))})
    return done


def _reading(conventions: Conventions) -> dict[str, Any]:
    """What was stated of how images are read."""
    stated = conventions.as_dict()
    names = ("value_range", "range_rule", "dead_pixels")
    return {name: stated[name] for name in names if name in stated}


def _stopped(method: MethodPlan, plan: RunPlan, scan: SplitScan) -> tuple[str, str]:
    """The state of a method that is not calibrated, and why; empty if it is."""
    network = method.network
    if network is None:
        return "", ""
    if network.obstacle is not None:
        return network.obstacle.state, network.obstacle.reason
    leak = ""
    if network.weights is not None:
        leak = leak_reason(network.weights, plan.dataset.name, {}, scan.digests)
    return ("skipped", leak) if leak else ("", "")


def read_calibration_file(path: Path) -> dict[str, Any]:
    """The calibrations in a file, by method; none where it does not exist yet."""
    if not path.exists():
        return {}
    try:
        methods = parse_json(path.read_bytes())["methods"]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise UsageError(f"--out {path} is no calibration file ({error}); name another.") from None
    return dict(methods)
