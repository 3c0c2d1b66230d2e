"""Regions that a random walker grows at candidates, and how each stands out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from irbench.filters.random_walker import centre_probability, first_claims, windows_at

# The 13 pixels within 2 of the centre.
_DISK = (np.hypot(*np.mgrid[-2:3, -2:3]) <= 2).astype(np.uint8)

# The end of the scale; below 1 by what mapping a camera's range to [0, 1] may lose.
_SATURATED = 1 - 1e-9


class LocalContrast(NamedTuple):
    """The local contrast of a set of windows, each value ``(N,)`` float64."""

    region: NDArray[np.bool_]
    """The pixels of each candidate, ``(N, size, size)``."""
    probability: NDArray[np.float64]
    """Mean probability of the region, its centre apart, over that of the rest."""
    intensity: NDArray[np.float64]
    """Mean intensity of the region over the maximum around it; 0 if not above 1."""


def contrast_maps(
    smoothed: NDArray[np.float64],
    candidates: NDArray[np.bool_],
    *,
    patch: int,
    beta: float,
    floor: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Grow a region at each candidate and give its pixels the region's contrast.

    Parameters
    ----------
    smoothed : (H, W) ndarray of float64
        Intensities in [0, 1].
    candidates : (H, W) ndarray of bool
    patch : int
        Side of a window, in pixels, odd, at least 5.
    beta : float
    floor : float
        Least divisor of the intensity ratio.

    Returns
    -------
    probability, intensity : (H, W) ndarray of float64
        The ratios of :func:`local_contrast`; 0 outside the regions.
    """
    columns, rows = np.nonzero(candidates.T)
    # The brightest candidate chooses first; equal ones by column, then row.
    order = np.argsort(-smoothed[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    contrast = local_contrast(windows_at(smoothed, rows, columns, patch), beta, floor)
    owner = first_claims(contrast.region, rows, columns, (smoothed.shape[0], smoothed.shape[1]))
    # The owner -1 of the unclaimed pixels is the appended 0.
    probability = np.append(contrast.probability, 0.0)[owner]
    return probability, np.append(contrast.intensity, 0.0)[owner]


def local_contrast(windows: NDArray[np.float64], beta: float, floor: float = 0.0) -> LocalContrast:
    """Separate each window's centre region and measure how it stands out.

    Parameters
    ----------
    windows : (N, size, size) ndarray of float64
        Intensities in [0, 1]. Background is their frame and every pixel that is
        1: the authors mark the frame by that value.
    beta : float
    floor : float
        Least divisor of the intensity ratio.

    Returns
    -------
    LocalContrast
        A region of one pixel, or none, has both ratios 0.
    """
    n_pixels = windows.shape[1] * windows.shape[2]
    walk = centre_probability(windows, beta=beta, background=windows >= _SATURATED)
    region = walk >= 0.5
    area = np.count_nonzero(region, axis=(1, 2))
    inside = _sum(walk, region)
    outside = _sum(walk, ~region)

    near = _dilated(region)
    around = _dilated(near) & ~near
    surround = np.where(around, windows, -np.inf).max(axis=(1, 2))

    # The centre, whose probability is 1, counts to the rest in this ratio.
    with np.errstate(divide="ignore", invalid="ignore"):
        probability = (inside - 1) / (area - 1) / ((outside + 1) / (n_pixels - area + 1))
        mean = _sum(windows, region) / area
        intensity = mean / np.maximum(surround, floor)
    alone = area < 2
    probability[alone] = 0
    intensity[alone | ~(mean > surround) | ~np.isfinite(intensity) | ~around.any((1, 2))] = 0
    return LocalContrast(region, probability, intensity)


def _dilated(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Dilate each of ``(N, size, size)`` masks by the disk."""
    import cv2

    # One below the other as a single image, farther apart than the disk reaches.
    apart = np.pad(masks, ((0, 0), (0, 2), (0, 0))).view(np.uint8)
    n_masks, height, width = apart.shape
    if n_masks == 0:
        return masks
    dilated = np.asarray(cv2.dilate(apart.reshape(-1, width), _DISK))
    return dilated.reshape(n_masks, height, width)[:, : masks.shape[1]].view(np.bool_)


def _sum(values: NDArray[np.float64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray(np.sum(values, axis=(1, 2), where=where))
