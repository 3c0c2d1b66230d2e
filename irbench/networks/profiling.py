"""What a detector costs where it runs: time by stage, images per second, memory.

Any detector, with a network or without. Torch is imported for networks only.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from irbench.dataset import Sample
from irbench.detector import Detector
from irbench.networks.detector import NetworkDetector
from irbench.networks.neural import NeuralDetector
from irbench.networks.stopwatch import Stopwatch, stopwatch_for
from irbench.process.processor_wait import ProcessorWait
from irbench.resources import peak_memory

if TYPE_CHECKING:
    from irbench.networks.cost import Cost
    from irbench.networks.layers import LayerCost

WARMUPS = 3
"""Batches that are run first, uncounted."""


@dataclass(frozen=True)
class Quartiles:
    """Median and quartiles, in milliseconds per image."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, sample: Sequence[float]) -> Quartiles:
        """Of at least one value."""
        low, middle, high = np.quantile(sample, [0.25, 0.5, 0.75])
        return cls(float(low), float(middle), float(high))


@dataclass(frozen=True)
class Profile:
    """What was measured of a detector, and where.

    Parameters
    ----------
    method, title : str
    cost : Cost or None
        None for a detector without a network.
    weights : str or None
        What the network was loaded with; None where it is untrained, or there is none.
    preprocess, compute, postprocess, total : Quartiles
        Time of an image: checking and letterbox, the method itself, and all that makes
        detections of its output, such as suppression.
    fps : float
        Images per second, end to end: 1000 over the mean of the total.
    peak_bytes : int or None
        On CUDA the most that torch had allocated there; else the greatest resident size of
        this process meanwhile, libraries included. None where the system does not report it.
    device : str
        Such as ``"cpu"``.
    threads : int
        That libraries may use on the CPU.
    dtype : str
        Of what the method itself receives, such as ``"float32"``.
    batch : int
        Images at a time; 1 for a detector without a network.
    n_images : int
        That were timed.
    waited_share : float or None
        Of the time, for which it waited for a processor that other programs had, 0 to 1; None
        where the system does not count. See :mod:`irbench.process.processor_wait`.
    layers : tuple of LayerCost
        Empty unless asked for, or without a network.
    """

    method: str
    title: str
    cost: Cost | None
    weights: str | None
    preprocess: Quartiles
    compute: Quartiles
    postprocess: Quartiles
    total: Quartiles
    fps: float
    peak_bytes: int | None
    device: str
    threads: int
    dtype: str
    batch: int
    n_images: int
    waited_share: float | None = None
    layers: tuple[LayerCost, ...] = ()


def profile_detector(
    detector: Detector,
    samples: Sequence[Sample],
    *,
    batch: int = 1,
    threads: int = 1,
    layers: bool = False,
) -> Profile:
    """Measure what a detector costs.

    Parameters
    ----------
    detector : Detector
        A network computes on the device that it was moved to.
    samples : sequence of Sample
        Images to run; none is timed twice unless they are fewer than ``batch``.
    batch : int
        Images that go through a network together. Other detectors take one at a time.
    threads : int
        That libraries may use on the CPU.
    layers : bool
        Whether to look into the network, too.

    Returns
    -------
    Profile
    """
    neural = detector if isinstance(detector, NeuralDetector) else None
    is_network = isinstance(detector, NetworkDetector)
    if neural is not None:
        # Before the limit of threads, which meets the libraries that are there.
        import torch  # noqa: F401
    stages = _NetworkStages(detector) if is_network else _Stages(detector)
    device = "cpu" if neural is None else neural.device
    size = batch if is_network else 1
    batches = _batches(samples, size)
    with threads_limited(threads):
        memory = _PeakMemory(device)
        watch = stopwatch_for(device)
        for chunk in (batches * WARMUPS)[:WARMUPS]:
            stages.run(chunk, watch)
        wait = ProcessorWait()
        times = [[ms / size for ms in stages.run(chunk, watch)] for chunk in batches]
        waited_share = wait.share()
        peak = memory.bytes()
        found: tuple[LayerCost, ...] = ()
        if layers and isinstance(detector, NetworkDetector):
            from irbench.networks.layers import measure_layers

            found = measure_layers(detector, stages.preprocess(batches[0]), len(batches))
    totals = [sum(row) for row in times]
    preprocess, compute, postprocess = (Quartiles.of(stage) for stage in zip(*times, strict=True))
    return Profile(
        method=detector.info.name,
        title=detector.title,
        cost=None if neural is None else neural.cost(),
        weights=None if neural is None else neural.weights,
        preprocess=preprocess,
        compute=compute,
        postprocess=postprocess,
        total=Quartiles.of(totals),
        fps=1e3 / float(np.mean(totals)),
        peak_bytes=peak,
        device=device,
        threads=threads,
        dtype=stages.dtype,
        batch=size,
        n_images=size * len(batches),
        waited_share=waited_share,
        layers=found,
    )


class _Stages:
    """A detector's way from images to detections, in three parts."""

    def __init__(self, detector: Any) -> None:
        self.detector = detector
        self.dtype = ""

    def run(self, samples: Sequence[Sample], watch: Stopwatch) -> list[float]:
        """Detect; milliseconds of each stage."""
        watch.mark()
        prepared = self.preprocess(samples)
        watch.mark()
        output = self.compute(prepared)
        watch.mark()
        self.postprocess(output, samples)
        watch.mark()
        self.dtype = _dtype(prepared)
        return watch.lap()

    def preprocess(self, samples: Sequence[Sample]) -> Any:
        return [self.detector.preprocess(s.image, s.value_range) for s in samples]

    def compute(self, prepared: Any) -> Any:
        return [self.detector.compute(one) for one in prepared]

    def postprocess(self, output: Any, samples: Sequence[Sample]) -> None:
        for one, sample in zip(output, samples, strict=True):
            self.detector.postprocess(one, sample.shape)


class _NetworkStages(_Stages):
    """The images of a batch go through the network together."""

    def preprocess(self, samples: Sequence[Sample]) -> Any:
        import torch

        canvases = super().preprocess(samples)
        # An image may be cut into several.
        self._n_canvases = [len(one) for one in canvases]
        return torch.cat(canvases)

    def compute(self, prepared: Any) -> Any:
        return self.detector.compute(prepared)

    def postprocess(self, output: Any, samples: Sequence[Sample]) -> None:
        boxes, scores = (part.split(self._n_canvases) for part in output)
        super().postprocess(list(zip(boxes, scores, strict=True)), samples)


def _dtype(prepared: Any) -> str:
    """The type of the numbers that a method receives, such as ``"float32"``."""
    first = prepared if hasattr(prepared, "dtype") else prepared[0]
    first = first[0] if isinstance(first, tuple) else first
    return str(getattr(first, "dtype", "")).removeprefix("torch.")


def _batches(samples: Sequence[Sample], size: int) -> list[list[Sample]]:
    """Full batches; samples are repeated where they do not fill one."""
    n_batches = max(1, len(samples) // size)
    return [
        [samples[i % len(samples)] for i in range(first, first + size)]
        for first in range(0, n_batches * size, size)
    ]


class _PeakMemory:
    """The greatest memory from now on."""

    def __init__(self, device: str) -> None:
        self._cuda = device if device.startswith("cuda") else None
        if self._cuda is not None:
            import torch

            torch.cuda.reset_peak_memory_stats(self._cuda)
        else:
            _reset_peak_memory()

    def bytes(self) -> int | None:
        if self._cuda is None:
            return peak_memory()
        import torch

        return int(torch.cuda.max_memory_allocated(self._cuda))


def _reset_peak_memory() -> None:
    """Let Linux forget this process's greatest resident size, another detector's perhaps."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    # Another system, or one that forbids it: the peak is that of the process so far.
    except OSError:
        return


@contextmanager
def threads_limited(n: int) -> Iterator[None]:
    """Let numerical libraries, torch included where it is loaded, use ``n`` threads."""
    import cv2
    from threadpoolctl import threadpool_limits

    torch = sys.modules.get("torch")
    before = cv2.getNumThreads(), None if torch is None else torch.get_num_threads()
    with threadpool_limits(n):
        cv2.setNumThreads(n)
        if torch is not None:
            torch.set_num_threads(n)
        try:
            yield
        finally:
            cv2.setNumThreads(before[0])
            if torch is not None:
                torch.set_num_threads(before[1])
