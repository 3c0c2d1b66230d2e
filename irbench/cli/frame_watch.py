"""What of the frames of ``irbench detect`` a person should know."""

from __future__ import annotations

from typing import Any

import numpy as np

from irbench.auto_range import NARROW, RangeChoice, used_share
from irbench.progress import Progress
from irbench.sequences.detection import FrameResult


class FrameWatch:
    """Looks at all frames, and reports once what is odd: sizes that change, a range hardly used.

    Parameters
    ----------
    progress : Progress
    choice : (float, float), "auto", "auto-frame" or None
        The value range that was asked for.
    replaces : bool
        Whether dead pixels are replaced.
    """

    def __init__(self, progress: Progress, choice: RangeChoice, replaces: bool = False) -> None:
        self._progress, self._choice, self._replaces = progress, choice, replaces
        self._n_clipped = self._n_dead = self._n_pixels = 0
        self._shape: tuple[int, ...] | None = None
        self._told: set[str] = set()

    def look_at(self, result: FrameResult) -> None:
        """See one frame."""
        pixels = result.frame.pixels
        if result.found is None or pixels is None:
            return
        self._n_clipped += result.n_clipped
        self._n_dead += result.n_dead
        self._n_pixels += pixels.size
        if self._shape not in (None, pixels.shape):
            self._tell(
                "sizes",
                f"{result.frame.name} has the shape {pixels.shape}, the frame "
                f"before {self._shape}: frames of several sizes in one sequence.",
            )
        self._shape = pixels.shape
        if isinstance(self._choice, str) or pixels.dtype == np.uint8:
            return
        share = used_share(pixels, result.value_range)
        if share < NARROW:
            self._tell(
                "narrow",
                f"{result.frame.name} uses {share:.1%} of its value range, so that a network sees "
                "hardly any contrast: --value-range BLACK WHITE of the camera, or auto.",
            )

    def _tell(self, what: str, message: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._progress.warn(message)

    def facts(self) -> dict[str, Any]:
        """The shares of all pixels that were clipped, where a range was found, and replaced."""
        n = max(self._n_pixels, 1)
        clipped = {"clipped_share": self._n_clipped / n} if isinstance(self._choice, str) else {}
        return clipped | ({"dead_share": self._n_dead / n} if self._replaces else {})
