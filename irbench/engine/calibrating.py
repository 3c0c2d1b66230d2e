"""Calibration alone: the validation part of a run, kept as one JSON file."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from irbench.calibration import Calibration
from irbench.engine.atomic import write_json
from irbench.engine.directory import RunDirectory
from irbench.engine.method_run import MethodRun
from irbench.engine.plan import MethodPlan, RunPlan
from irbench.engine.pool import WorkerPool
from irbench.engine.scan import SplitScan, scan_split
from irbench.errors import MissingValidationError, UsageError
from irbench.events import Events
from irbench.networks.leaks import leak_reason
from irbench.progress import Progress


def calibrate_methods(
    plan: RunPlan, out: Path, progress: Progress, events: Events | None = None
) -> dict[str, Calibration]:
    """Calibrate the methods of a plan on its split and write the file.

    Parameters
    ----------
    plan : RunPlan
        Its ``split`` is the validation split.
    out : Path
        JSON; methods in it already, and not in the plan, are kept.
    progress : Progress
    events : Events, optional

    Returns
    -------
    dict of str to Calibration
        Without the methods that cannot run, or that were trained on these images.

    Raises
    ------
    MissingValidationError
        If no image of the split can be read.
    """
    known = _read(out)
    dataset = plan.dataset.open(plan.split)
    with progress.track(f"reading {dataset.info.title}", len(dataset)) as advance:
        scan = scan_split(dataset, None, advance)
    if not scan.truths:
        raise MissingValidationError(f"{plan.dataset.name} has no readable validation image.")
    found: dict[str, Calibration] = {}
    with tempfile.TemporaryDirectory() as folder, WorkerPool(plan.n_jobs, plan.timeout_s) as pool:
        for method in plan.methods:
            if stopped := _stopped(method, plan, scan):
                progress.warn(f"{method.info.title}: {stopped}")
                continue
            run = MethodRun(plan, method, RunDirectory(folder), {"val": scan}, progress, events)
            found[method.name] = run.calibrate(pool, {"manifest": scan.hash})
    measured_on = {
        "dataset": plan.dataset.name,
        "scheme": dataset.scheme,
        "split": plan.split,
        "manifest": scan.hash,
        "n_images": len(scan.truths),
    }
    known.update({name: {**one.as_dict(), "on": measured_on} for name, one in found.items()})
    write_json(out, {"methods": dict(sorted(known.items()))})
    return found


def _stopped(method: MethodPlan, plan: RunPlan, scan: SplitScan) -> str:
    """Why a method is not calibrated; empty if it is."""
    network = method.network
    if network is None:
        return ""
    if network.obstacle is not None:
        return f"{network.obstacle.state}: {network.obstacle.reason}"
    leak = ""
    if network.weights is not None:
        leak = leak_reason(network.weights, plan.dataset.name, {}, scan.digests)
    return leak and f"skipped: {leak}"


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        methods = json.loads(path.read_text())["methods"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"--out {path} is no calibration file ({error}); name another.") from None
    return dict(methods)
