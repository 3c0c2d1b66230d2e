"""Alarms as an engineer counts them: per frame, per hour, per megapixel."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from irbench.statistics.poisson import poisson_interval

DEFAULT_FRAME_RATE = 25.0


@dataclass
class AlarmCount:
    """Alarms of frames, counted one frame after another in constant memory.

    Attributes
    ----------
    n_frames, n_alarms, n_pixels : int
    per_frame : Counter of int
        How many frames have so many alarms.
    worst : (str, int)
        The frame of most alarms, and their number.

    Examples
    --------
    >>> count = AlarmCount()
    >>> for name, n in (("a", 0), ("b", 3), ("c", 0)):
    ...     count.add(name, n, n_pixels=1000)
    >>> count.per_hour(25.0), count.per_megapixel, count.share_without
    (90000.0, 1000.0, 0.6666666666666666)
    """

    n_frames: int = 0
    n_alarms: int = 0
    n_pixels: int = 0
    per_frame: Counter[int] = field(default_factory=Counter)
    worst: tuple[str, int] = ("", 0)

    def add(self, frame: str, n_alarms: int, n_pixels: int) -> None:
        """Count one frame."""
        self.n_frames += 1
        self.n_alarms += n_alarms
        self.n_pixels += n_pixels
        self.per_frame[n_alarms] += 1
        if n_alarms > self.worst[1]:
            self.worst = (frame, n_alarms)

    @property
    def rate(self) -> float:
        """Alarms a frame."""
        return self.n_alarms / self.n_frames

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Poisson interval of :attr:`rate`: of alarms that come independently."""
        return poisson_interval(self.n_alarms, self.n_frames)

    def per_hour(self, frame_rate: float) -> float:
        """Alarms an hour at so many frames a second."""
        return self.rate * frame_rate * 3600

    @property
    def per_megapixel(self) -> float:
        """Alarms in a million pixels."""
        return self.n_alarms / (self.n_pixels / 1e6)

    @property
    def share_without(self) -> float:
        """Share of the frames that have none."""
        return self.per_frame[0] / self.n_frames

    def as_dict(self, frame_rate: float) -> dict[str, Any]:
        """All of it as JSON; empty of rates where no frame was read."""
        counts: dict[str, Any] = {"n_frames": self.n_frames, "n_alarms": self.n_alarms}
        if self.n_frames == 0:
            return counts
        return counts | {
            "alarms_per_frame": self.rate,
            "interval_95": list(self.interval),
            "alarms_per_hour": self.per_hour(frame_rate),
            "frame_rate": frame_rate,
            "alarms_per_megapixel": self.per_megapixel,
            "share_of_frames_without": self.share_without,
            "worst_frame": {"frame": self.worst[0], "n_alarms": self.worst[1]},
            "histogram": {str(n): self.per_frame[n] for n in sorted(self.per_frame)},
        }

    def describe(self, frame_rate: float) -> list[str]:
        """Some lines for a person."""
        if self.n_frames == 0:
            return []
        low, high = self.interval
        rates = (
            f"alarms: {self.rate:.3g} a frame (95 % {low:.2g} to {high:.2g}), "
            f"{self.per_hour(frame_rate):,.0f} an hour at {frame_rate:g} frames/s, "
            f"{self.per_megapixel:.3g} a megapixel"
        )
        lines = [rates]
        if self.n_frames > 1:
            most = f"; most {self.worst[1]}, on {self.worst[0]}" if self.worst[1] else ""
            lines.append(f"frames without: {self.share_without:.1%}{most}")
        return lines
