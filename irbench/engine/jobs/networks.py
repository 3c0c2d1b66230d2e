"""What a worker does with a network beside running it: set it up, measure its cost, export it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irbench.errors import WeightsError
from irbench.networks.neural import NeuralDetector

if TYPE_CHECKING:
    from irbench.engine.jobs.specs import MethodSpec

EXPORT_TIMEOUT_S = 600.0
"""An export takes seconds; one that has not ended by then never will."""

_OF_BACKENDS = ("backend", "precision", "exported")


@dataclass(frozen=True)
class NetworkFacts:
    """What is known of a network once it was made.

    Attributes
    ----------
    params : int
        Number of parameters.
    flops : int
        Of one image.
    input_size : int
        Side of the square input, in pixels.
    device : str
        Where it computes.
    gpu : str or None
        What that is, if no CPU.
    uncounted : sequence of str
        Operators whose work is not in ``flops``.
    """

    params: int
    flops: int
    input_size: int
    device: str
    gpu: str | None = None
    uncounted: Sequence[str] = ()


def prepare_network(detector: NeuralDetector, device: str, sha256: str | None) -> None:
    """Load a network for single-threaded, repeatable results.

    Parameters
    ----------
    detector : NeuralDetector
    device : str
        Such as ``"cpu"`` or ``"cuda:0"``.
    sha256 : str or None
        Of the weights that the run was planned with.

    Raises
    ------
    WeightsError
        If they are others by now, or cannot be used.
    """
    import torch

    torch.set_num_threads(1)
    # A network without weights is the same in every worker.
    torch.manual_seed(0)
    if device.startswith("cuda"):
        # Full float32, and the same algorithm each time; by default convolutions round to
        # 11 bits on a GPU.
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
    file = detector.weights_file
    if (None if file is None else file.card.sha256) != sha256:
        raise WeightsError(
            f"the weights {file.path if file else detector.weights} were replaced during the run; "
            "repeat the command with another --out."
        )
    detector.to(device)
    # Loaded now, so that what is wrong with weights shows before any image.
    assert detector.network is not None


def network_facts(detector: NeuralDetector) -> NetworkFacts:
    """Count a network and name its device."""
    gpu = None
    if detector.device.startswith("cuda"):
        import torch

        gpu = torch.cuda.get_device_name(detector.device)
    cost = detector.cost()
    return NetworkFacts(
        cost.parameters, cost.flops, cost.input_size, detector.device, gpu, list(cost.uncounted)
    )


def synchronise(detector: Any) -> None:
    """Wait for the GPU, where one computes, so that a stage's time is its own."""
    if isinstance(detector, NeuralDetector) and detector.device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(detector.device)


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
