"""Extent and threshold of a method that are not chosen on the images of its run."""

from __future__ import annotations

import dataclasses

from irbench.conversion.dispatch import uses_extent
from irbench.detector import DEFAULT_EXTENT
from irbench.engine.planning.plan import MethodPlan, RunPlan
from irbench.messages.progress import Progress
from irbench.scoring.calibration import Calibration, shipped_calibration


def given_calibration(plan: RunPlan, method: MethodPlan, progress: Progress) -> Calibration:
    """The calibration that a plan states, or that ships with a method or its weights.

    Parameters
    ----------
    plan : RunPlan
    method : MethodPlan
    progress : Progress
        Warned where a threshold decides that was made on other data.

    Returns
    -------
    Calibration
        With an extent where the conversion has one; without a threshold where there is none.
    """
    if not plan.protocol.calibrates:
        return Calibration(None, None, "none")
    extent = uses_extent(method.kind, plan.protocol)
    if plan.calibrations is not None and method.name in plan.calibrations:
        return _fitted(plan.calibrations[method.name], extent)
    network = method.network
    shipped = shipped_calibration(method.name) if network is None else network.calibration
    if shipped is not None and _is_foreign(plan, shipped):
        progress.warn(
            f"{method.info.title}: its threshold was made on {shipped.made_on}, and may keep far "
            "too much or nothing here; make one by `irbench calibrate` with --dataset, or with "
            "--frames where there are no labels, and give it by --calibration."
        )
    return _fitted(shipped or Calibration(None, None, "none"), extent)


def _is_foreign(plan: RunPlan, shipped: Calibration) -> bool:
    """Whether a threshold that ships with a method decides here, though of other data."""
    decides = plan.protocol.operating_point == "val-f1" and shipped.source == "shipped"
    return decides and not shipped.made_on.startswith(f"{plan.dataset.name} ")


def _fitted(calibration: Calibration, uses_extent: bool) -> Calibration:
    """A calibration from elsewhere, with an extent where the conversion needs one."""
    extent = None
    if uses_extent:
        extent = DEFAULT_EXTENT if calibration.extent is None else calibration.extent
    return dataclasses.replace(calibration, extent=extent, map50=None, f1=None)
