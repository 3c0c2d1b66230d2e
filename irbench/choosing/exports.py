"""Networks exported once, before anything is timed, for the backends that read exported files."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from irbench.choosing.candidates import Candidate
from irbench.engine.executors.worker_pool import WorkerPool
from irbench.engine.jobs.networks import (
    EXPORT_TIMEOUT_S,
    ExportJob,
    export_network,
    in_torch,
    with_exported,
)
from irbench.engine.jobs.specs import MethodSpec
from irbench.messages.progress import Progress


def with_exports(
    candidates: Sequence[Candidate], folder: Path, left_out: dict[str, str], progress: Progress
) -> list[Candidate]:
    """The candidates, those of other backends than torch with the file that they read.

    Parameters
    ----------
    candidates : sequence of Candidate
    folder : Path
        For the files; one serves all backends and precisions of a network.
    left_out : dict of str to str
        Takes up candidates whose network cannot be exported, with the reason.
    progress : Progress
    """
    specs = {one.name: in_torch(one.spec) for one in candidates if one.backend != "torch"}
    wanted = dict.fromkeys(specs.values())
    paths: dict[MethodSpec, Path] = {}
    errors: dict[MethodSpec, str] = {}
    with progress.track("exports", len(wanted)) as advance:
        for number, spec in enumerate(wanted):
            with WorkerPool(1, None) as pool:
                job = ExportJob(spec, folder / f"{number}.onnx")
                outcome = pool.run_alone(export_network, job, EXPORT_TIMEOUT_S)
            if outcome.returned is None:
                errors[spec] = outcome.error
            else:
                paths[spec] = outcome.returned
            advance()
    ready: list[Candidate] = []
    for candidate in candidates:
        if candidate.name not in specs:
            ready.append(candidate)
            continue
        spec = specs[candidate.name]
        if spec in errors:
            left_out[candidate.name] = f"cannot be exported: {errors[spec]}"
            continue
        exported = with_exported(candidate.spec, paths[spec])
        ready.append(dataclasses.replace(candidate, spec=exported))
    return ready
