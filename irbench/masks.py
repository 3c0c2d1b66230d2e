"""Ground-truth masks: read from disk, and turned into targets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import ImageError, MaskError
from irbench.images import read_image
from irbench.regions import Regions


@dataclass(frozen=True, eq=False)
class Mask:
    """A ground-truth mask and what was found odd in its file.

    Attributes
    ----------
    pixels : (H, W) ndarray of bool
    n_odd : int
        Pixels whose stored value is neither background nor target (0 and 255,
        or 0 and 1); the rule ``value > 127`` decides them.
    """

    pixels: NDArray[np.bool_]
    n_odd: int


def read_mask(path: Path | str) -> Mask:
    """Read a ground-truth mask.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Mask
        ``value > 127`` of 8 bit (of 16 bit, half of the range); a file whose
        maximum is 1 is read as ``value > 0``.

    Raises
    ------
    MaskError
        If the file cannot be read.
    """
    try:
        return binarise(read_image(path))
    except ImageError as error:
        raise MaskError(str(error)) from error


def binarise(stored: NDArray[Any]) -> Mask:
    """Apply the rule of :func:`read_mask` to the stored values of a mask."""
    largest = stored.max() if stored.size else 0
    if largest <= 1:
        odd = (stored != 0) & (stored != 1)
        return Mask(stored > 0, int(np.count_nonzero(odd)))
    white = 255 if largest <= 255 else 65535
    odd = (stored != 0) & (stored != white)
    return Mask(stored > white // 2, int(np.count_nonzero(odd)))


def label_mask(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Number the 8-connected components of a mask in raster order of their first pixel.

    Parameters
    ----------
    mask : (H, W) ndarray of bool

    Returns
    -------
    labels : (H, W) ndarray of int32
        0 is background.
    n_components : int
    """
    from scipy import ndimage

    labels, n_components = ndimage.label(mask, structure=np.ones((3, 3), dtype=int))
    return labels.astype(np.int32, copy=False), int(n_components)


def mask_regions(mask: NDArray[np.bool_]) -> Regions:
    """The targets of a mask: its 8-connected components, in raster order of their first pixel."""
    labels, n_components = label_mask(mask)
    return Regions.from_labels(labels, n_components)
