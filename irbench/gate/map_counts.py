"""What a baseline keeps of score maps: whole numbers that the metrics are computed from again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError
from irbench.metrics.clutter_suppression import Gains
from irbench.metrics.map_statistics import STANDARDISED, MapCounts
from irbench.metrics.pixel_roc import RocCounts
from irbench.metrics.roc_3d import Roc3dCounts

Arrays = dict[str, NDArray[np.int64]]

_GAINS = ("scrg", "bsf", "cg")
_SUMS = ("target_sums", "background_sums")
_PIXELS = ("n_target", "n_background")


def as_bits(numbers: NDArray[Any]) -> NDArray[np.int64]:
    """The bits of numbers that are not negative, as whole numbers: nothing is rounded."""
    floats = np.where(np.isnan(numbers), np.nan, np.abs(numbers.astype(np.float64)))
    return floats.view(np.int64)


def as_fractions(bits: NDArray[np.int64]) -> NDArray[np.float64]:
    """What :func:`as_bits` was given."""
    return np.ascontiguousarray(bits).view(np.float64)


def map_arrays(counts: MapCounts) -> Arrays:
    """The counts of score maps as arrays.

    Returns
    -------
    dict of str to (n,) ndarray of int64
        Named ``maps.…``.
    """
    arrays: Arrays = {}
    for curve, roc in (("roc", counts.roc), ("roc_3d", counts.roc_3d.roc)):
        for part in ("target", "background"):
            images, bins, pixels = getattr(roc, part)
            sizes = np.bincount(images, minlength=roc.n_images)
            for name, array in (("sizes", sizes), ("bins", bins), ("pixels", pixels)):
                arrays[f"maps.{curve}.{part}.{name}"] = np.asarray(array, np.int64)
    for name in _SUMS:
        arrays[f"maps.{name}"] = as_bits(getattr(counts.roc_3d, name))
    for name in _PIXELS:
        arrays[f"maps.{name}"] = np.asarray(getattr(counts.roc_3d, name), np.int64)
    gains = counts.gains
    arrays["maps.gains.sizes"] = np.bincount(gains.images, minlength=gains.n_images)
    for name in _GAINS:
        arrays[f"maps.gains.{name}"] = as_bits(getattr(gains, name))
    arrays["maps.gains.erased"] = gains.erased.astype(np.int64)
    return arrays


def maps_of_arrays(arrays: Mapping[str, NDArray[np.int64]], n_images: int) -> MapCounts | None:
    """The counts that :func:`map_arrays` was given; None where there were none.

    Raises
    ------
    UsageError
        If arrays are missing, or contradict each other.
    """
    if not any(name.startswith("maps.") for name in arrays):
        return None
    try:
        gains = {name: as_fractions(arrays[f"maps.gains.{name}"]) for name in _GAINS}
        return MapCounts(
            STANDARDISED,
            _roc(arrays, "roc", n_images),
            Roc3dCounts(
                _roc(arrays, "roc_3d", n_images),
                as_fractions(arrays["maps.target_sums"]),
                as_fractions(arrays["maps.background_sums"]),
                arrays["maps.n_target"],
                arrays["maps.n_background"],
            ),
            Gains(
                n_images,
                _images(arrays["maps.gains.sizes"], n_images, len(gains["scrg"])),
                erased=arrays["maps.gains.erased"] > 0,
                **gains,
            ),
        )
    except KeyError as error:
        raise UsageError(f"the counts of score maps lack {error}.") from None


def _roc(arrays: Mapping[str, NDArray[np.int64]], curve: str, n_images: int) -> RocCounts:
    parts = []
    for part in ("target", "background"):
        sizes, bins, pixels = (
            arrays[f"maps.{curve}.{part}.{name}"] for name in ("sizes", "bins", "pixels")
        )
        images = _images(sizes, n_images, len(bins))
        parts.append((images, bins, pixels.astype(np.float64)))
    return RocCounts(n_images, *parts)


def _images(sizes: NDArray[np.int64], n_images: int, n: int) -> NDArray[np.int64]:
    if len(sizes) != n_images or sizes.sum() != n:
        raise UsageError(f"the counts of score maps are not those of {n_images} images.")
    return np.repeat(np.arange(n_images), sizes)
