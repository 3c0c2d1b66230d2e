"""irbench: the benchmark of infrared small-target detection.

>>> import irbench
>>> detector = irbench.load_method("tophat", size=5)
>>> dataset = irbench.load_dataset("synth", split="val")
>>> found = detector.detect(dataset[0].image)
>>> found.boxes.shape[1]
4
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from irbench.conventions import Conventions as Conventions
    from irbench.dataset import Dataset as Dataset
    from irbench.dataset import DatasetInfo as DatasetInfo
    from irbench.dataset import Sample as Sample
    from irbench.detections import Detections as Detections
    from irbench.detections.regions import Regions as Regions
    from irbench.detector import BoxDetector as BoxDetector
    from irbench.detector import Detector as Detector
    from irbench.detector import MethodInfo as MethodInfo
    from irbench.detector import ScoreMapDetector as ScoreMapDetector
    from irbench.detector import SegmentationDetector as SegmentationDetector
    from irbench.networks.detector import LossSums as LossSums
    from irbench.networks.detector import NetworkDetector as NetworkDetector
    from irbench.networks.segmentation import (
        SegmentationNetworkDetector as SegmentationNetworkDetector,
    )
    from irbench.parameters import parameter as parameter
    from irbench.plugins.registry import load_dataset as load_dataset
    from irbench.plugins.registry import load_method as load_method
    from irbench.protocol import Protocol as Protocol
    from irbench.runs.benchmark import run as run
    from irbench.runs.loaded_run import Run as Run
    from irbench.runs.loaded_run import load_run as load_run
    from irbench.scoring.evaluation import evaluate as evaluate
    from irbench.scoring.scored_output import Result as Result

__version__ = "0.1.0"

_ROOT = Path(__file__).resolve().parents[1]
_BESIDE = ("irbench.methods", "irbench.datasets", "irbench.reports")


class _FoldersOfCheckout:
    """Finds the folders of plug-ins, which in a checkout lie beside this one, not in it."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [str(_ROOT)]) if name in _BESIDE else None


# In the root of a checkout Python imports this folder, whatever is installed: what plugs in must
# come from the same tree. First, since an installed irbench may have a finder of its own.
if (_ROOT / "pyproject.toml").is_file():
    sys.meta_path.insert(0, _FoldersOfCheckout())

# Loaded on first use, so that `irbench --help` does not wait for NumPy.
_HOMES = {
    "BoxDetector": "irbench.detector",
    "Conventions": "irbench.conventions",
    "Dataset": "irbench.dataset",
    "DatasetInfo": "irbench.dataset",
    "Detections": "irbench.detections",
    "Detector": "irbench.detector",
    "LossSums": "irbench.networks.detector",
    "MethodInfo": "irbench.detector",
    "NetworkDetector": "irbench.networks.detector",
    "Protocol": "irbench.protocol",
    "Regions": "irbench.detections.regions",
    "Result": "irbench.scoring.scored_output",
    "Run": "irbench.runs.loaded_run",
    "Sample": "irbench.dataset",
    "ScoreMapDetector": "irbench.detector",
    "SegmentationDetector": "irbench.detector",
    "SegmentationNetworkDetector": "irbench.networks.segmentation",
    "evaluate": "irbench.scoring.evaluation",
    "load_dataset": "irbench.plugins.registry",
    "load_method": "irbench.plugins.registry",
    "load_run": "irbench.runs.loaded_run",
    "parameter": "irbench.parameters",
    "run": "irbench.runs.benchmark",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'irbench' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
