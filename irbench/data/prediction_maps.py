"""Masks and probability maps that somebody saved as files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections
from irbench.errors import DetectionsError, MaskError
from irbench.images import read_image
from irbench.images.files import read_stored
from irbench.images.limits import check_claim
from irbench.images.mask_values import binarise, is_flat
from irbench.images.masks import decide

MapKind = Literal["mask", "probability"]

DETECTED = 0.5
"""The probability from which a pixel belongs to a detection."""

_MAX_NUMBERED = 128
_FULL = (1.0, 255.0, 65535.0)


def kind_of_maps(paths: Iterable[Path]) -> tuple[MapKind, str]:
    """Distinguish masks from probability maps by the values of all files together.

    Returns
    -------
    kind : {"mask", "probability"}
        Masks if every file has a palette or colours, or holds two values: 0 and, in any
        mixture, 1 or the full range of 8 or 16 bit; or one value that is the same in all
        of them. Masks too if all values together number detections, 1, 2, 3 …, and
        each patch has one number. Else probabilities.
    seen : str
        What was seen, as a clause.

    Raises
    ------
    DetectionsError
        If some files are coloured labels and others grey maps.
    """
    levels: Counter[float] = Counter()
    n_empty = n_labels = n_soft = 0
    largest, values, flat = 0.0, {0.0}, True
    for path in paths:
        if is_label_image(path):
            n_labels += 1
            continue
        stored = read_map(path)
        found = np.unique(stored)
        top = float(found[-1])
        largest = max(largest, top / _full(stored, top))
        if len(found) <= _MAX_NUMBERED and len(values) <= _MAX_NUMBERED:
            values.update(found.tolist())
            flat = flat and is_flat(stored)
        else:
            flat = False
        if not found.any():
            n_empty += 1
        elif found[0] == 0 and len(found) == 2:
            levels[top] += 1
        else:
            n_soft += 1
    counts = [f"{n} with 0 and {level:g}" for level, n in sorted(levels.items())]
    counts += [f"{n_soft} with more values"] if n_soft else []
    counts += [f"{n_labels} with a palette or colours"] if n_labels else []
    counts += [f"{n_empty} of zeros"] if n_empty else []
    seen = ", ".join(counts)
    is_two = not n_soft and (set(levels) <= set(_FULL) or len(levels) == 1)
    is_numbered = flat and sorted(values) == list(range(len(values))) and len(values) > 2
    if is_two or is_numbered:
        return "mask", seen
    if n_labels:
        raise DetectionsError(
            f"expected masks or grey probability maps, got both ({seen}); say which kind, and "
            "write probability maps in grey, not in colours."
        )
    if largest < DETECTED:
        seen += f"; no value reaches {DETECTED:g} of the full range, so nothing is detected"
    return "probability", seen


def is_label_image(path: Path) -> bool:
    """Whether a prediction is an image with a palette or in colour."""
    if path.suffix.lower() == ".npy":
        return False
    values = read_stored(path, with_indices=True).values
    return values.ndim == 3 and bool((values[..., :3] != values[..., :1]).any())


def _full(stored: NDArray[Any], largest: float) -> float:
    return float(np.iinfo(stored.dtype).max) if stored.dtype.kind == "u" else max(1.0, largest)


def read_map(path: Path) -> NDArray[Any]:
    """A map as it is stored.

    Parameters
    ----------
    path : Path
        An image file, or a ``.npy`` of bool, float, uint8 or uint16, or of other integers that
        are 0 and 1, as argmax leaves them. Axes of length one before and behind the image, as
        networks leave them, are dropped.

    Returns
    -------
    (H, W) ndarray of uint8, uint16 or float
        bool and 0 and 1 of other integers become uint8.

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
    if not isinstance(stored, np.ndarray) or stored.dtype.kind not in "bfui":
        got = getattr(stored, "dtype", type(stored).__name__)
        raise DetectionsError(f"{path}: expected an array of bool or numbers, got {got}.")
    while stored.ndim > 2 and stored.shape[0] == 1:
        stored = stored[0]
    while stored.ndim > 2 and stored.shape[-1] == 1:
        stored = stored[..., 0]
    if stored.ndim != 2:
        # One of the outputs of deep supervision, or one class of a softmax.
        several = "; save one map an image, such as the target's channel" * (stored.ndim > 2)
        raise DetectionsError(
            f"{path}: expected an array of shape (H, W), got {stored.shape}{several}."
        )
    check_claim(path, (stored.shape[0], stored.shape[1]), 0)
    if stored.dtype.kind == "f" or stored.dtype in (np.uint8, np.uint16):
        return np.array(stored)
    if stored.dtype.kind != "b" and not np.isin(stored, (0, 1)).all():
        raise DetectionsError(
            f"{path}: expected bool, float, uint8, uint16, or other integers that are 0 and 1, got "
            f"{stored.dtype} from {stored.min()} to {stored.max()}; state the full range by the "
            "type, as uint8 or uint16, or write fractions."
        )
    return np.array(stored, dtype=np.uint8)


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
        return Detections.from_mask(_mask(path, stored))
    if is_label_image(path):
        raise DetectionsError(
            f"{path}: expected a probability map in grey, got colours; save the map itself, not "
            "a picture of it."
        )
    try:
        return Detections.from_probability(as_probability(stored))
    except DetectionsError as error:
        raise DetectionsError(f"{path}: {error}") from error


def _mask(path: Path, stored: NDArray[Any]) -> NDArray[np.bool_]:
    try:
        if path.suffix.lower() == ".npy":
            return binarise(stored).pixels
        return decide(read_stored(path, with_indices=True)).pixels
    except MaskError as error:
        raise DetectionsError(f"the predicted mask {path} cannot be used: {error}") from error


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
