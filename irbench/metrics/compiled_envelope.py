"""The envelope of precision over recall, as compiled code; see :mod:`irbench.compiling`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irbench.compiling import compiled


@compiled
def precision_at_recalls(
    true_positives: NDArray[np.float64],
    kept: NDArray[np.float64],
    n_targets: NDArray[np.float64],
    recalls: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The greatest precision from each recall on, of many curves.

    Parameters
    ----------
    true_positives, kept : (n_draws, n_points) ndarray of float64
        Neither falls along a draw.
    n_targets : (n_draws,) ndarray of float64
    recalls : (n,) ndarray of float64
        Ascending.

    Returns
    -------
    (n_draws, n) ndarray of float64
        0 where no point reaches a recall.
    """
    n_draws, n_points = kept.shape
    envelope = np.empty((n_draws, len(recalls)))
    for draw in range(n_draws):
        targets = n_targets[draw] if n_targets[draw] > 0 else 1.0
        point, best = n_points - 1, 0.0
        for place in range(len(recalls) - 1, -1, -1):
            # From the far end: each point counts for all recalls up to its own.
            while point >= 0 and true_positives[draw, point] / targets >= recalls[place]:
                if kept[draw, point] > 0:
                    best = max(best, true_positives[draw, point] / kept[draw, point])
                point -= 1
            envelope[draw, place] = best
    return envelope
