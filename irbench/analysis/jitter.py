"""Ground truth that was drawn a little differently: boxes, centroids and masks moved at random.

Whoever annotates a target of a few pixels may well set a side one pixel off. How far the
scores move under such a change says how much of a difference between methods can be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from irbench.ground_truth import GroundTruth
from irbench.ragged_arrays import offsets_of

JitterKind = Literal["shift", "sides"]
KINDS: tuple[JitterKind, ...] = ("shift", "sides")
AMPLITUDES_PX = (0.5, 1.0, 2.0)
LEAST_SIDE_PX = 1.0
"""No box becomes narrower or lower than this, unless it was."""


@dataclass(frozen=True, eq=False)
class Jitter:
    """Random displacements of every target, repeated.

    Attributes
    ----------
    kind : {"shift", "sides"}
        The box as a whole, or each of its sides by itself.
    amplitude_px : float
        Displacements are uniform in ± this, along x and along y.
    displacement : (n_repeats, n_targets, 4) ndarray of float64
        Of x0, y0, x1 and y1, in pixels.
    rounding : (n_repeats, n_targets, 2) ndarray of float64
        In [0, 1), for :func:`whole_shifts`.
    """

    kind: JitterKind
    amplitude_px: float
    displacement: NDArray[np.float64]
    rounding: NDArray[np.float64]

    @property
    def centroid_shift(self) -> NDArray[np.float64]:
        """``(n_repeats, n_targets, 2)`` movement of each centroid: that of the box's centre."""
        return (self.displacement[..., :2] + self.displacement[..., 2:]) / 2


def draw_jitters(
    n_targets: int,
    *,
    amplitudes_px: Sequence[float] = AMPLITUDES_PX,
    n_repeats: int = 20,
    seed: int = 0,
) -> list[Jitter]:
    """Draw the displacements, the same for every method.

    Returns
    -------
    list of Jitter
        Every kind at every amplitude. Amplitudes scale the same draws, so that they differ
        by nothing else.
    """
    rng = np.random.default_rng(seed)
    size = (n_repeats, n_targets)
    whole = rng.uniform(-1, 1, (*size, 2))
    unit = {
        "shift": np.concatenate([whole, whole], axis=-1),
        "sides": rng.uniform(-1, 1, (*size, 4)),
    }
    rounding = rng.random((*size, 2))
    return [
        Jitter(kind, amplitude, unit[kind] * amplitude, rounding)
        for kind in KINDS
        for amplitude in amplitudes_px
    ]


def jittered_boxes(
    boxes: NDArray[np.float64], displacement: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Boxes with their sides moved.

    Parameters
    ----------
    boxes : (N, 4) ndarray of float64
    displacement : (..., N, 4) ndarray of float64

    Returns
    -------
    (..., N, 4) ndarray of float64
        A box of which two sides would come nearer than :data:`LEAST_SIDE_PX` (or its own
        extent, where that is smaller) keeps this extent round the middle between them. Boxes
        may reach out of the image.

    Examples
    --------
    >>> jittered_boxes(np.array([[4.0, 4, 5, 7]]), np.array([[1.0, 0, -1, 2]])).tolist()
    [[4.0, 4.0, 5.0, 9.0]]
    """
    moved = boxes + displacement
    least = np.minimum(boxes[:, 2:] - boxes[:, :2], LEAST_SIDE_PX)
    middle = (moved[..., :2] + moved[..., 2:]) / 2
    half = np.maximum(moved[..., 2:] - moved[..., :2], least) / 2
    return np.concatenate([middle - half, middle + half], axis=-1)


def whole_shifts(jitter: Jitter) -> NDArray[np.int64]:
    """Shifts of masks by whole pixels.

    Returns
    -------
    (n_repeats, n_targets, 2) ndarray of int64
        Along x and y. A fraction is rounded up as often as it is large, so that the mean
        shift is that of the centroid.
    """
    return np.floor(jitter.centroid_shift + jitter.rounding).astype(np.int64)


@dataclass(frozen=True, eq=False)
class PixelSets:
    """The target pixels of a set of images, in several variants.

    Attributes
    ----------
    pixels : (P,) ndarray of int64
        Raster index within all images laid end to end; no pixel twice in a variant.
    slot : (P,) ndarray of int64
        Variant times ``n_images`` plus image.
    n_variants, n_images : int
    """

    pixels: NDArray[np.int64]
    slot: NDArray[np.int64]
    n_variants: int
    n_images: int


def shifted_masks(truths: Sequence[GroundTruth], shifts: NDArray[np.int64]) -> PixelSets:
    """The masks of a set of images with every target moved by whole pixels.

    Parameters
    ----------
    truths : sequence of GroundTruth
        With masks.
    shifts : (V, n_targets, 2) ndarray of int64
        Along x and y.

    Returns
    -------
    PixelSets
        What leaves its image is lost; where targets come to overlap, pixels count once.
    """
    rows, columns, targets, images = [], [], [], []
    first = 0
    for index, truth in enumerate(truths):
        assert truth.targets is not None
        pixels = truth.targets.pixels
        rows.append(pixels // truth.shape[1])
        columns.append(pixels % truth.shape[1])
        targets.append(np.repeat(np.arange(len(truth.targets)) + first, truth.targets.areas))
        images.append(np.full(len(pixels), index))
        first += len(truth.targets)
    row, column, target, image = (
        np.concatenate([np.zeros(0, np.int64), *part]) for part in (rows, columns, targets, images)
    )
    shapes = np.array([truth.shape for truth in truths], dtype=np.int64).reshape(-1, 2)
    offset = image_offsets(truths)
    y, x = row + shifts[:, target, 1], column + shifts[:, target, 0]
    height, width = shapes[image].T
    variant, pixel = np.nonzero((y >= 0) & (y < height) & (x >= 0) & (x < width))
    raster = offset[image[pixel]] + y[variant, pixel] * width[pixel] + x[variant, pixel]
    # Both together are one number, so that a pixel is told apart by variant.
    unique = np.unique(variant * offset[-1] + raster)
    variant, raster = np.divmod(unique, max(int(offset[-1]), 1))
    slot = variant * len(truths) + np.searchsorted(offset, raster, side="right") - 1
    return PixelSets(raster, slot, len(shifts), len(truths))


def image_offsets(truths: Sequence[GroundTruth]) -> NDArray[np.int64]:
    """``(n_images + 1,)`` where each image begins when all are laid end to end."""
    return offsets_of([truth.n_pixels for truth in truths])


def target_order(boxes: NDArray[np.float64]) -> NDArray[np.int64]:
    """``(..., N)`` rank of each box in order of (y0, x0, x1, y1), among its N."""
    x0, y0, x1, y1 = np.moveaxis(boxes, -1, 0)
    order = np.lexsort((y1, x1, x0, y0), axis=-1)
    return np.argsort(order, axis=-1)
