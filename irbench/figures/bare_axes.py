"""Axes without a tick, for panels of images."""

from __future__ import annotations

from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis


class _BareXAxis(XAxis):
    def reset_ticks(self) -> None:
        self.majorTicks, self.minorTicks = [], []

    def get_ticks_position(self) -> Literal["bottom"]:
        return "bottom"


class _BareYAxis(YAxis):
    def reset_ticks(self) -> None:
        self.majorTicks, self.minorTicks = [], []

    def get_ticks_position(self) -> Literal["left"]:
        return "left"


class BareAxes(Axes):
    """Axes that make no ticks.

    Others make four, only for them to be taken away: half of the time that axes take.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # As the first tick would do.
        for spine in self.spines.values():
            spine.set_position(("outward", 0.0))

    def _init_axis(self) -> None:
        self.xaxis, self.yaxis = _BareXAxis(self, clear=False), _BareYAxis(self, clear=False)
        for axis, sides in ((self.xaxis, ("bottom", "top")), (self.yaxis, ("left", "right"))):
            for side in sides:
                self.spines[side].register_axis(axis)
