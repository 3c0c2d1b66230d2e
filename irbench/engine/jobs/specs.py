"""What is sent to a worker process: how to make a detector, what to open, what to do with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from irbench.conventions import Conventions
from irbench.dataset import Dataset
from irbench.degradation.degraded_dataset import DegradedDataset
from irbench.degradation.models import Degradation
from irbench.detector import Detector
from irbench.engine.jobs.networks import prepare_network
from irbench.networks.neural import NeuralDetector
from irbench.plugins.registry import load_dataset, load_method, load_plugins
from irbench.protocol import Protocol


@dataclass(frozen=True)
class MethodSpec:
    """How to make a detector in another process.

    Attributes
    ----------
    name : str
    params : tuple of (str, object)
        Those that differ from the defaults.
    plugins : tuple of str
        Plug-in files to load first.
    device : str
        Where a network computes.
    weights_sha256 : str or None
        Of the weights that it was planned with.
    """

    name: str
    params: tuple[tuple[str, Any], ...] = ()
    plugins: tuple[str, ...] = ()
    device: str = "cpu"
    weights_sha256: str | None = None

    def make(self) -> Detector:
        """Make the detector, ready to run."""
        load_plugins(self.plugins)
        detector = load_method(self.name, **dict(self.params))
        if isinstance(detector, NeuralDetector):
            prepare_network(detector, self.device, self.weights_sha256)
        return detector


@dataclass(frozen=True)
class DatasetSpec:
    """How to open a dataset in another process."""

    name: str
    root: str | None
    scheme: str | None
    plugins: tuple[str, ...] = ()
    conventions: Conventions = field(default_factory=Conventions)
    degraded_split: str = ""
    degradations: tuple[Degradation, ...] = ()

    def open(self, split: str) -> Dataset:
        """Open one split; the one that is tested with degraded images, where that is wanted."""
        load_plugins(self.plugins)
        opened = load_dataset(self.name, self.root, split, self.scheme, self.conventions)
        if self.degradations and split == self.degraded_split:
            return DegradedDataset(opened, self.degradations)
        return opened


@dataclass(frozen=True)
class ScanJob:
    """One image, to be read for the first time.

    Attributes
    ----------
    dataset : DatasetSpec
    split, image : str
    side : int or None
        Of the squares that images are scaled to.
    image_index : int
        As that of an :class:`ImageJob`.
    """

    dataset: DatasetSpec
    split: str
    image: str
    side: int | None
    image_index: int


@dataclass(frozen=True)
class ImageJob:
    """One detector on one image.

    Attributes
    ----------
    method : MethodSpec
    dataset : DatasetSpec
    split, image : str
    protocol : Protocol
    extents : tuple of float
        Empty where the conversion has no extent.
    keep_regions : bool
        Calibration needs boxes only.
    measure_map : bool
        Whether the score map is measured too, where there is one and a mask.
    countings : tuple of str
        Keys of the countings of plug-ins that are to look at the score map too.
    content : str
        Hash of what the split holds, by which a worker keeps images for the next method; it
        keeps none where it is empty.
    image_index : int
        Of the image in its split, by which the same worker gets it for the next method.
    """

    method: MethodSpec
    dataset: DatasetSpec
    split: str
    image: str
    protocol: Protocol
    extents: tuple[float, ...]
    keep_regions: bool = True
    measure_map: bool = False
    countings: tuple[str, ...] = ()
    content: str = ""
    image_index: int = 0


@dataclass(frozen=True)
class TimingJob:
    """The timing pass of one detector.

    Attributes
    ----------
    method, dataset : MethodSpec, DatasetSpec
    split : str
    images : tuple of str
    n_warmup : int
        So many of the images are run first, uncounted.
    protocol : Protocol
    extents : tuple of float
        The one extent of the row, or none.
    """

    method: MethodSpec
    dataset: DatasetSpec
    split: str
    images: tuple[str, ...]
    n_warmup: int
    protocol: Protocol
    extents: tuple[float, ...]
