"""Agreement of masks, pixel by pixel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from irbench.errors import MaskError
from irbench.metrics.metric import TOOLKIT, fraction
from irbench.metrics.packed_components import PackedComponents
from irbench.metrics.value import NO_IMAGES, NOTHING_KEPT
from irbench.metrics.weighted import Ratio

_ACM = "Y. Dai et al., WACV 2021"
_AGPCNET = "T. Zhang et al., IEEE Trans. Aerosp. Electron. Syst. 59(4), 2023 (AGPCNet)"
_NO_TARGET_PIXELS = "no target pixel in any image"


@dataclass(frozen=True, eq=False)
class PixelCounts:
    """Pixel counts of each image, of which the pixel metrics are ratios.

    Attributes
    ----------
    intersection : (n_images,) ndarray of int64
        Pixels that are both kept and target.
    kept, target : (n_images,) ndarray of int64
        Pixels of the union of the kept regions, and of the ground-truth mask.
    """

    intersection: NDArray[np.int64]
    kept: NDArray[np.int64]
    target: NDArray[np.int64]

    @property
    def union(self) -> NDArray[np.int64]:
        """``(n_images,)`` pixels that are kept, or target, or both."""
        return self.kept + self.target - self.intersection

    @property
    def n_images(self) -> int:
        """Number of images."""
        return len(self.target)

    @property
    def iou_per_image(self) -> NDArray[np.float64]:
        """``(n_images,)`` intersection over union of each; 1 where both masks are empty."""
        union = self.union
        return np.divide(self.intersection, union, out=np.ones(len(union)), where=union > 0)


def count_pixels(
    images: Iterable[tuple[NDArray[np.bool_], NDArray[np.bool_]]],
) -> PixelCounts:
    """Count the pixels of every image.

    Parameters
    ----------
    images : iterable of ((H, W) ndarray of bool, (H, W) ndarray of bool)
        The union of the kept regions, and the ground-truth mask; the images may
        differ in size.

    Returns
    -------
    PixelCounts

    Raises
    ------
    MaskError
        For masks that are not bool or differ in shape.

    Examples
    --------
    >>> import numpy as np
    >>> kept, mask = np.array([[True, True, False]]), np.array([[False, True, True]])
    >>> count_pixels([(kept, mask)]).union.tolist()
    [3]
    """
    rows = []
    for index, (kept, mask) in enumerate(images):
        if kept.shape != mask.shape or kept.dtype != np.bool_ or mask.dtype != np.bool_:
            raise MaskError(
                f"kept pixels and mask of image {index} must be bool and of one shape, got "
                f"{kept.dtype} {kept.shape} and {mask.dtype} {mask.shape}."
            )
        rows.append(tuple(int(np.count_nonzero(pixels)) for pixels in (kept & mask, kept, mask)))
    return PixelCounts(*np.array(rows, dtype=np.int64).reshape(len(rows), 3).T)


def count_packed_pixels(kept: PackedComponents, targets: PackedComponents) -> PixelCounts:
    """As :func:`count_pixels`, of regions of the same images.

    Counted by runs: a method that marks whole images has few of them, but more pixels than
    memory may hold.
    """
    n = kept.n_images
    in_kept, in_targets = _covered(kept.run_keys, n), _covered(targets.run_keys, n)
    in_either = _covered(np.concatenate([kept.run_keys, targets.run_keys]), n)
    return PixelCounts(in_kept + in_targets - in_either, in_kept, in_targets)


def _covered(runs: NDArray[np.int64], n_images: int) -> NDArray[np.int64]:
    """``(n_images,)`` pixels in any of some runs: regions may overlap, and a pixel counts once."""
    first, end = runs[np.argsort(runs[:, 0], kind="stable")].T
    reached = np.append(0, np.maximum.accumulate(end)[:-1])
    added = np.maximum(end - np.maximum(first, reached), 0)
    return np.bincount(first >> 32, added, n_images).astype(np.int64)


_pixel_metric = partial(fraction, kind="pixels", needs="pixels", equals=TOOLKIT)

iou = _pixel_metric(
    "iou",
    "IoU",
    reference=_ACM,
    description="Foreground intersection over union, both summed over the whole set.",
    formula="Σ |kept ∩ mask| / Σ |kept ∪ mask|",
    form=lambda counts: Ratio(counts.intersection, counts.union),
    reason="no pixel is kept or of a target",
)

niou = _pixel_metric(
    "niou",
    "nIoU",
    reference=_ACM,
    description="Mean over images of the foreground IoU of each; 1 where both masks are empty.",
    formula="mean of |kept ∩ mask| / |kept ∪ mask|",
    equals=f"{TOOLKIT}, but where both masks are empty: 0 there",
    form=lambda counts: Ratio(counts.iou_per_image, np.ones(counts.n_images)),
    reason=NO_IMAGES,
)

pixel_recall = _pixel_metric(
    "pixel_recall",
    "Pixel recall",
    reference="",
    description="Target pixels that a kept region covers, of all target pixels.",
    formula="Σ |kept ∩ mask| / Σ |mask|",
    form=lambda counts: Ratio(counts.intersection, counts.target),
    reason=_NO_TARGET_PIXELS,
)

pixel_precision = _pixel_metric(
    "pixel_precision",
    "Pixel precision",
    reference=_AGPCNET,
    description="Kept pixels that are of a target, of all kept pixels.",
    formula="Σ |kept ∩ mask| / Σ |kept|",
    form=lambda counts: Ratio(counts.intersection, counts.kept),
    reason=NOTHING_KEPT,
)

# Defined, as 0, where there are targets and nothing is kept, as F1 of boxes is.
pixel_f1 = _pixel_metric(
    "pixel_f1",
    "Pixel F1",
    reference=_AGPCNET,
    description="Harmonic mean of pixel precision and pixel recall.",
    formula="2 Σ |kept ∩ mask| / (Σ |kept| + Σ |mask|)",
    form=lambda counts: Ratio(2 * counts.intersection, counts.kept + counts.target, counts.target),
    reason=_NO_TARGET_PIXELS,
)

METRICS = (iou, niou, pixel_recall)
LATER = (pixel_precision, pixel_f1)
"""Behind all others in a results table, whose order is older than they are."""
