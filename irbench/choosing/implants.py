"""Targets implanted into frames without labels, so that finding them can be measured."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import ImageError
from irbench.images import ValueRange, to_grey_levels

N_IMPLANTS = 4
"""In each frame."""

SIGMA_PX = 1.0
CONTRAST = 5.0
"""Peak over the standard deviation of the surroundings: as faint as is still found by eye."""

_WINDOW_PX = 15
_MARGIN_PX = 12
_WHITE = 255.0


def implanted(
    image: NDArray[Any], value_range: ValueRange | None, name: str
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """A frame with blurred point targets at places that its name decides.

    Parameters
    ----------
    image : (H, W) ndarray
        At least 25 pixels on either side.
    value_range : (float, float), optional
    name : str

    Returns
    -------
    image : (H, W) ndarray of float32
        Grey levels 0 to 255.
    centres : (N, 2) ndarray of float64
        Of the targets, ``(x, y)`` in whole pixels.

    Raises
    ------
    ImageError
        If the frame is too small.
    """
    grey = to_grey_levels(image, value_range)
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    random = np.random.default_rng(seed)
    height, width = grey.shape
    if min(height, width) <= 2 * _MARGIN_PX:
        raise ImageError(
            f"{name} has {height}x{width} pixels; targets are implanted into frames of at least "
            f"{2 * _MARGIN_PX + 1} on either side. Smaller ones need labels."
        )
    rows = random.integers(_MARGIN_PX, height - _MARGIN_PX, N_IMPLANTS)
    columns = random.integers(_MARGIN_PX, width - _MARGIN_PX, N_IMPLANTS)
    steps = np.arange(-4, 5)
    shape = np.exp(-(steps[:, None] ** 2 + steps**2) / (2 * SIGMA_PX**2))
    half = _WINDOW_PX // 2
    for row, column in zip(rows, columns, strict=True):
        around = grey[row - half : row + half + 1, column - half : column + half + 1]
        # A constant surrounding is still quantised.
        peak = CONTRAST * max(float(around.std()), 0.25)
        grey[row - 4 : row + 5, column - 4 : column + 5] += peak * shape
    worse = grey.clip(0.0, _WHITE).astype(np.float32)
    return worse, np.stack([columns, rows], axis=1).astype(np.float64)


def n_found(centres: NDArray[np.float64], found: NDArray[np.float64], distance_px: float) -> int:
    """Implants with a detection nearer than a distance.

    Parameters
    ----------
    centres, found : (N, 2), (M, 2) ndarray
        ``(x, y)``.
    distance_px : float
    """
    if not len(found):
        return 0
    gaps = np.linalg.norm(centres[:, None] - found[None], axis=2)
    return int((gaps.min(axis=1) < distance_px).sum())
