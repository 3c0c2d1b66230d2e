"""What is compared when two images may show the same background: detail without targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.dataset import Sample

THUMBNAIL_PX = 28
"""Longer side of the largest thumbnail; they stand on a grid of 32 x 32."""

GRID_PX = 32
DETAIL_PX = 160
"""Longer side of the largest detail image."""

GUARD_PX = 2
"""Pixels so near to a target are left out with it."""

BORDER_PX = 4
"""So much of each side is left out: resampling leaves a dark rim there, alike in all images,
which on a clear sky is all the detail there is."""


@dataclass(frozen=True, eq=False)
class Background:
    """The background of one image at two sizes, its targets taken out.

    Attributes
    ----------
    id : str
    shape : (int, int)
        Of the image itself.
    thumbnail : (32, 32) ndarray of float32
        High-passed, of norm 1, in the upper left corner of a grid of zeros; all zeros for a
        flat image.
    detail : (h, w) ndarray of float32
        Band-passed; 0 where it is not known.
    known : (h, w) ndarray of bool
        Where no target was, nor the rim of the image.
    scale : float
        Pixels of ``detail`` per pixel of the image.
    picture : (h, w) ndarray of float32
        The image at the size of ``detail``, for looking at.
    """

    id: str
    shape: tuple[int, int]
    thumbnail: NDArray[np.float32]
    detail: NDArray[np.float32]
    known: NDArray[np.bool_]
    scale: float
    picture: NDArray[np.float32]


def extract_background(sample: Sample, longest_px: int) -> Background:
    """Make the background of a sample.

    Parameters
    ----------
    sample : Sample
        Targets are taken out by their masks, or else by their boxes.
    longest_px : int
        Longest side of any image of the dataset: all come to one scale, so that a crop of
        another image stays comparable with it.
    """
    image = np.asarray(sample.image, dtype=np.float32)
    left_out = _left_out(sample)
    scale = min(DETAIL_PX / longest_px, 1.0)
    known = _resize((~left_out).astype(np.float32), scale)
    filled = _fill(_resize(np.where(left_out, 0, image), scale), known)
    is_known = known > 0.999
    detail = np.where(is_known, _blur(filled, 1.0) - _blur(filled, 8.0), 0)
    thumbnail = _resize(filled, THUMBNAIL_PX / longest_px / scale)
    thumbnail = thumbnail - _blur(thumbnail, 2.5)
    grid = np.zeros((GRID_PX, GRID_PX), np.float32)
    norm = float(np.linalg.norm(thumbnail))
    if norm > _least_norm(filled) * thumbnail.size**0.5:
        grid[: thumbnail.shape[0], : thumbnail.shape[1]] = thumbnail / norm
    picture = _resize(image, scale)
    return Background(
        sample.id, sample.shape, grid, detail.astype(np.float32), is_known, scale, picture
    )


def _left_out(sample: Sample) -> NDArray[np.bool_]:
    import cv2

    pixels = np.zeros(sample.shape, dtype=np.uint8)
    if sample.mask is not None:
        pixels[sample.mask] = 1
    else:
        for x0, y0, x1, y1 in sample.boxes:
            pixels[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = 1
    side = 2 * GUARD_PX + 1
    near_target = cv2.dilate(pixels, np.ones((side, side), np.uint8)) > 0
    left_out = np.ones(sample.shape, dtype=bool)
    inside = (slice(BORDER_PX, -BORDER_PX),) * 2
    left_out[inside] = near_target[inside]
    return left_out


def _least_norm(image: NDArray[np.float32]) -> float:
    """Deviations that rounding alone makes are no background."""
    return 1e-4 * max(float(np.abs(image).max()), 1e-12)


def _fill(weighted: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """The holes of an image, filled from their surroundings.

    ``weighted`` is the image times ``known``, the known share of each pixel.
    """
    local = _blur(weighted, 5.0) / np.maximum(_blur(known, 5.0), 1e-3)
    return np.asarray(weighted + (1 - known) * local, dtype=np.float32)


def _resize(image: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    import cv2

    if scale == 1:
        return image
    height, width = image.shape
    size = (max(round(width * scale), 4), max(round(height * scale), 4))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _blur(image: NDArray[Any], sigma: float) -> NDArray[np.float32]:
    import cv2

    blurred = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, dtype=np.float32)
