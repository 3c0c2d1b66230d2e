"""``components/1``: one rule that turns every method's score map into detections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from irbench.conversion.merge_tree import MergeTree, merge_tree
from irbench.detections import Detections
from irbench.errors import UsageError
from irbench.regions import Regions

NAME = "components/1"
PEAK_N_STD = 1.0
"""A peak lies above the mean by more than so many standard deviations; never calibrated."""
MAX_DETECTIONS = 300

# OpenCV floods 32-bit floats, which hold whole numbers up to here.
_EXACT_IN_FLOAT32 = 2**24


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
    cleaned = np.where(np.isfinite(cleaned) & (cleaned > 0), cleaned, 0.0)
    # A map near the largest float would overflow in its variance.
    largest = float(cleaned.max(initial=0.0))
    unit = largest if largest > 1e100 else 1.0
    cleaned /= unit
    mean, std = float(cleaned.mean()), float(cleaned.std())
    if std == 0.0 or largest == 0.0:
        return [Detections.empty(shape) for _ in extents]
    tree = merge_tree(cleaned, mean)
    peak_values = tree.values[tree.peaks - 1]
    high = peak_values > mean + PEAK_N_STD * std

    found = []
    for extent in extents:
        cuts = mean + extent * (peak_values - mean)
        accepted = np.flatnonzero(high & (tree.saddles < cuts))[:max_detections]
        boxes, regions = _flood(tree, tree.peaks[accepted], cuts[accepted], keep_regions)
        scores = peak_values[accepted]
        scores = scores * unit if score == "raw" else (scores - mean) / std
        found.append(Detections(boxes, scores, regions))
    return found


def _flood(
    tree: MergeTree, peaks: NDArray[np.int64], cuts: NDArray[np.float64], keep_regions: bool
) -> tuple[NDArray[np.float32], Regions | None]:
    """Boxes and pixels of the components around ``peaks`` that are at least ``cuts`` high."""
    import cv2

    if len(tree.values) >= _EXACT_IN_FLOAT32:
        raise UsageError(
            f"a map with {len(tree.values)} pixels above its mean is too large; "
            "cut the image in tiles."
        )
    shape = tree.ranks.shape
    # Ranks instead of values: exact in 32 bit, and ties are already decided.
    flooded = tree.ranks.astype(np.float32)
    lowest = np.searchsorted(tree.values, cuts, side="left") + 1
    pixel_of_rank = np.zeros(len(tree.values) + 1, dtype=np.int64)
    pixel_of_rank[tree.ranks.ravel()] = np.arange(tree.ranks.size)
    seeds = pixel_of_rank[peaks]
    # Filled pixels are marked here, which bars later fills; the components are disjoint.
    filled = np.zeros((shape[0] + 2, shape[1] + 2), dtype=np.uint8)
    flags = 8 | cv2.FLOODFILL_FIXED_RANGE
    boxes = np.empty((len(peaks), 4), dtype=np.float32)
    for index, (seed, peak, low) in enumerate(
        zip(seeds.tolist(), peaks.tolist(), lowest.tolist(), strict=True)
    ):
        point = (seed % shape[1], seed // shape[1])
        _, _, _, (x, y, width, height) = cv2.floodFill(
            flooded, filled, point, -(index + 1), loDiff=peak - low, upDiff=0, flags=flags
        )
        boxes[index] = x, y, x + width, y + height
    if not keep_regions:
        return boxes, None
    labels = np.maximum(-flooded, 0).astype(np.int32)
    return boxes, Regions.from_labels(labels, len(peaks))
