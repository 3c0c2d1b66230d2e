"""Samples of a superpopulation, and which of their intervals and tests err."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
from _superpopulation import METRICS, Superpopulation

from irbench.statistics.bootstrap import (
    LEVEL,
    Interval,
    IntervalKind,
    Spread,
    confidence_interval,
    printed_interval,
    resample,
)
from irbench.statistics.paired import paired_difference
from irbench.statistics.resamples import Resamples

NAMES = tuple(metric.name for metric in METRICS)
PRINTED: Literal["printed"] = "printed"
"""The interval that irbench prints of a metric, or of a difference."""

Kind = IntervalKind | Literal["printed"]

_PRINT_EVERY = 200


@dataclass
class Misses:
    """Intervals of one metric and kind that do not hold the truth.

    Attributes
    ----------
    truth : float
    kind : str
        Of :data:`irbench.statistics.bootstrap.INTERVAL_KINDS`, or :data:`PRINTED`.
    too_high, too_low : int
        Intervals wholly above the truth, and wholly below.
    widths : list of float
        Of all intervals.
    """

    truth: float
    kind: Kind
    too_high: int = 0
    too_low: int = 0
    widths: list[float] = field(default_factory=list)

    @property
    def coverage(self) -> float:
        """Share of the intervals that hold the truth."""
        return 1 - (self.too_high + self.too_low) / len(self.widths)

    def add(self, estimate: float, spread: Spread, printed: Interval) -> None:
        """Make one interval more, or take the printed one."""
        found = printed
        if self.kind != PRINTED:
            found = confidence_interval(estimate, spread, LEVEL, self.kind)
        assert found.lower is not None
        assert found.upper is not None
        self.too_high += found.lower > self.truth
        self.too_low += found.upper < self.truth
        self.widths.append(found.upper - found.lower)


class Outcome:
    """What the samples of one size found.

    Parameters
    ----------
    populations : mapping of str to Superpopulation
        By detector, all with the same scenes; each is compared with the one after it.
    kinds, kinds_of_differences : sequence of str
        The intervals to make of metrics, and of differences.
    """

    def __init__(
        self,
        populations: Mapping[str, Superpopulation],
        kinds: tuple[Kind, ...],
        kinds_of_differences: tuple[Kind, ...],
    ) -> None:
        self.populations = populations
        titles = list(populations)
        self.pairs = list(pairwise(titles))
        self.values = {
            (title, name): [Misses(population.truth[name], kind) for kind in kinds]
            for title, population in populations.items()
            for name in NAMES
        }
        self.differences = {
            (pair, name): [
                Misses(np.subtract(*(populations[one].truth[name] for one in pair)), kind)
                for kind in kinds_of_differences
            ]
            for pair in self.pairs
            for name in NAMES
        }
        self.positives = {(title, name): 0 for title in titles for name in NAMES}
        """Samples in which a detector differs from its twin, which is as good."""

    def run(self, n_images: int, n_repetitions: int, n_resamples: int, seed: int = 0) -> None:
        """Draw samples of ``n_images``, and of each make every interval and test."""
        rng = np.random.default_rng([seed, n_images])
        ids = [f"{place:04d}" for place in range(n_images)]
        start = time.process_time()
        for repetition in range(n_repetitions):
            self._add_sample(rng, Resamples(ids, n_resamples, seed=repetition))
            if (repetition + 1) % _PRINT_EVERY == 0:
                seconds = time.process_time() - start
                print(f"  {repetition + 1} repetitions, {seconds:.0f} s of CPU", flush=True)

    def _add_sample(self, rng: np.random.Generator, resamples: Resamples) -> None:
        n_images = resamples.n_images
        first = next(iter(self.populations.values())).sample(rng, n_images)
        methods = {
            (title, voice): population.statistics(images)
            for title, population in self.populations.items()
            for voice, images in enumerate((first, population.twins(first)))
        }
        whole = {
            method: {
                name: float(values[0])
                for name, values in one.values(np.ones((n_images, 1))).items()
            }
            for method, one in methods.items()
        }
        spread = resample(methods, resamples)
        for (title, name), intervals in self.values.items():
            one, twin = (title, 0), (title, 1)
            printed = printed_interval(whole[one][name], spread[one][name])
            for interval in intervals:
                interval.add(whole[one][name], spread[one][name], printed)
            test = paired_difference(
                whole[one][name], whole[twin][name], spread[one][name], spread[twin][name]
            )
            assert test.p_value is not None
            self.positives[title, name] += test.p_value <= 1 - LEVEL
        for (pair, name), intervals in self.differences.items():
            # Of voices of their own, as two networks are that were trained apart.
            one, other = (pair[0], 0), (pair[1], 1)
            values = whole[one][name], whole[other][name]
            spreads = spread[one][name], spread[other][name]
            printed = paired_difference(*values, *spreads).interval
            for interval in intervals:
                interval.add(values[0] - values[1], spreads[0] - spreads[1], printed)
