"""The plan of a run, from what a user asks for; the command line and Python share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from irbench.calibration import read_calibrations
from irbench.dataset import Dataset
from irbench.engine.planning.choices import dataset_spec, typical_pixels
from irbench.engine.planning.plan import RunPlan, hash_key, plan_methods
from irbench.protocol import Protocol
from irbench.resources import n_cores


def plan_run(
    methods: Sequence[str],
    dataset: Dataset,
    protocol: Protocol,
    *,
    params: Mapping[str, Mapping[str, Any]] | None = None,
    plugins: tuple[str, ...] = (),
    calibration: Path | str | None = None,
    limit: int | None = None,
    jobs: int | None = None,
    timeout_s: float | None = 600.0,
    timing_images: int = 20,
    device: str = "auto",
    elsewhere: bool = False,
    command: tuple[str, ...] = (),
) -> RunPlan:
    """Decide all of a run before anything runs.

    Parameters
    ----------
    methods : sequence of str
        See :func:`irbench.engine.planning.plan.plan_methods`, as for ``params``, ``device`` and
        ``elsewhere``.
    dataset : Dataset
        Opened at the split to test on.
    protocol : Protocol
    plugins : tuple of str
        Absolute paths of plug-in files, loaded already.
    calibration : path-like, optional
        Extents and thresholds from a run directory or a file of ``irbench calibrate``, in place
        of the validation split.
    limit : int, optional
        Only so many images, from the start.
    jobs : int, optional
        Worker processes; by default as many as cores.
    timeout_s : float or None
        Seconds for one image.
    timing_images : int
        Images of each method's timing pass; 0 for none.
    command : tuple of str
        For the record.

    Raises
    ------
    UsageError
    """
    plans = plan_methods(
        methods,
        params,
        plugins,
        typical_pixels(dataset),
        dataset=dataset,
        device=device,
        elsewhere=elsewhere,
    )
    calibrations, source = None, "validation"
    if calibration is not None:
        calibrations = read_calibrations(calibration)
        chosen = {m.name: calibrations[m.name].as_dict() for m in plans if m.name in calibrations}
        source = f"{Path(calibration).name} {hash_key(chosen)}"
    return RunPlan(
        dataset=dataset_spec(dataset, plugins),
        split=dataset.split,
        protocol=protocol,
        methods=plans,
        limit=limit,
        n_jobs=jobs or n_cores(),
        timeout_s=timeout_s,
        n_timing_images=timing_images,
        calibrations=calibrations,
        calibration_source=source,
        command=command,
    )
