"""What a worker process does: read an image, run one detector on it, or the timing pass.

Everything here runs in a process of its own, with one thread for each library, so
that results do not depend on the number of jobs.
"""

from __future__ import annotations

import dataclasses
import time
from functools import lru_cache
from typing import Any

from irbench.conversion.components import load_compiled
from irbench.conversion.dispatch import convert, uses_extent
from irbench.dataset import Dataset
from irbench.detections import Detections
from irbench.detector import Detector
from irbench.engine.jobs.networks import NetworkFacts, network_facts, synchronise
from irbench.engine.jobs.prepared_images import PreparedImage, PreparedImages
from irbench.engine.jobs.scanning import ScannedImage, read_image
from irbench.engine.jobs.specs import DatasetSpec, ImageJob, MethodSpec, ScanJob, TimingJob
from irbench.engine.storage.image_records import ImageRecord, StageTimes, TimingOutcome
from irbench.engine.storage.journal import encode_line
from irbench.images import to_grey_levels
from irbench.metrics.ignored_regions import without_ignored
from irbench.metrics.map_statistics import MapStatistics, measure_map
from irbench.metrics.own_counts import count_map
from irbench.networks.neural import NeuralDetector
from irbench.process.processor_wait import ProcessorWait
from irbench.protocol import Protocol
from irbench.resources import limit_threads, peak_memory

_IMAGES = PreparedImages()


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
    """Make a detector with a network, and measure what it costs."""
    detector = _detector(spec)
    assert isinstance(detector, NeuralDetector)
    return network_facts(detector)


def scan_image(job: ScanJob) -> ScannedImage:
    """Read an image, and keep it for the methods."""
    scanned, prepared = read_image(_dataset(job.dataset, job.split), job.image, job.side)
    if prepared is not None:
        _IMAGES.keep(job.dataset, job.split, job.image, job.side, prepared)
    return scanned


def process_image(job: ImageJob) -> bytes:
    """Run one detector on one image.

    Returns
    -------
    bytes
        The image's line of the journal: made here, so that the parent only has to write it.
    """
    image = _IMAGES.get(
        job.dataset,
        job.split,
        job.content,
        job.image,
        job.protocol.squash,
        lambda: _dataset(job.dataset, job.split).load(job.image),
    )
    truth = image.truth
    detector = _detector(job.method)
    found, times, output = _detect(detector, image, job.protocol, job.extents, job.keep_regions)
    measured = _measure(detector, image, output, job) if job.measure_map else None
    counted = [without_ignored(one, truth.boxes, truth.ignored, job.protocol) for one in found]
    by_extent = dict(zip(job.extents or (None,), counted, strict=True))
    return encode_line(ImageRecord(job.split, job.image, by_extent, times, "", measured))


def _measure(
    detector: Detector, image: PreparedImage, output: Any, job: ImageJob
) -> MapStatistics | None:
    """What is kept of a score map; no part of what is timed."""
    targets = image.truth.targets
    if detector.kind == "box" or targets is None:
        return None
    grey_levels = to_grey_levels(image.image, image.value_range)
    is_probability = detector.kind == "segmentation"
    measured = measure_map(output, grey_levels, targets, is_probability=is_probability)
    if not job.countings:
        return measured
    # Only where there are some: it imports the plug-ins of all packages.
    from irbench.metrics.definition import own_countings

    # What this process has not loaded stays uncounted, as the row then says.
    countings = [one for one in own_countings() if one.key in job.countings]
    own = count_map(countings, output, grey_levels, image.truth, job.protocol)
    return dataclasses.replace(measured, own=own)


def _detect(
    detector: Detector,
    image: PreparedImage,
    protocol: Protocol,
    extents: tuple[float, ...],
    keep_regions: bool = True,
) -> tuple[list[Detections], StageTimes, Any]:
    """The timed region: everything between the decoded image and its detections.

    The raw output comes last.
    """
    pixels = image.copy()
    start = time.perf_counter()
    prepared = detector.preprocess(pixels, image.value_range)
    computing = time.perf_counter()
    output = detector.compute(prepared)
    synchronise(detector)
    converting = time.perf_counter()
    found = convert(detector, output, image.truth.shape, protocol, extents, keep_regions)
    end = time.perf_counter()
    stages = (computing - start, converting - computing, end - converting)
    return found, StageTimes(*(1e3 * seconds for seconds in stages)), output


def time_images(job: TimingJob) -> TimingOutcome:
    """Time a detector alone on this machine, reading of files excluded."""
    opened = _dataset(job.dataset, job.split)
    detector = _detector(job.method)

    def times_of(name: str) -> StageTimes:
        # Not kept: the memory that is measured is the detector's.
        image = PreparedImage.of(opened.load(name), job.protocol.squash)
        return _detect(detector, image, job.protocol, job.extents)[1]

    if uses_extent(detector.kind, job.protocol):
        load_compiled()
    for image in job.images[: job.n_warmup]:
        times_of(image)
    wait = ProcessorWait()
    times = {image: times_of(image) for image in job.images}
    return TimingOutcome(times, peak_memory(), wait.share())
