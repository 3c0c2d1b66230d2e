"""A threshold for a wanted number of alarms, from frames without labels.

Every detection of frames without targets is a false alarm, so that the threshold which so many
of them reach is known without a label. Of frames with targets in them it is too high a threshold
or too low a rate, never the other way round: the true rate of false alarms is at most the wanted
one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError
from irbench.statistics.poisson import poisson_interval

LEAST_ALARMS = 10
"""With fewer expected, the 95 % interval of the rate is wider than a factor of two either way."""


@dataclass(frozen=True)
class AlarmThreshold:
    """A threshold, and how sure it is.

    Attributes
    ----------
    threshold : float
        Keep ``score >= threshold``.
    n_alarms : int
        Detections of the frames that are kept.
    n_frames : int
    """

    threshold: float
    n_alarms: int
    n_frames: int

    @property
    def rate(self) -> float:
        """Alarms a frame on these frames."""
        return self.n_alarms / self.n_frames

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Poisson interval of the rate on further frames of the kind."""
        return poisson_interval(self.n_alarms, self.n_frames)


def check_frames(n_frames: int, alarms_per_frame: float) -> None:
    """Refuse frames that are too few to estimate a rate.

    Raises
    ------
    UsageError
        Saying how many are needed, and which rate so many frames can show.
    """
    if not alarms_per_frame > 0 or not math.isfinite(alarms_per_frame):
        raise UsageError(f"--alarms-per-frame must be above 0, got {alarms_per_frame}.")
    if n_frames * alarms_per_frame < LEAST_ALARMS - 1e-9:
        needed = math.ceil(LEAST_ALARMS / alarms_per_frame - 1e-9)
        # Rounded up to two digits, so that the rate that is named is enough.
        digits = 10.0 ** (1 - math.floor(math.log10(LEAST_ALARMS / max(n_frames, 1))))
        rate = math.ceil(LEAST_ALARMS / max(n_frames, 1) * digits - 1e-9) / digits
        raise UsageError(
            f"--alarms-per-frame {alarms_per_frame:g} needs at least {needed} frames, so that "
            f"{LEAST_ALARMS} alarms are expected and the rate is known to a factor of two; got "
            f"{n_frames}. Give more frames, or a rate of at least {rate:g}."
        )


def alarm_threshold(scores: NDArray[Any], n_frames: int, alarms_per_frame: float) -> AlarmThreshold:
    """The threshold that keeps at most so many alarms.

    Parameters
    ----------
    scores : (N,) ndarray of float32
        Of all detections on all frames.
    n_frames : int
    alarms_per_frame : float

    Returns
    -------
    AlarmThreshold
        Half way between the last score that is kept and the next; just above the best of equal
        scores where all of them would be too many. Where all detections are fewer than wanted,
        the least score.

    Raises
    ------
    UsageError
        If the frames are too few; see :func:`check_frames`.

    Examples
    --------
    >>> import numpy as np
    >>> alarm_threshold(np.arange(100.0), 100, 0.1)
    AlarmThreshold(threshold=89.5, n_alarms=10, n_frames=100)
    """
    check_frames(n_frames, alarms_per_frame)
    n_wanted = math.floor(n_frames * alarms_per_frame + 1e-9)
    descending = np.sort(np.asarray(scores, dtype=np.float64))[::-1]
    if len(descending) <= n_wanted:
        least = float(descending[-1]) if len(descending) else 0.0
        return AlarmThreshold(least, len(descending), n_frames)
    next_score = descending[n_wanted]
    n_kept = int(np.count_nonzero(descending > next_score))
    above = descending[n_kept - 1] if n_kept else np.nextafter(np.float32(next_score), np.inf)
    threshold = (float(above) + float(next_score)) / 2 if n_kept else float(above)
    return AlarmThreshold(threshold, n_kept, n_frames)
