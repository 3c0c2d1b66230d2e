"""What a worker of a dask cluster does: a batch of jobs, in a process of its own.

The jobs run in a child of the dask worker and not in it, as on a single machine: a job that
crashes or hangs costs the child alone, a job that holds Python's lock does not keep the
worker from responding to the scheduler, and a model that was loaded stays loaded.
"""

from __future__ import annotations

import multiprocessing
import platform
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic

from irbench import __version__
from irbench.engine.executors.executor import ExecutorError, Job, Outcome, Returned
from irbench.engine.executors.worker_pool import WorkerPool
from irbench.engine.jobs.specs import DatasetSpec, ImageJob, MethodSpec, TimingJob
from irbench.errors import IrbenchError

FORGOTTEN_S = 600.0
"""After so many seconds without a batch, the children of another run are ended: its command
was killed, or lost the cluster, and will not release them. If it lives, it gets new ones."""

_lock = threading.Lock()
_idle: dict[str, list[tuple[float, WorkerPool]]] = {}
"""By run, children that wait for the next batch, and since when (:func:`time.monotonic`); a
worker with N threads has at most N."""
_ended: set[str] = set()


@dataclass(frozen=True)
class Task(Generic[Job, Returned]):
    """A batch of jobs.

    Attributes
    ----------
    run : str
        Tells apart the runs that use a cluster at the same time.
    version : str
        Of the irbench that sends it.
    function : callable
    jobs : sequence
    timeout_s : float or None
        For one job.
    alone : bool
        Whether to use a fresh child, and end it afterwards.
    """

    run: str
    version: str
    function: Callable[[Job], Returned]
    jobs: Sequence[Job]
    timeout_s: float | None
    alone: bool = False


def run_task(task: Task[Job, Returned]) -> list[Outcome[Job, Returned]]:
    """Run a batch in a child of this process.

    Raises
    ------
    ExecutorError
        If this machine lacks what the jobs need.
    """
    check_machine(task.jobs[0], task.version, _here())
    # A dask worker is a daemon, for which Python forbids children that it might leave behind;
    # these end with it by themselves (see irbench.engine.executors.worker_loop.work).
    multiprocessing.current_process().daemon = False
    end_forgotten(task.run)
    if task.alone:
        with WorkerPool(1, task.timeout_s, fresh=True) as child:
            return list(child.run(task.function, task.jobs))
    with _child(task.run, task.timeout_s) as child:
        return list(child.run(task.function, task.jobs))


def _here() -> str:
    """The worker, as a person finds it."""
    from distributed import get_worker

    return f"the dask worker {get_worker().address} on {platform.node()}"


def release(run: str) -> None:
    """End the children of a run that is over."""
    with _lock:
        _ended.add(run)
        children = _idle.pop(run, [])
    for _, child in children:
        child.__exit__(None, None, None)


def end_forgotten(run: str) -> None:
    """End the children of other runs than this one that have waited for too long."""
    oldest = time.monotonic() - FORGOTTEN_S
    forgotten: list[WorkerPool] = []
    with _lock:
        for other, children in _idle.items():
            if other != run:
                forgotten += [child for since, child in children if since < oldest]
                children[:] = [(since, child) for since, child in children if since >= oldest]
    for child in forgotten:
        child.__exit__(None, None, None)


@contextmanager
def _child(run: str, timeout_s: float | None) -> Iterator[WorkerPool]:
    with _lock:
        children = _idle.setdefault(run, [])
        # The one used last: it has the model, and of GPU jobs there is one at a time.
        child = children.pop()[1] if children else None
    if child is None:
        child = WorkerPool(1, timeout_s).__enter__()
    try:
        yield child
    except BaseException as error:
        child.__exit__(type(error), error, error.__traceback__)
        raise
    with _lock:
        over = run in _ended
        if not over:
            _idle.setdefault(run, []).append((time.monotonic(), child))
    if over:
        child.__exit__(None, None, None)


def check_machine(job: Any, version: str, here: str) -> None:
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
