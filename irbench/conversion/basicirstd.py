"""``basicirstd/1``: score maps cut at half of their maximum, as BasicIRSTD does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.conversion.segments import components_of
from irbench.detections import Detections

NAME = "basicirstd/1"


def detect_half_maximum(score_map: NDArray[Any]) -> Detections:
    """The 8-connected components of ``map / max > 0.5``.

    Parameters
    ----------
    score_map : (H, W) ndarray
        Negative and non-finite values count as 0.

    Returns
    -------
    Detections
        In raster order, each scored by its mean of ``map / max``, so above 0.5.
        None where no value is positive.
    """
    cleaned = np.asarray(score_map, dtype=np.float64)
    cleaned = np.where(np.isfinite(cleaned) & (cleaned > 0), cleaned, 0.0)
    largest = cleaned.max(initial=0.0)
    if largest == 0.0:
        return Detections.empty((score_map.shape[0], score_map.shape[1]))
    relative = cleaned / largest
    return components_of(relative > 0.5, relative)
