"""Tests between two methods on the same images: paired bootstrap and McNemar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from irbench.errors import UsageError
from irbench.statistics.bootstrap import LEVEL, Interval, confidence_interval


@dataclass(frozen=True)
class PairedDifference:
    """The difference of a metric between two methods.

    Attributes
    ----------
    interval : Interval
        The first method's value minus the second's, and its percentile interval.
    p_value : float or None
        Two-sided; None where the difference is undefined.
    """

    interval: Interval
    p_value: float | None


def paired_difference(
    first: float | None,
    second: float | None,
    first_values: ArrayLike,
    second_values: ArrayLike,
    level: float = LEVEL,
) -> PairedDifference:
    """Compare two methods by their values on the same draws of images.

    The p-value inverts the percentile interval: it is the least ``1 - level`` whose
    interval leaves 0 out, ``2 min(#{d <= 0}, #{d >= 0}) / n`` with 1 added to the
    count and to ``n``, so that it is never 0. [1]_ Ties count to both sides: equal
    methods have p = 1.

    Parameters
    ----------
    first, second : float or None
        Of the two methods on the images as they are.
    first_values, second_values : (n_resamples,) array_like of float
        On the draws, the same ones for both; NaN where undefined. A draw that
        either method leaves undefined is dropped, and counted.
    level : float
        In (0, 1).

    Returns
    -------
    PairedDifference

    Raises
    ------
    UsageError

    References
    ----------
    .. [1] A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their
       Application", 1997, Section 4.4 and Eq. 4.11.

    Examples
    --------
    >>> paired_difference(0.9, 0.6, [0.8, 0.9, 0.9], [0.6, 0.6, 0.7]).p_value
    0.5
    """
    one, other = np.asarray(first_values, np.float64), np.asarray(second_values, np.float64)
    if one.shape != other.shape or one.ndim != 1:
        raise UsageError(
            "both methods must have one value per draw, got "
            f"{one.shape} and {other.shape}: they are of different draws."
        )
    estimate = None if first is None or second is None else first - second
    differences = one - other
    interval = confidence_interval(estimate, differences, level)
    if interval.lower is None:
        return PairedDifference(interval, None)
    defined = differences[~np.isnan(differences)]
    least = int(min(np.count_nonzero(defined <= 0), np.count_nonzero(defined >= 0)))
    return PairedDifference(interval, min(1.0, 2 * (least + 1) / (len(defined) + 1)))


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
