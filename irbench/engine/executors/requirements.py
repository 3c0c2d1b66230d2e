"""Whether a machine has what a job needs: the code, the data, the weights, by their paths."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from irbench import __version__
from irbench.engine.executors.executor import ExecutorError
from irbench.engine.jobs.specs import DatasetSpec, ImageJob, MethodSpec, TimingJob
from irbench.errors import IrbenchError


def check_place(job: Any, version: str, here: str) -> None:
    """Refuse to begin where something is missing; without that, every image would fail.

    Parameters
    ----------
    job : ImageJob, TimingJob or MethodSpec
    version : str
        Of the irbench that sent it.
    here : str
        What this place is called in the error.

    Raises
    ------
    ExecutorError
        Naming the place, what it lacks, and what to do.
    """
    if version != __version__:
        raise ExecutorError(
            f"{here} has irbench {__version__}, the run was begun by {version}; "
            "install the same version on every worker."
        )
    if isinstance(job, MethodSpec):
        _check_method(job, here)
        return
    _check_method(job.method, here)
    if isinstance(job, ImageJob | TimingJob):
        _check_dataset(job.dataset, job.split, here)


@lru_cache(maxsize=16)
def _check_method(method: MethodSpec, here: str) -> None:
    files = [("the plug-in", path) for path in method.plugins]
    weights = dict(method.params).get("weights")
    if method.weights_sha256 is not None and weights is not None:
        files.append(("the weights", weights))
    for what, path in files:
        if not Path(path).is_file():
            raise ExecutorError(
                f"{here} does not find {what} {path}; every worker must see it under "
                "the same path, such as on a shared disk."
            )


@lru_cache(maxsize=16)
def _check_dataset(spec: DatasetSpec, split: str, here: str) -> None:
    try:
        dataset = spec.open(split)
        for sample_id in {dataset.ids[0], dataset.ids[-1]} if dataset.ids else ():
            dataset.load(sample_id)
    except (IrbenchError, OSError) as error:
        where = "" if spec.root is None else f" under {spec.root}"
        raise ExecutorError(
            f"{here} does not find the dataset {spec.name}{where}; every worker must "
            f"see it under the same path, such as on a shared disk ({error})"
        ) from None
