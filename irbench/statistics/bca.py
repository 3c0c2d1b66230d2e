"""Which quantiles of a bootstrap bound an interval: corrected for bias, skewness and few images."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-9
"""Relative to the range of the draws: a draw so near to the estimate counts as equal to it."""


@dataclass(frozen=True)
class Correction:
    """Where the ends of an interval lie among the draws of a bootstrap.

    The quantiles of the draws alone bound an interval that misses to one side where the draws
    lie beside the estimate on the whole, as average precision does, or where their spread
    changes with the value, as that of a share near 1 does. BCa moves both quantiles by what
    the draws and the jackknife say of either. [1]_

    Parameters
    ----------
    bias : float
        ``z0``: standard normal deviate of the share of draws below the estimate.
    acceleration : float
        ``a``: a sixth of the skewness of the influence of the images.
    n_images : int or None
        Images, or groups of them. With it, 2 or more, quantiles are those of Student's t with
        one degree of freedom less, times ``sqrt(n / (n - 1))``, since the spread of the draws
        is that of n images divided by n, and itself an estimate [2]_; without it those of the
        normal distribution.

    References
    ----------
    .. [1] B. Efron, "Better Bootstrap Confidence Intervals", JASA 82, 1987; B. Efron and
       R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, Eqs. 14.9, 14.10, 14.14, 14.15.
    .. [2] T. C. Hesterberg, "What Teachers Should Know About the Bootstrap", The American
       Statistician 69(4), 2015 (the expanded percentile interval).

    Examples
    --------
    >>> Correction(bias=0.0, acceleration=0.0).tails(0.95).round(3).tolist()
    [0.025, 0.975]
    >>> Correction(bias=0.1, acceleration=0.0).tails(0.95).round(3).tolist()
    [0.039, 0.985]
    """

    bias: float
    acceleration: float
    n_images: int | None = None

    @classmethod
    def of(
        cls,
        estimate: float,
        draws: NDArray[np.float64],
        left_out: NDArray[np.float64],
        expanded: bool,
    ) -> Correction:
        """The correction that the draws and the jackknife ask for.

        Parameters
        ----------
        estimate : float
        draws : (n_draws,) ndarray of float64
            Finite, at least one.
        left_out : (n_left_out,) ndarray of float64
            The values without each image, or group of images; NaN where undefined.
        expanded : bool
            Whether to allow for few images.
        """
        from scipy.special import ndtri

        n = len(draws)
        slack = _ROUNDING * float(np.ptp(draws))
        n_below = np.count_nonzero(draws < estimate - slack)
        n_equal = np.count_nonzero(np.abs(draws - estimate) <= slack)
        # Values equal to the estimate count half to each side: metrics of few targets have many.
        below = (n_below + n_equal / 2) / n
        defined = left_out[~np.isnan(left_out)]
        influence = defined.mean() - defined if len(defined) else defined
        # Divided first, as cubes of small rates would underflow.
        influence = influence / max(float(np.abs(influence).max(initial=0.0)), np.finfo(float).tiny)
        scale = 6 * float(np.sum(influence**2)) ** 1.5
        return cls(
            bias=float(ndtri(np.clip(below, 0.5 / n, 1 - 0.5 / n))),
            acceleration=float(np.sum(influence**3)) / scale if scale > 0 else 0.0,
            n_images=len(left_out) if expanded else None,
        )

    def tails(self, level: float) -> NDArray[np.float64]:
        """The shares of the draws below the two ends of an interval of a level in (0, 1).

        Returns
        -------
        (2,) ndarray of float64
            In [0, 1].
        """
        z = self._quantile(level)
        return np.array([self._share(-z), self._share(z)])

    def level(self, below: float, above: float) -> float:
        """The level of the interval that just ends where so many draws lie below, or above.

        It is the inverse of :meth:`tails`, for the end that comes first; 0 where the interval of
        every level goes beyond.

        Parameters
        ----------
        below, above : float
            Shares of the draws on either side of a value, in [0, 1]; equal draws are on both.
        """
        # The two shares sum to 1 or more, so that one of the two ends at most is on its way.
        z = max(-self._deviate(below), self._deviate(1 - above))
        return self._level(z) if z > 0 else 0.0

    def _share(self, deviate: float) -> float:
        from scipy.special import ndtr

        shifted = self.bias + deviate
        stretch = 1 - self.acceleration * shifted
        # Beyond the pole there is no draw: the acceleration is at most 1/6, the deviate is not.
        if stretch <= 0:
            return 1.0 if shifted > 0 else 0.0
        return float(ndtr(self.bias + shifted / stretch))

    def _deviate(self, share: float) -> float:
        """The inverse of :meth:`_share`."""
        from scipy.special import ndtri

        moved = float(ndtri(share)) - self.bias
        stretch = 1 + self.acceleration * moved
        if math.isinf(moved) or stretch <= 0:
            return math.copysign(math.inf, moved)
        return moved / stretch - self.bias

    def _quantile(self, level: float) -> float:
        from scipy.special import ndtri, stdtrit

        if self.n_images is None:
            return float(ndtri((1 + level) / 2))
        return float(stdtrit(self.n_images - 1, (1 + level) / 2)) * self._widening

    def _level(self, quantile: float) -> float:
        from scipy.special import ndtr, stdtr

        if self.n_images is None:
            return 2 * float(ndtr(quantile)) - 1
        return 2 * float(stdtr(self.n_images - 1, quantile / self._widening)) - 1

    @property
    def _widening(self) -> float:
        assert self.n_images is not None
        return math.sqrt(self.n_images / (self.n_images - 1))
