"""A network exported once, for all workers whose backend reads exported files."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

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


def export_network(job: ExportJob) -> Path:
    """Write a network as ONNX; the work of a worker process."""
    from irbench.networks.detector import NetworkDetector
    from irbench.networks.export import export_onnx

    detector = job.spec.make()
    assert isinstance(detector, NetworkDetector)
    return export_onnx(detector, job.path, check=False).path


def is_exported_anew(spec: MethodSpec) -> bool:
    """Whether each worker that makes a detector would export its network for itself."""
    params = dict(spec.params)
    return params.get("backend", "torch") != "torch" and params.get("exported") is None


def in_torch(spec: MethodSpec) -> MethodSpec:
    """The same network, computed by torch."""
    params = tuple(one for one in spec.params if one[0] not in _OF_BACKENDS)
    return dataclasses.replace(spec, params=params)


def with_exported(spec: MethodSpec, path: Path) -> MethodSpec:
    """The same detector, reading its network from an exported file."""
    params = {**dict(spec.params), "exported": str(path)}
    return dataclasses.replace(spec, params=tuple(sorted(params.items())))
