"""How rare a candidate is among all candidates of an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def candidate_features(
    image: NDArray[np.float64], labels: NDArray[np.integer], n_candidates: int, patch: int
) -> NDArray[np.float64]:
    """Mean grey level of each candidate, and how far it is above its background.

    Parameters
    ----------
    image : (H, W) ndarray of float64
    labels : (H, W) ndarray of int
        The candidate, from 1, that a pixel belongs to; 0 is background.
    n_candidates : int
    patch : int
        The background of a pixel is the mean of what belongs to no candidate in
        the window of this side about it, or in the image where there is none.

    Returns
    -------
    (N, 2) ndarray of float64
        In [0, 1]; invariant under gain and offset of the image.
    """
    import cv2

    background = labels == 0
    side = (patch, patch)
    total, count = (
        cv2.boxFilter(part, cv2.CV_64F, side, normalize=False, borderType=cv2.BORDER_CONSTANT)
        for part in (image * background, background.astype(np.float64))
    )
    elsewhere = image[background].mean() if background.any() else image.mean()
    # A count is a whole number up to rounding.
    surround = np.where(count > 0.5, total / np.maximum(count, 1), elsewhere)

    flat = labels.ravel()
    area = np.bincount(flat, minlength=n_candidates + 1)[1:]
    mean, around = (
        np.bincount(flat, values.ravel(), n_candidates + 1)[1:] / area
        for values in (image, surround)
    )
    above = np.maximum(mean - around, 0)
    level = _unit(mean - image.min(), float(np.ptp(image)))
    return np.stack([level, _unit(above, float(above.max()))], axis=1)


def global_sparsity(features: NDArray[np.float64], n_bins: int) -> NDArray[np.float64]:
    """Reciprocal of the number of candidates that share a candidate's features.

    Parameters
    ----------
    features : (N, 2) ndarray of float64
        In [0, 1].
    n_bins : int
        Bins along each axis. A vote is shared linearly between the four nearest.

    Returns
    -------
    (N,) ndarray of float64
        In (0, 1]. 1 where no other candidate votes for the same bins, ``1 / n`` for
        ``n`` candidates of equal features.

    Examples
    --------
    >>> global_sparsity(np.array([[0.1, 0.2], [0.1, 0.2], [0.9, 0.2]]), n_bins=8).tolist()
    [0.5, 0.5, 1.0]
    """
    position = features * (n_bins - 1)
    low = np.minimum(position.astype(np.intp), n_bins - 2)
    fraction = position - low
    # Of the two bins along each axis, the index and the share of the vote.
    bins = np.stack([low, low + 1], axis=-1)
    share = np.stack([1 - fraction, fraction], axis=-1)
    vote = share[:, 0, :, np.newaxis] * share[:, 1, np.newaxis, :]
    where = bins[:, 0, :, np.newaxis] * n_bins + bins[:, 1, np.newaxis, :]
    histogram = np.bincount(where.ravel(), vote.ravel(), n_bins**2)
    # Read as it was written; relative to what a candidate on its own would read.
    alike = np.sum(vote * histogram[where], axis=(1, 2)) / np.sum(vote**2, axis=(1, 2))
    return np.asarray(1 / np.maximum(alike, 1))


def _unit(values: NDArray[np.float64], full: float) -> NDArray[np.float64]:
    return np.clip(values / full, 0, 1) if full > 0 else np.zeros(values.shape)
