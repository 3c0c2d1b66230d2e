"""Bootstrap over images: the spread of a metric, and confidence intervals from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from irbench.errors import UnknownNameError, UsageError
from irbench.progress import Progress
from irbench.statistics.image_statistics import ImageStatistics
from irbench.statistics.resamples import BLOCK_SIZE, Resamples

LEVEL = 0.95

IntervalKind = Literal["percentile", "basic", "bca"]
INTERVAL_KINDS = ("percentile", "basic", "bca")

Values = dict[str, NDArray[np.float64]]
"""``(n_resamples,)`` values by metric, NaN where a draw leaves it undefined."""


@dataclass(frozen=True)
class Interval:
    """An estimate and its confidence interval.

    Attributes
    ----------
    estimate : float or None
        On the images as they are; None where undefined.
    lower, upper : float or None
        None where the estimate, or every draw, is undefined.
    level : float
        In (0, 1).
    n_undefined : int
        Draws that left the metric undefined and were dropped.
    """

    estimate: float | None
    lower: float | None
    upper: float | None
    level: float = LEVEL
    n_undefined: int = 0


def resample(
    statistics: Mapping[str, ImageStatistics],
    resamples: Resamples,
    progress: Progress | None = None,
) -> dict[str, Values]:
    """Every metric of every method on every draw, the same draws for all methods.

    Parameters
    ----------
    statistics : mapping of str to ImageStatistics
        By method; all of the images of ``resamples``, in their order.
    resamples : Resamples
    progress : Progress, optional

    Returns
    -------
    dict of str to (dict of str to (n_resamples,) ndarray of float64)
        By method and metric; NaN where a draw leaves a metric undefined.

    Raises
    ------
    UsageError
    """
    spread: dict[str, Values] = {
        method: {metric: np.empty(resamples.n_resamples) for metric in one.metrics}
        for method, one in statistics.items()
    }
    n_blocks = math.ceil(resamples.n_resamples / BLOCK_SIZE)
    with (progress or Progress()).track("Resampling images", n_blocks) as advance:
        for block, weights in enumerate(resamples.blocks(BLOCK_SIZE)):
            draws = slice(block * BLOCK_SIZE, block * BLOCK_SIZE + weights.shape[1])
            for method, one in statistics.items():
                for metric, values in one.values(weights).items():
                    spread[method][metric][draws] = values
            advance()
    return spread


def jackknife(statistics: ImageStatistics) -> Values:
    """Every metric with each image left out in turn.

    Parameters
    ----------
    statistics : ImageStatistics

    Returns
    -------
    dict of str to (n_images,) ndarray of float64
    """
    n = statistics.n_images
    parts = []
    for start in range(0, n, BLOCK_SIZE):
        left_out = np.arange(start, min(start + BLOCK_SIZE, n))
        weights = np.ones((n, len(left_out)))
        weights[left_out, left_out - start] = 0.0
        parts.append(statistics.values(weights))
    return {
        metric: np.concatenate([part[metric] for part in parts]) for metric in statistics.metrics
    }


def confidence_interval(
    estimate: float | None,
    values: ArrayLike,
    level: float = LEVEL,
    kind: IntervalKind = "percentile",
    left_out: ArrayLike | None = None,
) -> Interval:
    """A confidence interval from the values of a bootstrap.

    Parameters
    ----------
    estimate : float or None
        On the images as they are.
    values : (n_resamples,) array_like of float
        On the draws; NaN where undefined. Such draws are dropped, and counted.
    level : float
        In (0, 1).
    kind : {"percentile", "basic", "bca"}
        Quantiles of the values [1]_; the same mirrored at the estimate; or quantiles
        corrected for bias and for a spread that changes with the value [2]_.
    left_out : (n_images,) array_like of float, optional
        Of :func:`jackknife`; ``"bca"`` needs it.

    Returns
    -------
    Interval

    Raises
    ------
    UsageError, UnknownNameError

    References
    ----------
    .. [1] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993,
       Eq. 13.5.
    .. [2] The same, Eqs. 14.9, 14.10, 14.14 and 14.15.

    Examples
    --------
    >>> interval = confidence_interval(2.0, [1.0, 2.0, 3.0, float("nan")], level=0.5)
    >>> interval.lower, interval.upper, interval.n_undefined
    (1.5, 2.5, 1)
    """
    if kind not in INTERVAL_KINDS:
        raise UnknownNameError("kind of interval", kind, INTERVAL_KINDS)
    if not 0 < level < 1:
        raise UsageError(f"level must be in (0, 1), got {level}.")
    all_values = np.asarray(values, dtype=np.float64)
    defined = all_values[~np.isnan(all_values)]
    n_undefined = len(all_values) - len(defined)
    if estimate is None or not len(defined):
        return Interval(estimate, None, None, level, n_undefined)
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if kind == "bca":
        if left_out is None:
            raise UsageError("left_out must be given for kind='bca'; jackknife() computes it.")
        tails = _bca_tails(tails, estimate, defined, np.asarray(left_out, dtype=np.float64))
    lower, upper = np.quantile(defined, tails).tolist()
    if kind == "basic":
        lower, upper = 2 * estimate - upper, 2 * estimate - lower
    return Interval(estimate, lower, upper, level, n_undefined)


def _bca_tails(
    tails: NDArray[np.float64],
    estimate: float,
    values: NDArray[np.float64],
    left_out: NDArray[np.float64],
) -> NDArray[np.float64]:
    from scipy.special import ndtr, ndtri

    n = len(values)
    # Values equal to the estimate count half to each side: metrics of few targets have many.
    below = ((values < estimate).sum() + (values <= estimate).sum()) / (2 * n)
    bias = ndtri(np.clip(below, 0.5 / n, 1 - 0.5 / n))
    influence = np.nanmean(left_out) - left_out[~np.isnan(left_out)]
    scale = 6 * np.sum(influence**2) ** 1.5
    acceleration = np.sum(influence**3) / scale if scale > 0 else 0.0
    shifted = bias + ndtri(tails)
    return np.asarray(ndtr(bias + shifted / (1 - acceleration * shifted)))
