"""Networks exported once, before anything is timed, for the backends that read exported files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from irbench.choosing.candidates import Candidate
from irbench.engine.executors.worker_pool import WorkerPool
from irbench.engine.jobs.specs import MethodSpec

EXPORT_TIMEOUT_S = 600.0
"""An export takes seconds; one that has not ended by then never will."""

_OF_BACKENDS = ("backend", "precision", "exported")


@dataclass(frozen=True)
class ExportJob:
    """What a worker is to export.

    Attributes
    ----------
    spec : MethodSpec
        In torch.
    path : Path
    """

    spec: MethodSpec
    path: Path


def export(job: ExportJob) -> Path:
    """Write a network as ONNX; the work of a worker process."""
    from irbench.networks.detector import NetworkDetector
    from irbench.networks.export import export_onnx

    detector = job.spec.make()
    assert isinstance(detector, NetworkDetector)
    return export_onnx(detector, job.path, check=False).path


def with_exports(
    candidates: Iterable[Candidate], folder: Path, left_out: dict[str, str]
) -> list[Candidate]:
    """The candidates, those of other backends than torch with the file that they read.

    Parameters
    ----------
    candidates : iterable of Candidate
    folder : Path
        For the files; one serves all backends and precisions of a network.
    left_out : dict of str to str
        Takes up candidates whose network cannot be exported, with the reason.
    """
    ready: list[Candidate] = []
    outcomes: dict[MethodSpec, tuple[Path | None, str]] = {}
    for candidate in candidates:
        if candidate.backend == "torch":
            ready.append(candidate)
            continue
        params = candidate.spec.params
        plain = tuple(one for one in params if one[0] not in _OF_BACKENDS)
        spec = dataclasses.replace(candidate.spec, params=plain)
        if spec not in outcomes:
            job = ExportJob(spec, folder / f"{len(outcomes)}.onnx")
            with WorkerPool(1, None) as pool:
                outcome = pool.run_alone(export, job, EXPORT_TIMEOUT_S)
            outcomes[spec] = (outcome.returned, outcome.error)
        path, error = outcomes[spec]
        if path is None:
            left_out[candidate.name] = f"cannot be exported: {error}"
            continue
        exported = tuple(sorted({**dict(params), "exported": str(path)}.items()))
        spec = dataclasses.replace(candidate.spec, params=exported)
        ready.append(dataclasses.replace(candidate, spec=spec))
    return ready
