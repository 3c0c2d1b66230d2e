"""Whether torch works, and which devices it sees."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from irbench.doctor.diagnosis import Diagnosis
from irbench.doctor.isolation import Isolated, run_isolated
from irbench.extras import missing_packages

_PROGRAM = """
import json, sys
import numpy, torch
cuda = torch.cuda.is_available()
array = torch.from_numpy(numpy.ones(3, numpy.float32)).numpy()
devices = []
for index in range(torch.cuda.device_count() if cuda else 0):
    properties = torch.cuda.get_device_properties(index)
    devices.append({"name": properties.name, "memory_bytes": properties.total_memory})
print(json.dumps({
    "version": torch.__version__, "cuda": torch.version.cuda, "available": cuda,
    "devices": devices, "threads": torch.get_num_threads(),
}))
"""


def check_torch() -> Iterator[Diagnosis]:
    """Import torch in another process, and ask it."""
    if missing_packages("torch"):
        # That it is missing is said with the libraries.
        return
    yield from torch_findings(run_isolated(_PROGRAM), has_nvidia_gpu())


def torch_findings(isolated: Isolated, has_gpu: bool) -> Iterator[Diagnosis]:
    """What torch's output means.

    Parameters
    ----------
    isolated : Isolated
    has_gpu : bool
        Whether the machine has a GPU that torch could use.
    """
    if isolated.trouble or not isolated.records:
        why = isolated.trouble or "no output"
        advice = "install torch again: https://pytorch.org/get-started/locally says how"
        yield Diagnosis("torch", "broken", f"torch does not work: {why}", advice)
        return
    facts: dict[str, Any] = isolated.records[-1]
    text = f"torch {facts['version']}, {facts['threads']} threads"
    if facts["available"]:
        names = (f"{one['name']} ({one['memory_bytes'] / 1e9:.0f} GB)" for one in facts["devices"])
        yield Diagnosis("torch", "ok", f"{text}, CUDA {facts['cuda']}: {', '.join(names)}")
    elif not has_gpu:
        yield Diagnosis("torch", "ok", f"{text}, CPU alone")
    elif facts["cuda"] is None:
        yield Diagnosis(
            "torch",
            "warning",
            f"{text}: built for the CPU, but there is an NVIDIA GPU",
            "install a build for CUDA: https://pytorch.org/get-started/locally says how",
        )
    else:
        yield Diagnosis(
            "torch",
            "warning",
            f"{text}, built for CUDA {facts['cuda']}, does not see the NVIDIA GPU",
            "compare `nvidia-smi` with this CUDA version, and look at CUDA_VISIBLE_DEVICES; "
            "in a container, pass the GPU in",
        )


def has_nvidia_gpu() -> bool:
    """Whether the driver, or its tool, is on this machine."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None
