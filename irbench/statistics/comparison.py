"""Several methods on the same images: intervals, differences, ranking, who finds what alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError
from irbench.ground_truth import GroundTruth
from irbench.messages.progress import Progress
from irbench.metrics.definition import get_metric, quality_metrics
from irbench.metrics.merit import merit
from irbench.scoring.scored_output import RULES, ScoredOutput
from irbench.statistics.bootstrap import LEVEL, Interval, Spread, printed_interval, resample
from irbench.statistics.image_statistics import ImageStatistics
from irbench.statistics.multiple_testing import holm
from irbench.statistics.paired import McNemar, PairedDifference, mcnemar_exact, paired_difference
from irbench.statistics.ranking import RankedMethod, rank_methods
from irbench.statistics.resamples import Resamples

FEW_IMAGES = 20
"""Intervals from fewer images are reported to be too narrow."""


@dataclass(frozen=True)
class PairTest:
    """Two methods compared by one metric, or by the targets found under one rule.

    Attributes
    ----------
    first, second : str
    by : str
        The metric, or a rule of :data:`~irbench.scoring.scored_output.RULES`.
    test : PairedDifference, McNemar or None
        None where the rule cannot be applied: a method has no operating point.
    p_holm : float or None
        The test's p-value adjusted over the other pairs of the comparison; of two
        methods alone, over all its metrics and rules. None where there is none.
    """

    first: str
    second: str
    by: str
    test: PairedDifference | McNemar | None
    p_holm: float | None


class Comparison:
    """Several methods on the same images, by several metrics.

    Parameters
    ----------
    outputs : mapping of str to ScoredOutput
        By method, two or more, all of the same images in the same order.
    truths : sequence of GroundTruth
        Those images.
    metrics : collection of str, optional
        Metrics of quality; by default those that any of the outputs has a value of.
    resamples : Resamples
        Of the images, in their order.
    level : float
        Of the intervals, in (0, 1); pairs differ at ``1 - level``.
    progress : Progress, optional

    Raises
    ------
    UsageError, UnknownNameError
    """

    def __init__(
        self,
        outputs: Mapping[str, ScoredOutput],
        truths: Sequence[GroundTruth],
        metrics: Collection[str] | None = None,
        *,
        resamples: Resamples,
        level: float = LEVEL,
        progress: Progress | None = None,
    ) -> None:
        if len(outputs) < 2:
            raise UsageError(f"outputs must be of at least two methods, got {len(outputs)}.")
        if tuple(truth.id for truth in truths) != tuple(resamples.image_ids):
            raise UsageError("resamples must be of the images of truths, in the same order.")
        self.outputs = dict(outputs)
        self.truths = truths
        if metrics is None:
            results = [output.result for output in self.outputs.values()]
            metrics = [
                name
                for name in quality_metrics()
                if any(one.values.get(name) is not None for one in results)
            ]
        self.metrics = tuple(metrics)
        self.resamples = resamples
        self.level = level
        statistics = {
            method: ImageStatistics.of(output.result, self.metrics)
            for method, output in self.outputs.items()
        }
        self._spread = resample(statistics, resamples, progress)

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods."""
        return tuple(self.outputs)

    def estimate(self, method: str, metric: str) -> float | None:
        """A method's value on the images as they are."""
        return self.outputs[method].result.values[metric]

    def interval(self, method: str, metric: str) -> Interval:
        """A method's value, and its interval."""
        spread = self._spread_of(method, metric)
        return printed_interval(self.estimate(method, metric), spread, self.level)

    def tests(self, by: str) -> list[PairTest]:
        """All pairs by one metric or rule, in the order of :attr:`methods`."""
        return self._tests[by]

    def difference(self, first: str, second: str, metric: str) -> PairedDifference:
        """Two methods by one metric, the first minus the second."""
        return paired_difference(
            self.estimate(first, metric),
            self.estimate(second, metric),
            self._spread_of(first, metric),
            self._spread_of(second, metric),
            self.level,
        )

    def p_holm(self, by: str) -> NDArray[np.float64]:
        """``(n_methods, n_methods)`` adjusted p-values by one metric or rule; NaN for none."""
        n = len(self.methods)
        p = np.full((n, n), np.nan)
        for (i, j), one in zip(combinations(range(n), 2), self.tests(by), strict=True):
            p[i, j] = p[j, i] = np.nan if one.p_holm is None else one.p_holm
        return p

    def ranking(self, metric: str) -> list[RankedMethod]:
        """The methods by one metric, best first, with the groups not distinguishable.

        In false alarms, one that keeps no detection has no rank.
        """
        definition = get_metric(metric)
        estimates = {
            method: merit(output.result.values, definition)
            for method, output in self.outputs.items()
        }
        higher = bool(definition.higher_is_better)
        return rank_methods(estimates, self.p_holm(metric), higher, 1 - self.level)

    def found_alone(self, method: str, rule: str) -> list[tuple[GroundTruth, int]]:
        """The targets that this method finds and no other of the comparison does.

        Parameters
        ----------
        method : str
        rule : {"overlap", "distance"}

        Returns
        -------
        list of (GroundTruth, int)
            The image, and the target's position in it.
        """
        found = {name: one.found[rule] for name, one in self.outputs.items() if rule in one.found}
        if method not in found:
            return []
        n_finders = np.sum(list(found.values()), axis=0)
        targets = [(truth, index) for truth in self.truths for index in range(len(truth.boxes))]
        return [targets[index] for index in np.flatnonzero(found[method] & (n_finders == 1))]

    @cached_property
    def _tests(self) -> dict[str, list[PairTest]]:
        pairs = list(combinations(self.methods, 2))
        tests: dict[str, list[PairedDifference | McNemar | None]] = {
            metric: [self.difference(*pair, metric) for pair in pairs] for metric in self.metrics
        }
        tests |= {rule: [self._mcnemar(*pair, rule) for pair in pairs] for rule in RULES}
        p = {by: [_p_value(test) for test in found] for by, found in tests.items()}
        if len(pairs) == 1:
            family = holm([values[0] for values in p.values()])
            adjusted = {by: family[index : index + 1] for index, by in enumerate(p)}
        else:
            adjusted = {by: holm(values) for by, values in p.items()}
        return {
            by: [
                PairTest(*pair, by, test, None if np.isnan(value) else float(value))
                for pair, test, value in zip(pairs, found, adjusted[by], strict=True)
            ]
            for by, found in tests.items()
        }

    def _mcnemar(self, first: str, second: str, rule: str) -> McNemar | None:
        one, other = self.outputs[first].found, self.outputs[second].found
        return mcnemar_exact(one[rule], other[rule]) if rule in one and rule in other else None

    def _spread_of(self, method: str, metric: str) -> Spread:
        # A metric that the evaluation left undefined was not resampled.
        spread = self._spread[method].get(metric)
        if spread is None:
            return Spread.undefined(self.resamples.n_resamples, self.resamples.n_images)
        return spread


def _p_value(test: PairedDifference | McNemar | None) -> float:
    return np.nan if test is None or test.p_value is None else test.p_value
