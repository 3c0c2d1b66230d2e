"""Scores of a part of the targets: by area, by signal-to-clutter ratio, by image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.average_precision import average_precision_coco101
from irbench.metrics.breakdown import UNDEFINED_RATIO, Bin
from irbench.metrics.curve import PrecisionRecallCurve


@dataclass(frozen=True, eq=False)
class Strata:
    """A division of targets, or of images, into levels.

    Attributes
    ----------
    by : str
        ``"area"``, ``"scr"`` or ``"targets"``.
    names : tuple of str
        Of the levels, in order.
    level : (N,) ndarray of int64
        Of each target or image.
    """

    by: str
    names: tuple[str, ...]
    level: NDArray[np.int64]


def strata_of(by: str, values: NDArray[Any], bins: Sequence[Bin]) -> Strata:
    """Divide by bins; what lies in none, as NaN does, forms a last level of its own.

    Parameters
    ----------
    by : str
    values : (N,) ndarray
        Area or signal-to-clutter ratio of each target, or number of targets of each image.
    bins : sequence of Bin
        See :mod:`irbench.metrics.breakdown`.

    Examples
    --------
    >>> from irbench.metrics.breakdown import SCR_BINS
    >>> strata = strata_of("scr", np.array([0.5, 3.0, 99, np.nan]), SCR_BINS)
    >>> [strata.names[level] for level in strata.level]
    ['< 3', '3–6', '≥ 6', 'undefined']
    """
    level = np.full(len(values), len(bins), dtype=np.int64)
    for index, one in enumerate(bins):
        level[one.holds(values)] = index
    names = tuple(one.label for one in bins)
    if (level == len(bins)).any():
        names = (*names, UNDEFINED_RATIO)
    return Strata(by, names, level)


class StratumScores:
    """AP and F1 of a part of the targets, comparable with those of all.

    Precision of a part has no definition of its own, as a false alarm belongs to no target.
    As Hoiem et al. do, a part is scored as if the set held its kind of target only, as many
    as all targets: its hits count ``n_targets / n_part`` times, hits on other targets do not
    count, and every false alarm does. [1]_ Of all targets it is the ordinary score.

    Parameters
    ----------
    scores : (n_detections,) ndarray of float64
        Of all detections.
    n_targets : int
    threshold : float, optional
        The operating point, for F1.

    References
    ----------
    .. [1] D. Hoiem, Y. Chodpathumwan, Q. Dai, "Diagnosing Error in Object Detectors", ECCV
       2012 (normalised precision).
    """

    def __init__(
        self, scores: NDArray[np.float64], n_targets: int, threshold: float | None = None
    ) -> None:
        self.scores, self.n_targets, self.threshold = scores, n_targets, threshold
        ascending = np.sort(scores)
        self._n_at_least = len(scores) - np.searchsorted(ascending, scores, side="left")
        self._n_kept = 0 if threshold is None else int(np.count_nonzero(scores >= threshold))

    def average_precision(
        self, hits: NDArray[np.int64], member: NDArray[np.bool_], n_part: int
    ) -> float | None:
        """Normalised average precision of a part.

        Parameters
        ----------
        hits : (n_hits,) ndarray of int64
            The detections that hit any target.
        member : (n_hits,) ndarray of bool
            Whether that target belongs to the part.
        n_part : int
            Targets of the part.

        Returns
        -------
        float or None
            In [0, 1]; None where the part is empty.
        """
        if n_part == 0:
            return None
        order = np.argsort(-self.scores[hits], kind="stable")
        ranked, counts = hits[order], member[order]
        points = self.scores[ranked]
        # The last hit of each score: all of one score enter together.
        last = np.append(points[1:] != points[:-1], True)[: len(points)]
        true = np.cumsum(counts)[last].astype(np.float64)
        false = (self._n_at_least[ranked] - np.arange(1, len(ranked) + 1))[last]
        # Fewer false alarms instead of more hits: so recall stays an exact ratio.
        kept = true + false * (n_part / self.n_targets)
        some = true > 0
        curve = PrecisionRecallCurve(points[last][some], true[some], kept[some], n_part)
        return average_precision_coco101(curve).value

    def f1(self, hits: NDArray[np.int64], member: NDArray[np.bool_], n_part: int) -> float | None:
        """Normalised F1 of a part at the operating point.

        Parameters
        ----------
        hits, member, n_part
            As for :meth:`average_precision`.

        Returns
        -------
        float or None
            In [0, 1]; None where the part is empty or there is no threshold.
        """
        if n_part == 0 or self.threshold is None:
            return None
        kept = self.scores[hits] >= self.threshold
        false = self._n_kept - int(kept.sum())
        true = int(np.count_nonzero(kept & member))
        return 2 * true / (true + false * (n_part / self.n_targets) + n_part)


def shares(flags: NDArray[np.bool_], level: NDArray[np.int64], n_levels: int) -> list[float | None]:
    """The share of true flags in each level; None where a level is empty."""
    total = np.bincount(level, minlength=n_levels)
    true = np.bincount(level[flags], minlength=n_levels)
    return [
        float(part) / float(whole) if whole else None
        for part, whole in zip(true, total, strict=True)
    ]
