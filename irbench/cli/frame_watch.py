"""What of a sequence of frames a person should know."""

from __future__ import annotations

from typing import Any

import numpy as np

from irbench.data.findings import plural
from irbench.images.auto_range import NARROW, RangeChoice, used_share
from irbench.images.dead_pixels import AUTO, LEAST_FRAMES, DeadChoice, suspected_dead_pixels
from irbench.images.reading import ValueRange
from irbench.messages.progress import Progress
from irbench.sequences.frame_detection import FrameResult
from irbench.sequences.opened_frames import FrameSequence

N_LOOKED_AT = 8
"""Frames, evenly spread, on which stuck pixels are looked for."""

N_NAMED = 10
"""Bad frames that are named."""


def warn_of_dead_pixels(sequence: FrameSequence, choice: DeadChoice, progress: Progress) -> None:
    """Report pixels that seem to be dead or stuck where none are to be replaced.

    Parameters
    ----------
    sequence : FrameSequence
        Of which a few frames are read.
    choice : str, DeadPixels or None
        What was said of dead pixels; None is nothing.
    progress : Progress
    """
    if choice is not None or sequence.n_frames < LEAST_FRAMES:
        return
    frames = (one.pixels for one in sequence.spread(N_LOOKED_AT) if one.pixels is not None)
    places = suspected_dead_pixels(frames)
    if places:
        row, column = places[0]
        progress.warn(
            f"{plural(len(places), 'pixel')} out of line with the neighbours on every frame that "
            f"was looked at, such as row {row}, column {column}: dead or stuck? If no target is "
            f"there, --dead-pixels {AUTO} replaces them."
        )


class BadFrames:
    """Names the first frames that were passed over, and counts the others.

    A film in which every frame is bad, as for a wrong value range, has 100,000 of them an hour.

    Parameters
    ----------
    progress : Progress
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.n = 0

    def add(self, result: FrameResult) -> None:
        """Count a frame, with its error."""
        self.n += 1
        if self.n <= N_NAMED:
            self._progress.warn(f"{result.frame.name}: {result.error}")

    def finish(self, where: str = "") -> None:
        """Report how many were not named; ``where`` says in which file they are."""
        if self.n > N_NAMED:
            self._progress.warn(f"{plural(self.n - N_NAMED, 'bad frame')} more{where}")


class FrameWatch:
    """Looks at all frames, and reports once what is odd: sizes that change, a range hardly used.

    Parameters
    ----------
    progress : Progress
    choice : (float, float), "auto", "auto-frame" or None
        The value range that was asked for.
    replaces : bool
        Whether dead pixels are replaced.
    of_model : (float, float), optional
        The range that a deployed model has where none was asked for.
    """

    def __init__(
        self,
        progress: Progress,
        choice: RangeChoice,
        replaces: bool = False,
        of_model: ValueRange | None = None,
    ) -> None:
        self._progress, self._choice, self._replaces = progress, choice, replaces
        self._of_model = of_model
        self._n_clipped = self._n_dead = self._n_pixels = 0
        self._shape: tuple[int, ...] | None = None
        self._reported: set[str] = set()

    def look_at(self, result: FrameResult) -> None:
        """See one frame."""
        pixels = result.frame.pixels
        if result.found is None or pixels is None:
            return
        self._n_clipped += result.n_clipped
        self._n_dead += result.n_dead
        self._n_pixels += pixels.size
        if self._shape not in (None, pixels.shape):
            self._report_once(
                "sizes",
                f"{result.frame.name} has the shape {pixels.shape}, the frame "
                f"before {self._shape}: frames of several sizes in one sequence.",
            )
        self._shape = pixels.shape
        if isinstance(self._choice, str) or pixels.dtype == np.uint8:
            return
        share = used_share(pixels, result.value_range or self._of_model)
        if share < NARROW:
            self._report_once(
                "narrow",
                f"{result.frame.name} uses {share:.1%} of its value range, so that a network sees "
                "hardly any contrast: --value-range BLACK WHITE of the camera, or auto.",
            )

    def _report_once(self, what: str, message: str) -> None:
        if what not in self._reported:
            self._reported.add(what)
            self._progress.warn(message)

    def facts(self) -> dict[str, Any]:
        """The shares of all pixels that were clipped, where a range was found, and replaced."""
        n = max(self._n_pixels, 1)
        clipped = {"clipped_share": self._n_clipped / n} if isinstance(self._choice, str) else {}
        return clipped | ({"dead_share": self._n_dead / n} if self._replaces else {})
