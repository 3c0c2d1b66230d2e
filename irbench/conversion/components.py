"""``components/1``: one rule that turns every method's score map into detections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from irbench.conversion.flooding import MAX_PIXELS, PeakRegions, flooded_regions
from irbench.detections import Detections
from irbench.errors import UsageError

NAME = "components/1"
PEAK_N_STD = 1.0
"""A peak lies above the mean by more than so many standard deviations; never calibrated."""
MAX_DETECTIONS = 300


def detect_components(
    score_map: NDArray[Any],
    extents: Sequence[float],
    *,
    score: Literal["standardised", "raw"] = "standardised",
    max_detections: int = MAX_DETECTIONS,
    keep_regions: bool = True,
) -> list[Detections]:
    """Turn a score map into detections, for several extents at once.

    Negative and non-finite values count as 0. Peaks are the pixels equal to their
    3×3 maximum and above ``mean + std`` of the map, one per 8-connected plateau, at
    its first raster pixel. They are visited by descending value, then raster
    order. The region of a peak is the 8-connected component of
    ``map >= mean + extent * (peak - mean)`` that holds it; a peak whose region meets
    an accepted region is dropped. The first ``max_detections`` are kept.

    Parameters
    ----------
    score_map : (H, W) ndarray
        Higher is more target-like.
    extents : sequence of float
        In (0, 1]; the smaller, the larger the regions.
    score : {"standardised", "raw"}
        ``(peak - mean) / std``, which compares between images at the price of
        ignoring amplitude, or the peak's value.
    max_detections : int
    keep_regions : bool
        Boxes alone are found faster; calibration needs no more.

    Returns
    -------
    list of Detections
        One per extent, each by descending score. None where the map is constant.

    Raises
    ------
    UsageError
        For an extent outside (0, 1] or a map that is not two-dimensional.

    Notes
    -----
    O(n log n) for the n pixels above the mean, once for all extents, plus the area of
    the accepted regions per extent.

    Examples
    --------
    >>> import numpy as np
    >>> score_map = np.zeros((8, 8))
    >>> score_map[2:4, 2:5] = 1.0
    >>> detect_components(score_map, [0.5])[0].boxes.tolist()
    [[2.0, 2.0, 5.0, 4.0]]
    """
    if score_map.ndim != 2:
        raise UsageError(f"score_map must have shape (H, W), got {score_map.shape}.")
    for extent in extents:
        if not 0 < extent <= 1:
            raise UsageError(f"extent must lie in (0, 1], got {extent}.")
    shape = (score_map.shape[0], score_map.shape[1])
    cleaned = np.asarray(score_map, dtype=np.float64)
    largest = float(cleaned.max(initial=0.0))
    if not (np.isfinite(largest) and cleaned.min(initial=0.0) >= 0):  # NaN is no minimum
        cleaned = np.where(np.isfinite(cleaned) & (cleaned > 0), cleaned, 0.0)
        largest = float(cleaned.max(initial=0.0))
    # A map near the largest float would overflow in its variance.
    unit = 1.0
    if largest > 1e100:
        unit = largest
        cleaned = cleaned / unit
    mean, std = float(cleaned.mean()), float(cleaned.std())
    if std == 0.0 or largest == 0.0:
        return [Detections.empty(shape) for _ in extents]
    found = []
    for one in _find_regions(cleaned.size)(
        cleaned, mean, mean + PEAK_N_STD * std, extents, max_detections, keep_regions
    ):
        scores = one.values * unit if score == "raw" else (one.values - mean) / std
        found.append(Detections(one.boxes, scores, one.regions))
    return found


FindRegions = Callable[..., list[PeakRegions]]

_next_is_first = True


def _find_regions(n_pixels: int) -> FindRegions:
    """The form for the next map: the first of a process does without compiled code.

    To load that takes 0.3 s and 70 MB, and to compile it, once a machine, some seconds: more
    than a single image takes in the other form.
    """
    global _next_is_first
    if _next_is_first and n_pixels <= MAX_PIXELS:
        _next_is_first = False
        return flooded_regions
    return fastest_form()


def load_compiled() -> None:
    """Load the compiled form now: for whom many maps will come, or one that is timed."""
    global _next_is_first
    _next_is_first = False
    fastest_form()(np.eye(8), 0.125, 0.5, (0.5,), 1, keep_regions=True)


@cache
def fastest_form() -> FindRegions:
    """The compiled form, or the other where there is no numba that can compile."""
    try:
        from irbench.conversion.descent import descended_regions
    except ImportError:
        return flooded_regions
    return descended_regions
