"""Agreement of masks, pixel by pixel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import MaskError
from irbench.metrics.value import NO_IMAGES, MetricValue, check_weights, ratio, total


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


def iou(counts: PixelCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """Foreground intersection over union of the whole set, both summed over all images.

    As published with ACM. [1]_

    Parameters
    ----------
    counts : PixelCounts
    weights : (n_images,) array_like, optional
        How often each image counts.

    Returns
    -------
    MetricValue
        In [0, 1]; undefined where no pixel is kept or target.

    References
    ----------
    .. [1] Y. Dai et al., "Asymmetric Contextual Modulation for Infrared Small
       Target Detection", WACV 2021.
    """
    union = total(counts.union, weights)
    return ratio(total(counts.intersection, weights), union, "no pixel is kept or of a target")


def niou(counts: PixelCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """Mean over images of the foreground IoU of each; 1 where both are empty.

    As published with ACM. [1]_

    Parameters
    ----------
    counts : PixelCounts
    weights : (n_images,) array_like, optional
        How often each image counts.

    Returns
    -------
    MetricValue
        In [0, 1]; undefined without images.

    References
    ----------
    .. [1] Y. Dai et al., "Asymmetric Contextual Modulation for Infrared Small
       Target Detection", WACV 2021.
    """
    union = counts.union
    per_image = np.divide(counts.intersection, union, out=np.ones(len(union)), where=union > 0)
    checked = check_weights(weights, len(union))
    n_images = len(union) if checked is None else float(checked.sum())
    return ratio(total(per_image, weights), n_images, NO_IMAGES)


def pixel_recall(counts: PixelCounts, weights: NDArray[Any] | None = None) -> MetricValue:
    """Target pixels that are kept, of all target pixels of the set.

    Parameters
    ----------
    counts : PixelCounts
    weights : (n_images,) array_like, optional
        How often each image counts.

    Returns
    -------
    MetricValue
        In [0, 1]; undefined without target pixels.
    """
    target = total(counts.target, weights)
    return ratio(total(counts.intersection, weights), target, "no target pixel in any image")
