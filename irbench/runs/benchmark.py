"""``irbench.run``: the benchmark from Python, as ``irbench run`` makes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from irbench.conventions import Conventions
from irbench.dataset import Dataset
from irbench.engine.executors.executor import Executor
from irbench.engine.planning.request import RunRequest
from irbench.engine.run.runner import prepare_run
from irbench.messages.progress import Progress, terminal_progress
from irbench.protocol import Protocol
from irbench.runs.loaded_run import Run


def run(
    methods: str | Iterable[str],
    dataset: str | Dataset,
    *,
    split: str | None = None,
    protocol: str | Protocol = "table1",
    params: Mapping[str, Mapping[str, Any]] | None = None,
    out: Path | str | None = None,
    jobs: int | None = None,
    data_root: Path | str | None = None,
    scheme: str | None = None,
    conventions: Conventions | None = None,
    plugins: Iterable[Path | str] = (),
    calibration: Path | str | None = None,
    limit: int | None = None,
    timeout_s: float | None = 600.0,
    timing_images: int = 20,
    time_again: bool = False,
    device: str = "auto",
    backend: str | None = None,
    precision: str | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run detectors over a dataset and score them; what was done already is not done again.

    Images are processed by other processes, which import the script that calls this: in a script
    the call belongs under ``if __name__ == "__main__":``.

    Parameters
    ----------
    methods : str or iterable of str
        Names of methods, or ``"all"``, ``"classical"``, ``"deep"``, ``"extended"``.
    dataset : str or Dataset
        A name, a directory of images, or what :func:`irbench.load_dataset` returns.
    split : str, optional
        To test on; by default ``"test"``, or that of the opened dataset.
    protocol : str or Protocol
        ``"table1"``, ``"basicirstd"``, or one of your own.
    params : mapping of str to mapping, optional
        Values by method and parameter, such as ``{"tophat": {"size": 9}}``.
    out : path-like, optional
        Run directory; by default ``runs/DATASET``. A run that was stopped is resumed there.
    jobs : int, optional
        Worker processes; by default as many as cores.
    data_root : path-like, optional
        Where the datasets are; by default ``IRBENCH_DATA``.
    scheme : str, optional
        Split scheme; by default the protocol's.
    conventions : Conventions, optional
        Of a directory of images: layout, value range and the like.
    plugins : iterable of path-like
        Files with methods or datasets of your own.
    calibration : path-like, optional
        Extents and thresholds from another run, or a file of ``irbench calibrate``.
    limit : int, optional
        Test on the first so many images only.
    timeout_s : float or None
        Seconds for one image; longer counts as failed.
    timing_images : int
        Images of the timing pass of each method; 0 for none. Methods that are done already and
        were not timed are timed.
    time_again : bool
        Time methods that are done and timed once more, such as on a machine that is idle now.
    device : {"auto", "cpu", "cuda", "cuda:N"}
        Where networks compute.
    backend, precision : str, optional
        What computes the networks that return boxes: ``"torch"``, ``"onnxruntime"`` or
        ``"openvino"``, in ``"fp32"``, ``"bf16"`` or ``"int8"``.
    executor : Executor, optional
        What runs the jobs; by default ``jobs`` processes on this machine.
    progress : Progress, optional
        By default bars on a terminal, lines elsewhere; ``Progress()`` is silent.

    Returns
    -------
    Run
        As :func:`irbench.load_run` returns it. A method that failed or was skipped is a row with
        its reason: see ``state`` and ``reason`` of ``Run.source.rows``.

    Raises
    ------
    UsageError
        For arguments that cannot be used, or a directory with another run.
    WriteError
        If the disk is full; the same call resumes once there is room.

    Examples
    --------
    >>> import irbench
    >>> done = irbench.run(["tophat"], "synth", out="runs/synth")  # doctest: +SKIP
    >>> done.results[["title", "f1", "fa"]]  # doctest: +SKIP
    """
    request = RunRequest(
        methods=(methods,) if isinstance(methods, str) else tuple(methods),
        dataset=dataset,
        split=split,
        data_root=data_root,
        scheme=scheme,
        conventions=conventions,
        protocol=protocol,
        params=params,
        plugins=plugins,
        calibration=calibration,
        limit=limit,
        jobs=jobs,
        timeout_s=timeout_s,
        timing_images=timing_images,
        time_again=time_again,
        device=device,
        backend=backend,
        precision=precision,
        out=out,
        command=("irbench.run",),
    )
    shown = terminal_progress() if progress is None else progress
    return Run(prepare_run(request, shown, executor=executor).execute())
