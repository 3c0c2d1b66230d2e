"""Axes of the charts: which values they span, and where the ticks are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MOST_TICKS = 6
_STEPS = (2, 5, 10, 20)
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Axis:
    """One axis of a chart.

    Parameters
    ----------
    label : str
    low, high : float
        The values at its ends; of a linear axis at most 100 apart.
    logarithmic : bool
        Then both are powers of ten.
    """

    label: str
    low: float
    high: float
    logarithmic: bool = False

    def positions(self, values: ArrayLike) -> NDArray[np.float64]:
        """Where values lie, 0 at the low end and 1 at the high; what is beyond, at the end."""
        array = np.asarray(values, dtype=np.float64)
        low, high = self.low, self.high
        if self.logarithmic:
            array = np.log10(np.maximum(array, low))
            low, high = math.log10(low), math.log10(high)
        return np.clip((array - low) / (high - low), 0.0, 1.0)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Position and text of each tick, at most seven."""
        if not self.logarithmic:
            span = self.high - self.low
            step = next((one for one in _STEPS if span / one <= _MOST_TICKS), _STEPS[-1])
            values = np.arange(self.low, self.high + step / 2, step)
            values = values[values <= self.high].tolist()
            return [((value - self.low) / span, f"{value:g}") for value in values]
        first, last = round(math.log10(self.low)), round(math.log10(self.high))
        step = max(1, math.ceil((last - first) / _MOST_TICKS))
        return [
            ((power - first) / (last - first), _power(power))
            for power in range(first, last + 1, step)
        ]


@dataclass(frozen=True)
class NamedAxis(Axis):
    """An axis of named categories, the same distance from each other, from 0 on.

    Attributes
    ----------
    names : tuple of str
        At least two.
    """

    names: tuple[str, ...] = ()

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Position and text of each category."""
        return [(index / self.high, name) for index, name in enumerate(self.names)]


def named_axis(label: str, names: Sequence[str]) -> NamedAxis:
    """An axis of named categories.

    Examples
    --------
    >>> named_axis("bit", ["clean", "8", "6"]).ticks
    [(0.0, 'clean'), (0.5, '8'), (1.0, '6')]
    """
    return NamedAxis(label, 0.0, float(len(names) - 1), names=tuple(names))


def _power(power: int) -> str:
    if 0 <= power <= 3:
        return str(10**power)
    return (
        f"0.{'0' * (-power - 1)}1" if -2 <= power < 0 else f"10{str(power).translate(_SUPERSCRIPT)}"
    )


def log_axis(label: str, values: Iterable[float]) -> Axis:
    """A logarithmic axis of whole decades that holds all positive values.

    Examples
    --------
    >>> axis = log_axis("ms", [3.0, 240.0])
    >>> axis.low, axis.high
    (1.0, 1000.0)
    """
    positive = [value for value in values if value > 0 and math.isfinite(value)] or [1.0]
    first = math.floor(math.log10(min(positive)))
    last = max(math.ceil(math.log10(max(positive))), first + 1)
    return Axis(label, 10.0**first, 10.0**last, logarithmic=True)


def share_axis(label: str, highest: float = 1.0) -> Axis:
    """A linear axis from 0, in percent, to the next tenth above ``highest``."""
    return Axis(label, 0.0, 10.0 * max(math.ceil(round(highest * 10, 9)), 1))
