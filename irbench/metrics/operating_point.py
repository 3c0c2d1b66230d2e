"""How the score threshold is found at which P, R, F1, Pd and Fa are read.

A rule is an object of its own: it says whether it has seen the tested split, and
returns a threshold ``t``; ``score >= t`` is kept.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from irbench.errors import MissingValidationError, UsageError
from irbench.metrics.curve import precision_recall_curve
from irbench.metrics.match_table import MatchTable
from irbench.metrics.value import NO_DETECTIONS, NO_TARGETS, MetricValue
from irbench.protocol import Protocol

NO_STANDARD_DEVIATIONS = "scores are not in standard deviations of a score map"
"""Why ``"mean-kstd"`` has no threshold for a method of another kind."""


def best_f1_threshold(
    table: MatchTable, iou_index: int = 0, weights: NDArray[Any] | None = None
) -> MetricValue:
    """The threshold of greatest F1; of equal ones, the highest.

    Parameters
    ----------
    table : MatchTable
    iou_index : int
        Column of the table; see :meth:`MatchTable.iou_index`.
    weights : (n_images,) array_like, optional
        How often each image counts.

    Returns
    -------
    MetricValue
        A score that occurs. Undefined without detections, where every threshold
        keeps the same, and without targets, where F1 is; who must continue with a
        number takes ``math.inf``, which keeps nothing. Where no detection is a
        hit, every F1 is 0 and the threshold is the greatest score.

    Examples
    --------
    >>> from irbench.metrics.matching import match_detections
    >>> box, elsewhere = [0, 0, 4, 4], [9, 9, 12, 12]
    >>> best_f1_threshold(match_detections([[box, elsewhere]], [[0.9, 0.2]], [[box]])).value
    0.9
    """
    curve = precision_recall_curve(table, iou_index, weights)
    if curve.n_targets == 0:
        return MetricValue(None, NO_TARGETS)
    if len(curve) == 0:
        return MetricValue(None, NO_DETECTIONS)
    # argmax returns the first, and the thresholds descend.
    return MetricValue(float(curve.thresholds[np.argmax(curve.f1)]))


class OperatingPointRule(ABC):
    """Base of the threshold rules.

    Attributes
    ----------
    name : str
        As a protocol names it.
    """

    name: ClassVar[str]

    @abstractmethod
    def threshold(self, validation: MatchTable | None, tested: MatchTable) -> MetricValue:
        """Find the threshold.

        Parameters
        ----------
        validation : MatchTable or None
            Of the validation split, where there is one.
        tested : MatchTable
            Of the split the numbers will be of.

        Returns
        -------
        MetricValue
            Keep ``score >= value``.

        Raises
        ------
        MissingValidationError
            If the rule needs validation data and got None.
        """


@dataclass(frozen=True)
class ValidationF1(OperatingPointRule):
    """The best F1 on validation data, ties to the higher; see :func:`best_f1_threshold`."""

    name = "val-f1"
    iou_threshold: float = 0.5

    def threshold(self, validation: MatchTable | None, tested: MatchTable) -> MetricValue:
        """See :meth:`OperatingPointRule.threshold`."""
        if validation is None:
            raise MissingValidationError(
                "operating_point='val-f1' needs validation data and there is none: name a "
                "calibration, or take operating_point='fixed'."
            )
        return best_f1_threshold(validation, validation.iou_index(self.iou_threshold))


@dataclass(frozen=True)
class FixedThreshold(OperatingPointRule):
    """A threshold that was given."""

    name = "fixed"
    value: float

    def __post_init__(self) -> None:
        if math.isnan(self.value):
            raise UsageError("fixed_threshold must be a number, got NaN.")

    def threshold(self, validation: MatchTable | None, tested: MatchTable) -> MetricValue:
        """See :meth:`OperatingPointRule.threshold`."""
        return MetricValue(self.value)


@dataclass(frozen=True)
class MeanKStd(OperatingPointRule):
    """Mean plus ``n_std`` standard deviations of each image's map.

    Standardised scores are in these units already, so this is the number itself.

    Attributes
    ----------
    n_std : float
    kind : {"score-map", "segmentation", "box"}
        Of the method. Only the first has a threshold: a probability is never 5.
    """

    name = "mean-kstd"
    n_std: float = 5.0
    kind: str = "score-map"

    def threshold(self, validation: MatchTable | None, tested: MatchTable) -> MetricValue:
        """See :meth:`OperatingPointRule.threshold`."""
        if self.kind != "score-map":
            return MetricValue(None, NO_STANDARD_DEVIATIONS)
        return MetricValue(self.n_std)


@dataclass(frozen=True)
class OracleF1(OperatingPointRule):
    """The best F1 on the tested split itself: an upper bound, never a result."""

    name = "oracle"
    iou_threshold: float = 0.5

    def threshold(self, validation: MatchTable | None, tested: MatchTable) -> MetricValue:
        """See :meth:`OperatingPointRule.threshold`."""
        return best_f1_threshold(tested, tested.iou_index(self.iou_threshold))


def operating_point_rule(protocol: Protocol, kind: str = "score-map") -> OperatingPointRule:
    """The rule that a protocol names, with the protocol's numbers, for a method of a kind."""
    if protocol.operating_point == "val-f1":
        return ValidationF1(protocol.iou_threshold)
    if protocol.operating_point == "oracle":
        return OracleF1(protocol.iou_threshold)
    if protocol.operating_point == "mean-kstd":
        return MeanKStd(protocol.n_std, kind)
    assert protocol.fixed_threshold is not None
    return FixedThreshold(protocol.fixed_threshold)
