"""Images scaled to a square together with their masks, as loaders of published networks do.

What is measured then is measured on the square: sizes and distances in pixels are not those
of the image, and small targets may vanish where it is made smaller.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from irbench.dataset import Sample


def squash(sample: Sample, side: int | None) -> Sample:
    """Scale an image and its ground truth to a square.

    Parameters
    ----------
    sample : Sample
    side : int or None
        In pixels; None leaves the sample as it is.

    Returns
    -------
    Sample
        The image by Pillow's bilinear filter, in its own type; the mask by the nearest
        pixel, boxes anew from it; boxes without a mask scaled.
    """
    if side is None or sample.shape == (side, side):
        return sample
    size = (side, side)
    mask, boxes = None, sample.boxes * np.tile(np.divide(side, sample.shape[::-1]), 2)
    if sample.mask is not None:
        stored = Image.fromarray(sample.mask.astype(np.uint8))
        mask = np.asarray(stored.resize(size, Image.Resampling.NEAREST)) > 0
        boxes = None
    return dataclasses.replace(sample, image=_scaled(sample.image, size), mask=mask, boxes=boxes)


def _scaled(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if image.dtype == np.uint8:
        return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
    # Pillow has no filter for other types but single precision.
    stored = Image.fromarray(image.astype(np.float32))
    scaled = np.asarray(stored.resize(size, Image.Resampling.BILINEAR))
    if np.issubdtype(image.dtype, np.integer):
        scaled = np.rint(scaled)
    return scaled.astype(image.dtype)
