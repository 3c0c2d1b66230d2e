"""What running a method came to, and the row of the results that this makes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from irbench.engine.jobs.networks import NetworkFacts
from irbench.engine.planning.plan import MethodPlan, RunPlan
from irbench.engine.storage.image_records import StageTimes, TimingOutcome
from irbench.engine.storage.results import Row
from irbench.errors import IrbenchError
from irbench.metrics.pixel_roc import auc_resolution
from irbench.networks.training_leaks import unknown_training
from irbench.scoring.calibration import Calibration, threshold_as_json
from irbench.scoring.scored_output import Result

_NO_NETWORK = {
    "params": "a method without learned parameters",
    "flops": "a method without a network",
}


class MethodFailedError(IrbenchError):
    """A method that failed on every image that it was given, or before the first."""


@dataclass
class MethodOutcome:
    """What is known of a method after its run.

    Attributes
    ----------
    calibration : Calibration
    errors : dict of str to str
        Failed images of the tested split, and why.
    timing : TimingOutcome or None
    network : NetworkFacts or None
        Of methods with one.
    """

    calibration: Calibration
    errors: dict[str, str] = field(default_factory=dict)
    timing: TimingOutcome | None = None
    network: NetworkFacts | None = None


def state_of(outcome: MethodOutcome) -> str:
    """``done``, or ``partial`` where images failed, also those it was calibrated on."""
    return "partial" if _failures(outcome) else "done"


def finished_row(
    plan: RunPlan,
    method: MethodPlan,
    outcome: MethodOutcome,
    result: Result,
    dataset_title: str,
) -> Row:
    """The row of a method that is done, or partial."""
    return {
        **_identity(plan, method, dataset_title),
        "state": state_of(outcome),
        "reason": _failures(outcome),
        **{name: _finite(value) for name, value in result.values.items()},
        **_map_fields(result),
        **_network_fields(outcome),
        **timing_fields([] if outcome.timing is None else list(outcome.timing.times.values())),
        "peak_memory": None if outcome.timing is None else outcome.timing.peak_memory_bytes,
        "waited_share": None if outcome.timing is None else outcome.timing.waited_share,
        "threshold": threshold_as_json(result.threshold),
        "operating_point": plan.protocol.operating_point,
        "extent": outcome.calibration.extent,
        "calibration": outcome.calibration.source,
        "conversion": method.facts(plan.protocol)["conversion"],
        "n_images": result.n_images,
        "n_targets": result.n_targets,
        "n_failed": len(outcome.errors),
        **_validation_fields(outcome.calibration),
        "undefined": {**result.undefined, **(_NO_NETWORK if outcome.network is None else {})},
        **({"failed_metrics": list(result.failed)} if result.failed else {}),
    }


def unfinished_row(
    plan: RunPlan, method: MethodPlan, state: str, reason: str, dataset_title: str
) -> Row:
    """The row of a method without results: failed, interrupted or skipped."""
    return {**_identity(plan, method, dataset_title), "state": state, "reason": reason}


def timing_fields(times: Sequence[StageTimes]) -> Row:
    """Median and quartiles of the time per image, end to end and by stage, in milliseconds."""
    if not times:
        return {"fps": None, "ms_median": None, "ms_lower": None, "ms_upper": None, "ms_stages": {}}
    stages = np.array([[one.pre_ms, one.compute_ms, one.post_ms] for one in times])
    totals = stages.sum(axis=1)
    lower, median, upper = np.quantile(totals, [0.25, 0.5, 0.75])
    by_stage = np.median(stages, axis=0)
    return {
        "fps": 1e3 / float(totals.mean()),
        "ms_median": float(median),
        "ms_lower": float(lower),
        "ms_upper": float(upper),
        "ms_stages": dict(zip(("pre", "compute", "post"), by_stage.tolist(), strict=True)),
    }


def _identity(plan: RunPlan, method: MethodPlan, dataset_title: str) -> Row:
    info = method.info
    return {
        "method": info.name,
        "title": info.title,
        "group": info.group,
        "year": info.year,
        "kind": method.kind,
        "note": "; ".join(filter(None, (info.note, _untrained(method), _unknown(method)))),
        "dataset": plan.dataset.name,
        "dataset_title": dataset_title,
        "split": plan.split,
        "scheme": plan.dataset.scheme,
        "method_params": method.params,
        **({} if method.network is None else method.network.identity()),
    }


def _untrained(method: MethodPlan) -> str:
    network = method.network
    if network is None or network.obstacle is not None or network.weights is not None:
        return ""
    return "untrained" if method.info.trainable else ""


def _unknown(method: MethodPlan) -> str:
    """What cannot be said of a leak, since nobody knows what the weights have seen."""
    network = method.network
    return "" if network is None or network.weights is None else unknown_training(network.weights)


def _network_fields(outcome: MethodOutcome) -> Row:
    facts = outcome.network
    if facts is None:
        return {"params": None, "flops": None}
    return {**asdict(facts), "input_size": [facts.input_size, facts.input_size]}


def _map_fields(result: Result) -> Row:
    """How far the metrics of score maps can be trusted: ties, and targets without a gain."""
    counts = result.counts.maps
    if counts is None:
        return {}
    return {
        "auc_resolution": auc_resolution(counts.roc).value,
        "gain_counts": {name: counts.gains.counts(name) for name in ("scrg", "bsf", "cg")},
    }


def _validation_fields(calibration: Calibration) -> Row:
    """How many validation images failed, where any did, wherever that was."""
    if not calibration.n_failed:
        return {}
    counts = (calibration.n_failed, calibration.n_images)
    return dict(zip(("n_failed_validation", "n_validation"), counts, strict=True))


def _failures(outcome: MethodOutcome) -> str:
    said = []
    if outcome.errors:
        image, error = next(iter(sorted(outcome.errors.items())))
        said.append(
            f"{len(outcome.errors)} images failed and count as without detections, such as "
            f"{image}: {error}"
        )
    # A failure in another run is that run's.
    if outcome.calibration.source == "validation" and outcome.calibration.n_failed:
        said.append(outcome.calibration.failures)
    return "; ".join(reversed(said))


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
