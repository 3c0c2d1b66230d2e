"""Masks and probability maps that somebody saved as files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections
from irbench.errors import DetectionsError
from irbench.images import MAX_PIXELS, read_image
from irbench.masks import binarise

MapKind = Literal["mask", "probability"]


def kind_of_maps(paths: Iterable[Path]) -> MapKind:
    """Tell masks from probability maps by the values of all files together.

    Parameters
    ----------
    paths : iterable of Path

    Returns
    -------
    {"mask", "probability"}
        Masks if no file holds another value than 0 and one that is the same in all
        of them: 1, or the full range of 8 or 16 bit.
    """
    level = 0.0
    for path in paths:
        stored = read_map(path)
        largest = float(stored.max())
        if largest == 0 and not stored.any():
            continue
        full = (1.0, 255.0, 65535.0) if stored.dtype.kind == "u" else (1.0,)
        level = level or largest
        if largest != level or level not in full or ((stored != 0) & (stored != largest)).any():
            return "probability"
    return "mask"


def read_map(path: Path) -> NDArray[Any]:
    """A map as it is stored.

    Parameters
    ----------
    path : Path
        An image file, or a ``.npy`` of bool or float; leading axes of length one,
        as networks leave them, are dropped.

    Returns
    -------
    (H, W) ndarray of uint8, uint16 or float
        bool becomes uint8 of 0 and 1.

    Raises
    ------
    ImageError, DetectionsError
    """
    if path.suffix.lower() != ".npy":
        return read_image(path)
    try:
        # Mapped: a header that claims more than the file holds is refused, not allocated.
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
    # A damaged header ends in whatever Python's own parser ends in, TokenError for one.
    except Exception as error:
        raise DetectionsError(f"cannot read the array {path}: {error}.") from error
    if not isinstance(stored, np.ndarray) or stored.dtype.kind not in "bf":
        got = getattr(stored, "dtype", type(stored).__name__)
        raise DetectionsError(f"{path}: expected an array of bool or float, got {got}.")
    while stored.ndim > 2 and stored.shape[0] == 1:
        stored = stored[0]
    if stored.ndim != 2 or not 0 < stored.size <= MAX_PIXELS:
        raise DetectionsError(f"{path}: expected an array of shape (H, W), got {stored.shape}.")
    return np.array(stored, dtype=np.uint8 if stored.dtype.kind == "b" else stored.dtype)


def read_detections(path: Path, kind: MapKind, shape: tuple[int, int]) -> Detections:
    """The detections that a map means.

    Parameters
    ----------
    path : Path
    kind : {"mask", "probability"}
    shape : (int, int)
        Height and width of the image. A map of another size is refused: to resize
        it would be a choice that changes the result.

    Raises
    ------
    ImageError, DetectionsError
    """
    stored = read_map(path)
    if stored.shape != tuple(shape):
        raise DetectionsError(
            f"{path}: expected the image's {shape[0]}x{shape[1]} pixels, got "
            f"{stored.shape[0]}x{stored.shape[1]}; predictions are never resized here."
        )
    if kind == "mask":
        return Detections.from_mask(binarise(stored).pixels)
    try:
        return Detections.from_probability(as_probability(stored))
    except DetectionsError as error:
        raise DetectionsError(f"{path}: {error}") from error


def as_probability(stored: NDArray[Any]) -> NDArray[Any]:
    """Stored values as probabilities: 8 and 16 bit divided by their full range.

    Examples
    --------
    >>> as_probability(np.array([[0, 51, 255]], np.uint8)).tolist()
    [[0.0, 0.2, 1.0]]
    """
    if stored.dtype.kind == "u":
        return np.asarray(stored / np.iinfo(stored.dtype).max)
    return stored
