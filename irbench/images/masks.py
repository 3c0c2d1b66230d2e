"""Ground-truth masks: read from disk, and turned into targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from irbench.detections.regions import Regions, label_mask
from irbench.errors import ImageError, MaskError
from irbench.images.files import Stored, read_stored
from irbench.images.mask_values import Mask, binarise, binarise_colours, binarise_indices


def read_mask(path: Path | str) -> Mask:
    """Read a ground-truth mask.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Mask
        By the rule of :mod:`irbench.images.mask_values`.

    Raises
    ------
    MaskError
        If the file cannot be read, or is no mask by that rule; it names the file.
    """
    try:
        stored = read_stored(path, with_indices=True)
    except ImageError as error:
        raise MaskError(str(error)) from error
    try:
        return decide(stored)
    except MaskError as error:
        raise MaskError(f"the mask {path} cannot be used: {error}") from error


def decide(stored: Stored) -> Mask:
    """Decide which pixels of an image file are target; see :mod:`irbench.images.mask_values`."""
    values = stored.values
    if stored.indices is not None:
        return binarise_indices(stored.indices, values)
    if values.ndim == 3:
        # Two channels are grey and alpha.
        return binarise(values[..., 0]) if values.shape[2] <= 2 else binarise_colours(values)
    if stored.bits < 8:
        full = 2**stored.bits - 1
        return binarise(values // (255 // full), white=full)
    return binarise(values)


def mask_regions(mask: NDArray[np.bool_]) -> Regions:
    """The targets of a mask: its 8-connected components, in raster order of their first pixel."""
    labels, n_components = label_mask(mask)
    return Regions.from_labels(labels, n_components)
