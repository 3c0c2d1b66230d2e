"""Times of two runs, each as a ratio to a reference method's in the same run.

A machine that is twice as fast is so for all methods, more or less; a method that
has become slower is so beside the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

REFERENCE = "tophat"
"""The method that others are measured by, where both runs have it."""

Times = Mapping[str, Mapping[str, float]]
"""Milliseconds by method and image."""


@dataclass(frozen=True)
class TimeChange:
    """The time of a method in units of a reference's.

    Attributes
    ----------
    before, now : float
        Median over the images of time over the reference's median time.
    lower, median, upper : float
        Quartiles over the images of how many times as long each takes now.
    """

    before: float
    now: float
    lower: float
    median: float
    upper: float

    def is_slower(self, tolerance: float) -> bool:
        """Whether three quarters of the images take longer by more than ``tolerance``, relative."""
        return self.lower > 1 + tolerance

    def is_faster(self, tolerance: float) -> bool:
        """Whether three quarters of the images are faster by as large a factor."""
        return self.upper < 1 / (1 + tolerance)


def choose_reference(before: Times, now: Times) -> str | None:
    """The method that both runs have timed to measure the others by; None without one."""
    common = [method for method in before if before[method] and now.get(method)]
    if REFERENCE in common:
        return REFERENCE
    return common[0] if common else None


def time_change(before: Times, now: Times, method: str, reference: str) -> TimeChange | None:
    """Compare the times of a method between two runs.

    Parameters
    ----------
    before, now : mapping
        Of the two runs.
    method, reference : str

    Returns
    -------
    TimeChange or None
        None without images that both runs have timed.

    Examples
    --------
    >>> before = {"tophat": {"a": 1.0, "b": 1.0}, "mpcm": {"a": 4.0, "b": 6.0}}
    >>> now = {"tophat": {"a": 2.0, "b": 2.0}, "mpcm": {"a": 16.0, "b": 24.0}}
    >>> change = time_change(before, now, "mpcm", "tophat")
    >>> change.before, change.now, change.median
    (5.0, 10.0, 2.0)
    """
    images = sorted(before.get(method, {}).keys() & now.get(method, {}).keys())
    if not images:
        return None
    units = [float(np.median(list(run[reference].values()))) for run in (before, now)]
    first, second = (
        np.array([run[method][image] for image in images]) / unit
        for run, unit in zip((before, now), units, strict=True)
    )
    lower, median, upper = np.quantile(second / first, [0.25, 0.5, 0.75]).tolist()
    return TimeChange(float(np.median(first)), float(np.median(second)), lower, median, upper)
