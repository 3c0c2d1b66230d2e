"""Tests between two methods on the same images: paired bootstrap and McNemar."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError
from irbench.statistics.bootstrap import (
    LEVEL,
    Interval,
    IntervalKind,
    Spread,
    confidence_interval,
    correction_of,
)
from irbench.statistics.standard_error import StandardError

KIND: IntervalKind = "expanded"
"""Of the interval of a difference."""

SECOND_KIND: IntervalKind = "standard"
"""Of a second interval, which that of a difference of average precision is joined with."""


@dataclass(frozen=True)
class PairedDifference:
    """The difference of a metric between two methods.

    Attributes
    ----------
    interval : Interval
        The first method's value minus the second's, and its interval.
    p_value : float or None
        Two-sided; None where the difference is undefined.
    """

    interval: Interval
    p_value: float | None


def paired_difference(
    first: float | None,
    second: float | None,
    first_spread: Spread,
    second_spread: Spread,
    level: float = LEVEL,
) -> PairedDifference:
    """Compare two methods by their values on the same draws of images.

    The interval is of the quantiles of the differences, corrected for few images alone: what
    makes the values of either method skew and biased mostly cancels in the difference, where the
    estimated corrections add an error of their own (``benchmarks/interval_coverage.py``).

    Of average precision two good detectors have few images that tell them apart, and quantiles of
    so few are unsure: there the interval is the union with the standard one, the methods differ
    where both say so, and the p-value is the greater of both. [2]_

    The p-value inverts the interval: it is the least ``1 - level`` whose interval leaves 0
    out, but never under ``2 / (n + 1)``, the least that n draws can show. [1]_ Draws equal to 0
    count to both sides: methods that are equal on every draw have p = 1.

    Parameters
    ----------
    first, second : float or None
        Of the two methods on the images as they are.
    first_spread, second_spread : Spread
        On the same draws. A draw that either method leaves undefined is dropped, and counted.
    level : float
        In (0, 1).

    Raises
    ------
    UsageError

    References
    ----------
    .. [1] A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their
       Application", 1997, Section 4.4, Eqs. 4.11 and 5.21.
    .. [2] R. L. Berger, "Multiparameter Hypothesis Testing and Acceptance Sampling",
       Technometrics 24(4), 1982 (the intersection-union test).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> draws, left_out = rng.normal(0.8, 0.1, 999), rng.normal(0.8, 0.01, 100)
    >>> one, other = Spread(draws, left_out), Spread(draws - 0.3, left_out - 0.3)
    >>> round(paired_difference(0.8, 0.5, one, other).p_value, 3)
    0.002
    """
    spread = first_spread - second_spread
    estimate = None if first is None or second is None else first - second
    interval = confidence_interval(estimate, spread, level, KIND)
    if estimate is None or interval.lower is None:
        return PairedDifference(interval, None)
    draws = spread.defined
    below, above = float(np.mean(draws <= 0)), float(np.mean(draws >= 0))
    p_value = 1 - correction_of(estimate, spread, KIND).level(below, above)
    if first_spread.with_miss is not None and second_spread.with_miss is not None:
        interval = _union(interval, confidence_interval(estimate, spread, level, SECOND_KIND))
        error = StandardError.of(draws, len(spread.left_out))
        p_value = max(p_value, error.p_value(estimate))
    return PairedDifference(interval, min(1.0, max(p_value, 2 / (len(draws) + 1))))


def _union(one: Interval, other: Interval) -> Interval:
    """From the lower of the lower ends to the upper of the upper ones."""
    assert one.lower is not None
    assert one.upper is not None
    assert other.lower is not None
    assert other.upper is not None
    return replace(one, lower=min(one.lower, other.lower), upper=max(one.upper, other.upper))


@dataclass(frozen=True)
class McNemar:
    """The exact test of McNemar, over targets.

    Attributes
    ----------
    both, only_first, only_second, neither : int
        Targets by which of the two methods finds them.
    p_value : float
        Two-sided.
    """

    both: int
    only_first: int
    only_second: int
    neither: int
    p_value: float

    @property
    def difference(self) -> float | None:
        """The first method's share of found targets minus the second's; None without targets."""
        n = self.both + self.only_first + self.only_second + self.neither
        return (self.only_first - self.only_second) / n if n else None


def mcnemar_exact(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> McNemar:
    """Test whether two methods find as many of the same targets.

    Only targets that one of them alone finds say anything: were the methods equal,
    each would be either's with probability 1/2, so the test is a binomial one. [1]_

    Parameters
    ----------
    first, second : (n_targets,) ndarray of bool
        Whether each method finds each target.

    Returns
    -------
    McNemar
        With p = 1 where no target is found by one alone.

    Raises
    ------
    UsageError

    Notes
    -----
    Targets count as independent. Those of one image share its background, so where
    images hold many, the bootstrap over images is the one to believe.

    References
    ----------
    .. [1] Q. McNemar, "Note on the Sampling Error of the Difference Between
       Correlated Proportions or Percentages", Psychometrika 12, 1947.

    Examples
    --------
    >>> import numpy as np
    >>> mcnemar_exact(np.array([True] * 4 + [False]), np.array([False] * 4 + [False])).p_value
    0.125
    """
    from scipy.stats import binomtest

    if first.shape != second.shape or first.ndim != 1:
        raise UsageError(
            "both methods must have one outcome per target, got "
            f"{first.shape} and {second.shape}: they are of different targets."
        )
    only_first = int(np.count_nonzero(first & ~second))
    only_second = int(np.count_nonzero(~first & second))
    n = only_first + only_second
    return McNemar(
        both=int(np.count_nonzero(first & second)),
        only_first=only_first,
        only_second=only_second,
        neither=int(np.count_nonzero(~(first | second))),
        p_value=float(binomtest(only_first, n, 0.5).pvalue) if n else 1.0,
    )
