"""``segments/1``: from probability maps and binary masks to detections."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections
from irbench.detections.regions import Regions, label_mask
from irbench.errors import DetectionsError

NAME = "segments/1"


def detect_segments(probability: NDArray[Any], threshold: float = 0.5) -> Detections:
    """Turn a probability map into detections.

    Parameters
    ----------
    probability : (H, W) ndarray of float
        In [0, 1].
    threshold : float
        Pixels of at least this probability belong to a segment.

    Returns
    -------
    Detections
        The 8-connected components, in raster order; the score is the mean
        probability over the component.

    Raises
    ------
    DetectionsError
        For another shape, NaN, or values outside [0, 1].
    """
    if probability.ndim != 2:
        raise DetectionsError(f"probability must have shape (H, W), got {probability.shape}.")
    if probability.size and not (probability.min() >= 0 and probability.max() <= 1):
        raise DetectionsError(
            "probability must lie in [0, 1], got "
            f"{float(probability.min()):g} to {float(probability.max()):g}; "
            "apply the sigmoid to logits."
        )
    return components_of(probability >= threshold, probability)


def detect_mask(mask: NDArray[Any]) -> Detections:
    """Turn a binary mask into detections: its 8-connected components, each with score 1.

    Parameters
    ----------
    mask : (H, W) ndarray of bool
    """
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise DetectionsError(
            f"mask must be a bool array of shape (H, W), got {mask.dtype} {mask.shape}."
        )
    return components_of(mask, np.ones(mask.shape, dtype=np.float32))


def components_of(mask: NDArray[np.bool_], weights: NDArray[Any]) -> Detections:
    """The 8-connected components of ``mask``, each scored by its mean of ``weights``."""
    labels, n_components = label_mask(mask)
    regions = Regions.from_labels(labels, n_components)
    sums = np.bincount(
        labels.ravel(), weights=weights.ravel().astype(np.float64), minlength=n_components + 1
    )
    return Detections(regions.boxes, sums[1:] / np.maximum(regions.areas, 1), regions)
