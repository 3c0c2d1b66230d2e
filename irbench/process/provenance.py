"""Facts of the machine and the libraries, for the record of a run."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from irbench import __version__
from irbench.resources import n_cores

_PACKAGES = ("numpy", "scipy", "opencv-python-headless", "torch")


def machine_facts() -> dict[str, Any]:
    """Processor, cores, memory and system."""
    import psutil

    return {
        "processor": _processor(),
        "cores": n_cores(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def package_versions() -> dict[str, str | None]:
    """Versions of the libraries that decide numbers; None where not installed."""
    versions: dict[str, str | None] = {"irbench": __version__}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return versions


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
