"""The local signal-to-clutter ratio of the targets of a run, whose images lie elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from irbench.conventions import Conventions
from irbench.data.manifest import UNUSABLE
from irbench.dataset import Dataset
from irbench.errors import IrbenchError
from irbench.ground_truth import GroundTruth
from irbench.messages.progress import Progress
from irbench.metrics.signal_to_clutter import signal_to_clutter
from irbench.plugins.registry import load_dataset

if TYPE_CHECKING:
    from irbench.engine.storage.results import RunResults


def open_run_dataset(run: dict[str, Any]) -> tuple[Dataset | None, str]:
    """The dataset that a run was made on: where the run found it, or where it lies here.

    Parameters
    ----------
    run : dict
        Content of ``run.json``.

    Returns
    -------
    dataset : Dataset or None
    reason : str
        Why there is none, as a clause.
    """
    if "data_root" not in run:
        return None, "run.json does not say where the images are"
    facts = run["dataset"]
    root = run["data_root"]
    candidates = [(facts["name"], root), (facts["name"], None)]
    if facts["name"] == "folder" and root is not None:
        candidates = [(root, root)]
    scheme, reason = facts.get("scheme") or None, ""
    for name, folder in candidates:
        try:
            stated = Conventions.from_dict(facts.get("conventions") or {})
            return load_dataset(name, folder, facts["split"], scheme, stated), ""
        except (IrbenchError, OSError) as error:
            reason = reason or str(error).rstrip(".")
    return None, f"the images of the run are not here: {reason}"


def open_dataset_of(runs: Iterable[RunResults]) -> tuple[Dataset | None, str]:
    """The dataset of the first of several runs whose images are here; else why the last has none.

    Returns
    -------
    dataset : Dataset or None
    reason : str
        As of :func:`open_run_dataset`.
    """
    reason = ""
    for run in runs:
        dataset, reason = open_run_dataset(run.run)
        if dataset is not None:
            return dataset, ""
    return None, reason


_measured: WeakKeyDictionary[RunResults, NDArray[np.float64]] = WeakKeyDictionary()
"""By run, what was measured while its images were read for something else."""


def keep_target_scr(runs: Sequence[RunResults], scr: NDArray[np.float64]) -> None:
    """Keep the ratios of all targets of runs on the same images, for :func:`kept_target_scr`.

    Parameters
    ----------
    runs : sequence of RunResults
    scr : (n_targets,) ndarray of float64
        Of images that have the size and the targets of the run.
    """
    for run in runs:
        _measured[run] = scr


def kept_target_scr(runs: Sequence[RunResults]) -> NDArray[np.float64] | None:
    """The ratios that were measured before in this process; None where none were."""
    return next((_measured[run] for run in runs if run in _measured), None)


def read_target_scr(
    dataset: Dataset, truths: Sequence[GroundTruth], progress: Progress | None = None
) -> tuple[NDArray[np.float64] | None, str]:
    """Read the images and measure every target.

    Parameters
    ----------
    dataset : Dataset
    truths : sequence of GroundTruth
        Of the run.
    progress : Progress, optional

    Returns
    -------
    scr : (n_targets,) ndarray of float64, or None
        NaN where undefined; see :mod:`irbench.metrics.signal_to_clutter`.
    reason : str
        Why it is None, as a clause: no masks, an image that cannot be read, or other targets
        than the run's.
    """
    if any(truth.targets is None for truth in truths):
        return None, "the data has boxes only"
    found = [np.zeros(0)]
    with (progress or Progress()).track("Reading images", len(truths)) as advance:
        for truth in truths:
            try:
                sample = dataset.load(truth.id)
            except (*UNUSABLE, IrbenchError, OSError, KeyError) as error:
                return None, f"{truth.id} cannot be read: {error}"
            if sample.targets is None or not np.array_equal(sample.boxes, truth.boxes):
                return None, f"{truth.id} on disk has other targets than in the run"
            found.append(signal_to_clutter(sample.image, sample.targets))
            advance()
    return np.concatenate(found), ""
