"""Medians of values that count several times, compiled: see :mod:`irbench.process.compiling`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irbench.process.compiling import compiled


@compiled
def weighted_medians(
    weights: NDArray[np.float64], images: NDArray[np.int64], ranked: NDArray[np.float64]
) -> NDArray[np.float64]:
    """As :func:`irbench.metrics.clutter_suppression.weighted_medians`, which documents it."""
    n_draws, n = len(weights), len(ranked)
    found = np.full(n_draws, np.nan)
    reached = np.empty(n)
    for draw in range(n_draws):
        total = 0.0
        for place in range(n):
            total += weights[draw, images[place]]
            reached[place] = total
        half = total / 2
        if half > 0:
            lower = np.searchsorted(reached, half, side="left")
            upper = np.searchsorted(reached, half, side="right")
            found[draw] = (ranked[lower] + ranked[upper]) / 2
    return found
