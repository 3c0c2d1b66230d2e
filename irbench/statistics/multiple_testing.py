"""Correction of p-values when several hypotheses are tested at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from irbench.errors import UsageError


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust p-values by Holm's step-down procedure.

    Rejecting where the adjusted value is at most ``alpha`` keeps the probability of
    any false rejection at or under ``alpha``, however the tests depend on each
    other. [1]_

    Parameters
    ----------
    p_values : (n,) array_like of float
        In [0, 1]; NaN for a test that could not be made. It is no hypothesis: the
        others are adjusted as if it were not there.

    Returns
    -------
    (n,) ndarray of float64
        In [0, 1], in the order of ``p_values``; NaN where they are.

    Raises
    ------
    UsageError

    References
    ----------
    .. [1] S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure",
       Scandinavian Journal of Statistics 6, 1979.

    Examples
    --------
    >>> holm([0.03, 0.01, 0.02]).tolist()
    [0.04, 0.03, 0.04]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1:
        raise UsageError(f"p_values must have shape (n,), got {p.shape}.")
    bad = (p < 0) | (p > 1)
    if bad.any():
        index = int(np.argmax(bad))
        raise UsageError(f"p_values[{index}] must be in [0, 1], got {p[index]}.")
    adjusted = np.full(len(p), np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
