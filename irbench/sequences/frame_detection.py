"""A detector on a sequence of frames: read ahead, one at a time, past those that are bad."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.conversion.components import load_compiled
from irbench.detections import Detections
from irbench.detector import Detector, ScoreMapDetector
from irbench.errors import ImageError, IrbenchError
from irbench.images import ValueRange
from irbench.images.auto_range import (
    AUTO,
    AUTO_FRAME,
    N_FRAMES,
    RangeChoice,
    find_range,
    fit_frame,
)
from irbench.images.dead_pixels import DeadChoice, DeadPixels, find_dead_pixels
from irbench.sequences.frame_source import Frame
from irbench.sequences.opened_frames import FrameSequence
from irbench.sequences.read_ahead import read_ahead


@dataclass(frozen=True, eq=False)
class FittedFrame:
    """A frame as a detector gets it.

    Attributes
    ----------
    frame : Frame
    image : (H, W) ndarray or None
        None for a frame that could not be read or was refused.
    error : str
        Why not; empty otherwise.
    value_range : (float, float) or None
        That the frame was read by; None is that of its type.
    n_clipped : int
        Pixels outside of a range that was found, which were clipped.
    n_dead : int
        Pixels that were replaced, in ``frame`` too.
    """

    frame: Frame
    image: NDArray[Any] | None
    error: str = ""
    value_range: ValueRange | None = None
    n_clipped: int = 0
    n_dead: int = 0


@dataclass(frozen=True, eq=False)
class FrameResult(FittedFrame):
    """A frame with what a detector found on it.

    Attributes
    ----------
    found : Detections or None
        None for a frame that could not be read or was refused.
    seconds : float
        The detector's own time, without reading and drawing.
    """

    found: Detections | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class FrameReading:
    """How the frames of a sequence are read.

    Attributes
    ----------
    asked, found : (float, float), "auto", "auto-frame" or None
        The value range as it was asked for, and with what was found in the place of ``"auto"``.
    dead : DeadPixels or None
        Pixels that are replaced.
    """

    asked: RangeChoice = None
    found: RangeChoice = None
    dead: DeadPixels | None = None

    @classmethod
    def of(
        cls,
        sequence: FrameSequence,
        value_range: RangeChoice = None,
        dead_pixels: DeadChoice = None,
    ) -> FrameReading:
        """Find what is to be found on some frames of a sequence, evenly spread.

        Parameters
        ----------
        sequence : FrameSequence
        value_range : (float, float), "auto", "auto-frame" or None
        dead_pixels : str, DeadPixels or None
            See :func:`irbench.images.dead_pixels.find_dead_pixels`.

        Raises
        ------
        UsageError
            For a file of dead pixels that cannot be read, or frames that do not show which are.
        ImageError
            If no frame can be read, or they are of several types.
        """

        def some() -> Iterator[NDArray[Any]]:
            return (f.pixels for f in sequence.spread(N_FRAMES) if f.pixels is not None)

        found = find_range(some()) if value_range == AUTO else value_range
        dead = dead_pixels
        if isinstance(dead, str):
            dead = find_dead_pixels(dead, some())
        return cls(value_range, found, dead)

    @property
    def dead_facts(self) -> dict[str, Any]:
        """The pixels that are replaced as JSON has them; empty where none are."""
        return {} if self.dead is None else {"dead_pixels": self.dead.as_dict()}


def detect_frames(
    detector: Detector,
    sequence: FrameSequence,
    reading: FrameReading,
    *,
    extent: float | None = None,
) -> Iterator[FrameResult]:
    """Run a detector over frames, one after another.

    Frames are read and fitted to their range in a thread while the detector works.

    Parameters
    ----------
    detector : Detector
    sequence : FrameSequence
    reading : FrameReading
    extent : float, optional
        Of score-map methods; by default the one that ships with the method.

    Yields
    ------
    FrameResult
        Of every frame, those with an error included.
    """
    options: dict[str, Any] = {}
    if isinstance(detector, ScoreMapDetector):
        options["extent"] = extent
        if sequence.n_frames > 1:
            load_compiled()
    with closing(read_ahead(fitted_frames(sequence, reading))) as fitted:
        for one in fitted:
            if one.image is None:
                yield FrameResult(**vars(one))
                continue
            start = time.perf_counter()
            try:
                found = detector.detect(one.image, value_range=one.value_range, **options)
            except IrbenchError as error:
                yield FrameResult(**{**vars(one), "error": str(error)})
                continue
            yield FrameResult(**vars(one), found=found, seconds=time.perf_counter() - start)


def fitted_frames(sequence: FrameSequence, reading: FrameReading) -> Iterator[FittedFrame]:
    """All frames as a detector gets them, with their errors; see :func:`detect_frames`."""
    dtype: np.dtype[Any] | None = None
    for frame in sequence.frames():
        if frame.pixels is None:
            yield FittedFrame(frame, None, frame.error)
            continue
        dtype = dtype or frame.pixels.dtype
        try:
            if frame.pixels.dtype != dtype and reading.found != AUTO_FRAME:
                raise ImageError(
                    f"{frame.name} holds {frame.pixels.dtype} values, the frames before "
                    f"{dtype}: black and white would be others; convert them to one type, or "
                    f"take --value-range {AUTO_FRAME}."
                )
            pixels, n_dead = frame.pixels, 0
            if reading.dead is not None:
                pixels, n_dead = reading.dead.replaced(pixels, frame.name)
                frame = replace(frame, pixels=pixels)
            image, value_range, n_clipped = fit_frame(
                pixels, reading.found, clips=reading.asked == AUTO
            )
            yield FittedFrame(frame, image, "", value_range, n_clipped, n_dead)
        except ImageError as error:
            yield FittedFrame(frame, None, str(error))
