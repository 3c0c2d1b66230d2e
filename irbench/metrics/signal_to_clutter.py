"""Local signal-to-clutter ratio: how far a target stands out of its surroundings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.detections.regions import Regions
from irbench.errors import UsageError

BACKGROUND_MARGIN_PX = 20
"""The background of a target reaches so far beyond its box, on each side."""

GUARD_PX = 1
"""Pixels this near to any target, diagonals included, are no background."""


@dataclass(frozen=True, eq=False)
class LocalStatistics:
    """Grey-level statistics of N targets and of the background round each.

    Attributes
    ----------
    target_mean, background_mean, background_std : (N,) ndarray of float64
        In the units of the image; the deviation is that of the population.
        NaN where a target has no background pixel.
    """

    target_mean: NDArray[np.float64]
    background_mean: NDArray[np.float64]
    background_std: NDArray[np.float64]

    @property
    def signal_to_clutter(self) -> NDArray[np.float64]:
        """``(N,)`` ``|μt − μb| / σb``; NaN where there is no background or σb = 0."""
        defined = self.background_std > 0
        ratio = np.full(len(defined), np.nan)
        np.divide(
            np.abs(self.target_mean - self.background_mean),
            self.background_std,
            out=ratio,
            where=defined,
        )
        return ratio


def local_statistics(images: Sequence[NDArray[Any]], targets: Regions) -> list[LocalStatistics]:
    """Statistics of each target and of its background, in several images of one scene.

    The background of a target is its bounding box grown by 20 px a side and cut
    at the border of the image, less every target of the image dilated by 1 px
    (with diagonals).

    Parameters
    ----------
    images : sequence of (H, W) ndarray
        Such as the grey levels and a score map, which SCRG and BSF compare.
    targets : Regions
        The targets of the same scene.

    Returns
    -------
    list of LocalStatistics
        One per image.

    Raises
    ------
    UsageError
        If the targets are those of an image of another shape.
    """
    import cv2

    for image in images:
        if image.shape != targets.shape:
            raise UsageError(
                f"targets must be those of an image of shape {image.shape}, got {targets.shape}."
            )
    side = 2 * GUARD_PX + 1
    mask = targets.to_mask().view(np.uint8)
    guarded = cv2.dilate(mask, np.ones((side, side), dtype=np.uint8)).view(np.bool_)
    statistics = np.full((len(images), 3, len(targets)), np.nan)
    for index, (x0, y0, x1, y1) in enumerate(targets.boxes.astype(np.int64).tolist()):
        rows = slice(max(y0 - BACKGROUND_MARGIN_PX, 0), y1 + BACKGROUND_MARGIN_PX)
        columns = slice(max(x0 - BACKGROUND_MARGIN_PX, 0), x1 + BACKGROUND_MARGIN_PX)
        background = np.flatnonzero(~guarded[rows, columns])
        runs = targets.region_runs(index)
        for image, of_image in zip(images, statistics, strict=True):
            flat = image.ravel()
            inside = np.concatenate([flat[start : start + n] for start, n in runs.tolist()])
            window = image[rows, columns].astype(np.float64).ravel()
            of_image[0, index] = inside.mean(dtype=np.float64)
            of_image[1:, index] = _mean_and_std(window[background])
    return [LocalStatistics(*of_image) for of_image in statistics]


def _mean_and_std(values: NDArray[np.float64]) -> tuple[float, float]:
    """Of the population; NaN of nothing. ``values`` are overwritten."""
    if values.size == 0:
        return math.nan, math.nan
    # Relative to one of them: a constant has deviation 0, not the rounding error of its mean.
    first = float(values[0])
    values -= first
    offset = float(values.mean())
    values -= offset
    return first + offset, math.sqrt(float(values @ values) / len(values))


def signal_to_clutter(image: NDArray[Any], targets: Regions) -> NDArray[np.float64]:
    """Local signal-to-clutter ratio of each target, ``|μt − μb| / σb``.

    It does not depend on gain and offset of the image. See
    :func:`local_statistics` for the background.

    Parameters
    ----------
    image : (H, W) ndarray
    targets : Regions

    Returns
    -------
    (N,) ndarray of float64
        At least 0; NaN where it is undefined: a flat background, or none.

    References
    ----------
    .. [1] C. Gao et al., "Infrared Patch-Image Model for Small Target Detection
       in a Single Image", IEEE Trans. Image Process. 22(12), 2013,
       doi:10.1109/TIP.2013.2281420.

    Examples
    --------
    >>> import numpy as np
    >>> from irbench.images.masks import mask_regions
    >>> image = np.tile([9.0, 11.0], (16, 8))
    >>> image[8, 8] = 14
    >>> mask = np.zeros(image.shape, bool)
    >>> mask[8, 8] = True
    >>> float(signal_to_clutter(image, mask_regions(mask)).round(2)[0])
    4.01
    """
    return local_statistics([image], targets)[0].signal_to_clutter
