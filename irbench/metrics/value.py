"""What a metric computes: a number, or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError

NO_IMAGES = "no image"
NO_TARGETS = "no target in any image"
NO_DETECTIONS = "no detection in any image"
NOTHING_KEPT = "no detection reaches the threshold"


@dataclass(frozen=True)
class MetricValue:
    """A metric's value, or why it is undefined.

    Parameters
    ----------
    value : float or None
        Never NaN. None where the definition divides nothing by nothing.
    reason : str
        Why there is no value, as a clause for a footnote; empty where there is one.

    Examples
    --------
    >>> MetricValue(0.5).value
    0.5
    >>> MetricValue(None, "no target in any image").reason
    'no target in any image'
    """

    value: float | None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.value is not None and math.isnan(self.value):
            raise UsageError("value must be a number or None, got NaN; None takes a reason.")
        if (self.value is None) != bool(self.reason):
            raise UsageError(
                f"reason goes with value=None and only with it, got value={self.value!r} and "
                f"reason={self.reason!r}."
            )

    @property
    def is_defined(self) -> bool:
        """Whether there is a value."""
        return self.value is not None


def ratio(numerator: float, denominator: float, reason: str) -> MetricValue:
    """``numerator / denominator``, or undefined for ``reason`` where that divides by 0."""
    if denominator == 0:
        return MetricValue(None, reason)
    return MetricValue(float(numerator) / float(denominator))


def check_weights(weights: NDArray[Any] | None, n_images: int) -> NDArray[np.float64] | None:
    """Check the multiplicities of images.

    Every metric takes such ``weights``: how often each image counts. A bootstrap
    passes the counts of its draw, a breakdown 0 or 1, and no detection is
    matched again.

    Parameters
    ----------
    weights : (n_images,) array_like or None
        Finite and not negative; None counts every image once.
    n_images : int

    Returns
    -------
    (n_images,) ndarray of float64, or None

    Raises
    ------
    UsageError
    """
    if weights is None:
        return None
    checked = np.asarray(weights, dtype=np.float64)
    if checked.shape != (n_images,):
        raise UsageError(f"weights must have shape ({n_images},), got {checked.shape}.")
    bad = ~(np.isfinite(checked) & (checked >= 0))
    if bad.any():
        index = int(np.argmax(bad))
        raise UsageError(f"weights[{index}] must be finite and at least 0, got {checked[index]}.")
    return checked


def total(counts: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
    """Sum of a count over the images.

    Parameters
    ----------
    counts : (n_images,) ndarray
    weights : (n_images,) array_like, optional
        See :func:`check_weights`.

    Returns
    -------
    float
    """
    checked = check_weights(weights, len(counts))
    return float(counts.sum() if checked is None else checked @ counts)
