"""The standard error of a bootstrap with Student's t: an interval, and the test inverting it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError


@dataclass(frozen=True)
class StandardError:
    """By how much an estimate may be off.

    Attributes
    ----------
    value : float
        Deviation of the draws, times ``sqrt(n / (n - 1))``: theirs is that of n images divided
        by n. 0 where all draws are equal. [1]_
    n_images : int
        Images, or groups of them, 2 or more: one more than the degrees of freedom of t. [2]_

    References
    ----------
    .. [1] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, Algorithm 6.1
       and Section 12.2 (the interval by Student's t).
    .. [2] T. C. Hesterberg, "What Teachers Should Know About the Bootstrap", The American
       Statistician 69(4), 2015.

    Examples
    --------
    >>> import numpy as np
    >>> error = StandardError.of(np.array([0.1, 0.3, 0.2, 0.4]), n_images=50)
    >>> round(error.half_width(0.95), 3), round(error.p_value(0.25), 3)
    (0.227, 0.032)
    """

    value: float
    n_images: int

    @classmethod
    def of(cls, draws: NDArray[np.float64], n_images: int) -> StandardError:
        """That of ``(n_draws,)`` finite draws, at least one.

        Raises
        ------
        UsageError
        """
        if n_images < 2:
            raise UsageError(
                f"n_images must be at least 2, since one has no spread, got {n_images}."
            )
        # The deviation of equal values may be a last bit off 0.
        deviation = float(draws.std()) if np.ptp(draws) > 0 else 0.0
        return cls(deviation * math.sqrt(n_images / (n_images - 1)), n_images)

    def half_width(self, level: float) -> float:
        """From the estimate to either end of the interval of a level in (0, 1)."""
        from scipy.special import stdtrit

        return float(stdtrit(self.n_images - 1, (1 + level) / 2)) * self.value

    def p_value(self, estimate: float) -> float:
        """Of the two-sided test that the truth is 0: 1 - level of the interval that ends there."""
        from scipy.special import stdtr

        if self.value == 0:
            return 1.0 if estimate == 0 else 0.0
        return 2 * float(stdtr(self.n_images - 1, -abs(estimate) / self.value))
