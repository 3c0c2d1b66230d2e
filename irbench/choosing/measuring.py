"""One candidate on the frames, in a worker process: its time, and what it finds."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from irbench.choosing.implants import implanted
from irbench.conversion.components import load_compiled
from irbench.data.findings import plural
from irbench.detections import Detections
from irbench.detector import Detector, ScoreMapDetector
from irbench.engine.jobs.specs import MethodSpec
from irbench.errors import ImageError
from irbench.process.processor_wait import waited_s
from irbench.scoring.calibration import extent_without_labels
from irbench.sequences.frame_detection import FrameReading, fitted_frames
from irbench.sequences.opened_frames import open_sequence

SURE_OF_SPEED = 3
"""Frames after which a candidate that is far too slow is given up."""

FAR_TOO_SLOW = 3.0
"""So many times slower than is wanted."""

SETUP_S = 60.0
"""A worker has so long, beside its share of the time, to load what it measures and to warm up."""


@dataclass(frozen=True)
class ChooseJob:
    """What a worker is to measure.

    Attributes
    ----------
    spec : MethodSpec
    frames : tuple of str
        Files and folders.
    reading : FrameReading
    n_threads : int
    least_fps : float
    budget_s : float
        Begin no frame after so many seconds of detection.
    implants : bool
        Whether to detect on frames with implanted targets too.
    """

    spec: MethodSpec
    frames: tuple[str, ...]
    reading: FrameReading
    n_threads: int
    least_fps: float
    budget_s: float
    implants: bool


@dataclass
class Measured:
    """What was measured.

    Attributes
    ----------
    seconds : list of float
        The detector's own time of each frame, reading excluded, after a warm-up.
    waited : list of float
        Of these seconds, those in which another program had the processor; 0 where the system
        does not count. See :mod:`irbench.process.processor_wait`.
    boxes, scores : list of ndarray
        Of each frame, by its name.
    on_implants : list of (centres, centroids, scores)
        Of each frame with implanted targets.
    unread : dict of str to str
        Why a frame could not be read, by its name.
    given_up : str
        Why it stopped early; empty if it did not.
    too_slow : bool
        Whether that is for its speed.
    """

    seconds: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    boxes: list[NDArray[Any]] = field(default_factory=list)
    scores: list[NDArray[Any]] = field(default_factory=list)
    on_implants: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    given_up: str = ""
    too_slow: bool = False

    @property
    def undisturbed(self) -> list[float]:
        """Seconds of each frame without the waiting: no more than an idle machine takes."""
        return [whole - lost for whole, lost in zip(self.seconds, self.waited, strict=True)]

    @property
    def waited_share(self) -> float:
        """Of all the seconds."""
        return sum(self.waited) / max(sum(self.seconds), 1e-9)


def measure(job: ChooseJob) -> Measured:
    """Run a candidate over the frames; the work of a worker process."""
    _set_threads(job.n_threads)
    detector, result = job.spec.make(), Measured()
    if isinstance(detector, ScoreMapDetector):
        load_compiled()
    _set_threads(job.n_threads)
    sequence = open_sequence(map(Path, job.frames))
    begun: float | None = None
    for fitted in fitted_frames(sequence, job.reading):
        frame, image, value_range = fitted.frame, fitted.image, fitted.value_range
        if image is None:
            result.unread[frame.name] = fitted.error
            continue
        try:
            worse = implanted(image, value_range, frame.name) if job.implants else None
            if begun is None:
                # Loading and compiling the network, and the warm-up, are no detection.
                _detect(detector, image, value_range)
                begun = time.perf_counter()
            if time.perf_counter() - begun > job.budget_s and result.seconds:
                result.given_up = f"out of time after {plural(len(result.seconds), 'frame')}"
                break
            before, start = waited_s(), time.perf_counter()
            found = _detect(detector, image, value_range)
            elapsed, after = time.perf_counter() - start, waited_s()
        except ImageError as error:
            # As `irbench detect` does: the frame is passed over, and named.
            result.unread[frame.name] = str(error)
            continue
        result.seconds.append(elapsed)
        lost = 0.0
        if before is not None and after is not None:
            lost = min(after - before, elapsed)
        result.waited.append(lost)
        result.names.append(frame.name)
        result.boxes.append(found.boxes)
        result.scores.append(found.scores)
        # The quickest frame counts, and not what it waited: a busy machine makes no candidate
        # too slow.
        best_fps = 1 / max(min(result.undisturbed), 1e-9)
        if len(result.seconds) >= SURE_OF_SPEED and best_fps < job.least_fps / FAR_TOO_SLOW:
            result.too_slow = True
            result.given_up = f"{best_fps:.2g} frames/s, less than a third of what is wanted"
            break
        if worse is not None:
            pixels, centres = worse
            again = _detect(detector, pixels, (0.0, 255.0))
            result.on_implants.append((centres, again.centroids, again.scores))
    return result


def _detect(detector: Detector, image: NDArray[Any], value_range: Any) -> Detections:
    if isinstance(detector, ScoreMapDetector):
        extent = extent_without_labels(detector.info.name)
        return detector.detect(image, value_range=value_range, extent=extent)
    return detector.detect(image, value_range=value_range)


def _set_threads(n: int) -> None:
    """As many threads as the device will have, for every library that computes here."""
    import sys

    import cv2
    from threadpoolctl import threadpool_limits

    threadpool_limits(n)
    cv2.setNumThreads(n)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(n)
