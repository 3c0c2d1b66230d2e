"""Bootstrap over images: the spread of a metric, and confidence intervals from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UnknownNameError, UsageError
from irbench.messages.progress import Progress
from irbench.metrics.weighted import Draws
from irbench.resources import one_thread
from irbench.statistics.bca import Correction
from irbench.statistics.image_statistics import ImageStatistics
from irbench.statistics.resamples import Resamples, block_size
from irbench.statistics.standard_error import StandardError

LEVEL = 0.95

MOST_LEFT_OUT = 1000
"""Most values of a jackknife: of more images, several are left out at a time."""

IntervalKind = Literal["percentile", "basic", "expanded", "bca", "expanded-bca", "standard"]
INTERVAL_KINDS = ("percentile", "basic", "expanded", "bca", "expanded-bca", "standard")


@dataclass(frozen=True, eq=False)
class Spread:
    """A metric, or a difference of metrics, on other choices of images.

    Attributes
    ----------
    draws : (n_resamples,) ndarray of float64
        On the draws of a bootstrap; NaN where a draw leaves it undefined.
    left_out : (n_left_out,) ndarray of float64
        On all images but one, or but a few; NaN where undefined.
    with_miss : (n_resamples,) ndarray of float64, or None
        On the same draws with the targets that :attr:`~Resamples.missed` adds; None for a metric
        that does not count them, and for a difference.
    """

    draws: NDArray[np.float64]
    left_out: NDArray[np.float64]
    with_miss: NDArray[np.float64] | None = None

    @classmethod
    def undefined(cls, n_resamples: int, n_images: int) -> Spread:
        """That of a metric which is undefined whatever the images."""
        n_left_out = min(n_images, MOST_LEFT_OUT)
        return cls(np.full(n_resamples, np.nan), np.full(n_left_out, np.nan))

    def __sub__(self, other: Spread) -> Spread:
        """Of the difference; undefined where either is.

        Raises
        ------
        UsageError
        """
        for one, its in ((self.draws, other.draws), (self.left_out, other.left_out)):
            if one.shape != its.shape:
                raise UsageError(
                    "both methods must have one value per draw and image, got "
                    f"{one.shape} and {its.shape}: they are of different draws."
                )
        return Spread(self.draws - other.draws, self.left_out - other.left_out)

    @property
    def defined(self) -> NDArray[np.float64]:
        """The draws that leave it defined."""
        return self.draws[~np.isnan(self.draws)]


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
) -> dict[str, dict[str, Spread]]:
    """Every metric of every method on every draw, the same draws for all methods.

    Parameters
    ----------
    statistics : mapping of str to ImageStatistics
        By method; all of the images of ``resamples``, in their order.
    resamples : Resamples
    progress : Progress, optional

    Returns
    -------
    dict of str to (dict of str to Spread)
        By method and metric.

    Raises
    ------
    UsageError
    """
    with one_thread():
        return _resample(statistics, resamples, progress or Progress())


def _resample(
    statistics: Mapping[str, ImageStatistics], resamples: Resamples, progress: Progress
) -> dict[str, dict[str, Spread]]:
    spread = {
        method: {
            metric: Spread(
                np.empty(resamples.n_resamples),
                left_out,
                np.empty(resamples.n_resamples) if metric in one.adds_miss else None,
            )
            for metric, left_out in jackknife(one, resamples.id_ranks).items()
        }
        for method, one in statistics.items()
    }
    size = block_size(resamples.n_images)
    n_blocks = math.ceil(resamples.n_resamples / size)
    with progress.track("Resampling images", n_blocks) as advance:
        for block, weights in enumerate(resamples.blocks(size)):
            some = slice(block * size, block * size + weights.shape[1])
            for method, one in statistics.items():
                draws = Draws(weights)
                # Known before the first value is asked for, both are made at once.
                with_missed = draws.with_missed(resamples.missed[some])
                for metric, values in one.of_draws(draws).items():
                    spread[method][metric].draws[some] = values
                for metric, values in one.with_miss(with_missed).items():
                    target = spread[method][metric].with_miss
                    assert target is not None
                    target[some] = values
            advance()
    return spread


def jackknife(
    statistics: ImageStatistics, ranks: NDArray[np.int64] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Every metric with each image left out in turn.

    Of more than :data:`MOST_LEFT_OUT` images so many groups are left out. The skewness that an
    acceleration is made of is that of their sums, which has the same expectation. [1]_

    Parameters
    ----------
    statistics : ImageStatistics
    ranks : (n_images,) ndarray of int64, optional
        Of each image in an order that the groups, and what is returned, go by; by
        default that of the images.

    Returns
    -------
    dict of str to (n_left_out,) ndarray of float64
        NaN where undefined.

    References
    ----------
    .. [1] J. Shao and D. Tu, "The Jackknife and Bootstrap", 1995, Section 2.3 (delete-d and
       grouped jackknife).
    """
    n = statistics.n_images
    n_groups = min(n, MOST_LEFT_OUT)
    group = (np.arange(n) if ranks is None else ranks) % n_groups
    parts, size = [], block_size(n)
    for start in range(0, n_groups, size):
        left_out = np.arange(start, min(start + size, n_groups))
        parts.append(statistics.values((group[:, None] != left_out).astype(np.float64)))
    return {
        metric: np.concatenate([part[metric] for part in parts]) for metric in statistics.metrics
    }


def confidence_interval(
    estimate: float | None,
    spread: Spread,
    level: float = LEVEL,
    kind: IntervalKind = "expanded-bca",
) -> Interval:
    """A confidence interval from a bootstrap.

    Parameters
    ----------
    estimate : float or None
        On the images as they are.
    spread : Spread
        Draws that leave the metric undefined are dropped, and counted.
    level : float
        In (0, 1).
    kind : {"expanded-bca", "expanded", "bca", "percentile", "basic", "standard"}
        Quantiles of the draws corrected for bias, for a spread that changes with the value,
        and for few images; those corrected for few images alone; those corrected for the first two
        alone; the plain quantiles [1]_; those mirrored at the estimate; and the estimate with the
        standard error times Student's t on either side
        (:class:`~irbench.statistics.standard_error.StandardError`).
        :class:`~irbench.statistics.bca.Correction` has the references of the first three;
        ``benchmarks/interval_coverage.py`` measures which of them cover.

    Returns
    -------
    Interval
        Of no width where all draws are equal.

    Raises
    ------
    UsageError, UnknownNameError

    References
    ----------
    .. [1] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993,
       Eq. 13.5.

    Examples
    --------
    >>> import numpy as np
    >>> spread = Spread(np.array([1.0, 2.0, 3.0, np.nan]), np.array([1.5, 2.0, 2.5]))
    >>> interval = confidence_interval(2.0, spread, level=0.5, kind="percentile")
    >>> interval.lower, interval.upper, interval.n_undefined
    (1.5, 2.5, 1)
    """
    if kind not in INTERVAL_KINDS:
        raise UnknownNameError("kind of interval", kind, INTERVAL_KINDS)
    if not 0 < level < 1:
        raise UsageError(f"level must be in (0, 1), got {level}.")
    draws = spread.defined
    n_undefined = len(spread.draws) - len(draws)
    if estimate is None or not len(draws):
        return Interval(estimate, None, None, level, n_undefined)
    if kind == "standard":
        half = StandardError.of(draws, len(spread.left_out)).half_width(level)
        return Interval(estimate, estimate - half, estimate + half, level, n_undefined)
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if kind in ("expanded", "bca", "expanded-bca"):
        tails = correction_of(estimate, spread, kind).tails(level)
    lower, upper = np.quantile(draws, tails).tolist()
    if kind == "basic":
        lower, upper = 2 * estimate - upper, 2 * estimate - lower
    return Interval(estimate, lower, upper, level, n_undefined)


def printed_interval(estimate: float | None, spread: Spread, level: float = LEVEL) -> Interval:
    """The interval that is printed of a metric: ``"expanded-bca"``.

    Where missed targets are counted, it is ``"expanded"``, of the draws with them: they stand for
    what a correction of bias is for, which is itself unsure where few targets are missed.
    """
    if spread.with_miss is None:
        return confidence_interval(estimate, spread, level)
    return confidence_interval(
        estimate, Spread(spread.with_miss, spread.left_out), level, "expanded"
    )


def correction_of(estimate: float, spread: Spread, kind: IntervalKind) -> Correction:
    """How a kind of interval moves the quantiles of a spread with defined draws.

    Raises
    ------
    UsageError
        For a jackknife of fewer than two images.
    """
    if len(spread.left_out) < 2:
        raise UsageError(
            "left_out must have values without each of at least two images, "
            f"got {len(spread.left_out)}; jackknife() computes them."
        )
    if kind == "expanded":
        return Correction(0.0, 0.0, len(spread.left_out))
    expanded = kind == "expanded-bca"
    return Correction.of(estimate, spread.defined, spread.left_out, expanded)
