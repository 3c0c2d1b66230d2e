"""What a worker process does: one detector on one image, or the timing pass.

Everything here runs in a process of its own, with one thread for each library, so
that results do not depend on the number of jobs.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from irbench.conversion.dispatch import convert
from irbench.dataset import Dataset, Sample
from irbench.detections import Detections
from irbench.detector import Detector
from irbench.engine.journal_lines import encode_line
from irbench.engine.network_worker import (
    NetworkFacts,
    network_facts,
    prepare_network,
    synchronise,
)
from irbench.engine.parent import die_with_parent
from irbench.engine.records import Entry, StageTimes, TimingOutcome
from irbench.filters.memory import keep_freed_memory
from irbench.images import to_grey_levels
from irbench.metrics.map_statistics import MapStatistics, measure_map
from irbench.networks.detector import NetworkDetector
from irbench.protocol import Protocol
from irbench.registry import catalogue, load_dataset, load_method, load_plugin

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


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
        for plugin in self.plugins:
            load_plugin(plugin)
        detector = load_method(self.name, **dict(self.params))
        if isinstance(detector, NetworkDetector):
            prepare_network(detector, self.device, self.weights_sha256)
        return detector


@dataclass(frozen=True)
class DatasetSpec:
    """How to open a dataset in another process."""

    name: str
    root: str | None
    scheme: str | None
    plugins: tuple[str, ...] = ()

    def open(self, split: str) -> Dataset:
        """Open one split."""
        for plugin in self.plugins:
            load_plugin(plugin)
        return load_dataset(self.name, self.root, split, self.scheme)


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
    """

    method: MethodSpec
    dataset: DatasetSpec
    split: str
    image: str
    protocol: Protocol
    extents: tuple[float, ...]
    keep_regions: bool = True
    measure_map: bool = False


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


def limit_threads() -> None:
    """One thread for each library, in this process."""
    import cv2
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    cv2.setNumThreads(1)


def start_worker(gpu: str | None = None) -> None:
    """Prepare a worker process.

    Parameters
    ----------
    gpu : str or None
        The one GPU that it shall see, as ``CUDA_VISIBLE_DEVICES`` names it; None for any.
    """
    if gpu is not None:
        # Before torch is loaded, which reads it once.
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    # Ctrl-C is the parent's business: it stops the workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    # What jobs import, now: a busy machine takes seconds for it, which the time limit of the
    # first image, and of the first of every worker that replaces a lost one, must not pay for.
    catalogue("methods")
    catalogue("datasets")
    limit_threads()
    keep_freed_memory()


def single_thread_environment() -> dict[str, str]:
    """Environment variables that keep numerical libraries to one thread."""
    return dict.fromkeys(THREAD_VARIABLES, "1")


@lru_cache(maxsize=4)
def _detector(spec: MethodSpec) -> Detector:
    detector = spec.make()
    # Libraries that making it has loaded.
    limit_threads()
    return detector


@lru_cache(maxsize=4)
def _dataset(spec: DatasetSpec, split: str) -> Dataset:
    return spec.open(split)


def inspect_network(spec: MethodSpec) -> NetworkFacts:
    """Make a detector with a network, and tell what it costs."""
    detector = _detector(spec)
    assert isinstance(detector, NetworkDetector)
    return network_facts(detector)


def process_image(job: ImageJob) -> bytes:
    """Run one detector on one image.

    Returns
    -------
    bytes
        The image's line of the journal: made here, so that the parent only has to write it.
    """
    sample = _dataset(job.dataset, job.split).load(job.image)
    detector = _detector(job.method)
    found, times, output = _detect(detector, sample, job.protocol, job.extents, job.keep_regions)
    measured = _measure(detector, sample, output) if job.measure_map else None
    by_extent = dict(zip(job.extents or (None,), found, strict=True))
    return encode_line(Entry(job.split, job.image, by_extent, times, "", measured))


def _measure(detector: Detector, sample: Sample, output: Any) -> MapStatistics | None:
    """What is kept of a score map; no part of what is timed."""
    if detector.kind == "box" or sample.targets is None:
        return None
    grey_levels = to_grey_levels(sample.image, sample.value_range)
    is_probability = detector.kind == "segmentation"
    return measure_map(output, grey_levels, sample.targets, is_probability=is_probability)


def _detect(
    detector: Detector,
    sample: Sample,
    protocol: Protocol,
    extents: tuple[float, ...],
    keep_regions: bool = True,
) -> tuple[list[Detections], StageTimes, Any]:
    """The timed region: everything between the decoded image and its detections.

    The raw output comes last.
    """
    start = time.perf_counter()
    prepared = detector.preprocess(sample.image, sample.value_range)
    computing = time.perf_counter()
    output = detector.compute(prepared)
    synchronise(detector)
    converting = time.perf_counter()
    found = convert(detector, output, sample.shape, protocol, extents, keep_regions)
    end = time.perf_counter()
    stages = (computing - start, converting - computing, end - converting)
    return found, StageTimes(*(1e3 * seconds for seconds in stages)), output


def time_images(job: TimingJob) -> TimingOutcome:
    """Time a detector alone on this machine, reading of files excluded."""
    opened = _dataset(job.dataset, job.split)
    detector = _detector(job.method)
    for image in job.images[: job.n_warmup]:
        _detect(detector, opened.load(image), job.protocol, job.extents)
    times = {
        image: _detect(detector, opened.load(image), job.protocol, job.extents)[1]
        for image in job.images
    }
    return TimingOutcome(times, peak_memory())


def peak_memory() -> int | None:
    """The largest resident size of this process so far, in bytes; None where unknown."""
    try:
        # Not getrusage: its maximum is inherited from the parent through fork and exec.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def n_cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
