"""Timing of functions, in turn with one another, and how time grows with size."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Quartiles:
    """Median and quartiles of a sample."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, sample: Sequence[float]) -> Quartiles:
        """Of at least one value."""
        low, middle, high = np.quantile(sample, [0.25, 0.5, 0.75])
        return cls(float(low), float(middle), float(high))


def timed(call: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of one call."""
    start = clock()
    call()
    return clock() - start


def on_copies(
    compute: Callable[[Any], Any], image: NDArray[Any], n_calls: int
) -> Callable[[], Any]:
    """Prepare a computation that may overwrite its image to be called ``n_calls`` times."""
    # Made before the clock starts.
    copies = iter([image.copy() for _ in range(n_calls)])
    return lambda: compute(next(copies))


def in_turn(
    first: Callable[[], Any],
    second: Callable[[], Any],
    n_rounds: Callable[[float], int],
    clock: Callable[[], float] = time.perf_counter,
) -> list[tuple[float, float]]:
    """Time two functions in turn, A B A B, so that a drift of the machine meets both.

    Parameters
    ----------
    first, second : callable
    n_rounds : callable
        Takes the seconds of one round, the warm-up, and returns how many to do.
    clock : callable
        Returns seconds; ``time.process_time`` counts those of this process alone.

    Returns
    -------
    list of (float, float)
        Seconds of both, per round, without the warm-up.
    """
    warm_up = timed(first, clock) + timed(second, clock)
    return [(timed(first, clock), timed(second, clock)) for _ in range(n_rounds(warm_up))]


def repeated(call: Callable[[], Any], n_most: int, budget_s: float) -> list[float]:
    """Time a function repeatedly after one warm-up, as far as a budget allows.

    Returns
    -------
    list of float
        Seconds: ``n_most`` values; fewer, but one at least, within ``budget_s``. A warm-up
        that takes as long as the budget is the one value: it warms nothing up.
    """
    warm_up = timed(call)
    if warm_up >= budget_s:
        return [warm_up]
    return [timed(call) for _ in range(min(n_most, max(1, int(budget_s / warm_up))))]


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float | None:
    """The exponent of a power law, by least squares of the logarithms.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of pixels.
    seconds : sequence of float

    Returns
    -------
    float or None
        None for less than two sizes.
    """
    if len(sizes) < 2:
        return None
    slope, _ = np.polyfit(np.log(sizes), np.log(seconds), 1)
    return float(slope)


def predicted(sizes: Sequence[int], seconds: Sequence[float], size: int) -> float:
    """Seconds to be expected at a greater size, from the last two measured; 0 without any."""
    if not sizes:
        return 0.0
    growth = 1.0 if len(sizes) < 2 else exponent(sizes[-2:], seconds[-2:])
    assert growth is not None
    return seconds[-1] * math.pow(size / sizes[-1], max(growth, 1.0))
