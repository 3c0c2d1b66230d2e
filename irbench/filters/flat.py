"""A padded image as one row of numbers, so that a shift in the plane is one offset.

Window statistics are built from shifted copies of the image. On two-dimensional
views NumPy restarts its loop at every row; on a contiguous row of numbers each
step is a single vectorised loop, two to three times as fast at 256 x 256. The
price is that windows which straddle the end of a row hold meaningless numbers:
they belong to the margin, and :meth:`FlatImage.crop` leaves them out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from irbench.resources import keep_freed_memory

FloatArray = NDArray[np.float64]
LevelArray = NDArray[Any]
"""Grey levels as float64, or as uint8 where :func:`narrowed` found that they are whole."""
Padding = Literal["zero", "reflect", "replicate", "lowest", "highest"]
"""What lies outside an image.

``zero``: zeros. ``reflect``: the image mirrored at its edge, the edge pixel
repeated, as often as needed. ``replicate``: the nearest pixel. ``lowest`` and
``highest``: minus and plus infinity, which never win a maximum or a minimum; 0 and 255 in
bytes, which decide one only where the whole window lies outside.
"""


def narrowed(levels: LevelArray) -> LevelArray:
    """Grey levels as bytes, where each is a whole number from 0 to 255, as in an 8-bit image.

    Comparisons choose the same values of either, and sums of whole numbers are exact in either;
    passes over bytes take an eighth of the memory and of the time.

    Parameters
    ----------
    levels : ndarray of float64 or uint8

    Returns
    -------
    ndarray of uint8
        ``levels`` itself where any would change, or where they are bytes already.
    """
    if levels.dtype == np.uint8:
        return levels
    # What is no byte, NaN and infinity too, differs from whatever the cast makes of it.
    with np.errstate(invalid="ignore"):
        whole = levels.astype(np.uint8)
    return whole if np.array_equal(whole, levels) else levels


def pad(image: LevelArray, margin: int, padding: Padding) -> LevelArray:
    """Surround an image by a margin.

    Parameters
    ----------
    image : (H, W) ndarray of float64 or uint8
        Neither side may be 0.
    margin : int
        Width of the margin on every side, in pixels, at least 0. It may exceed the image.
    padding : {"zero", "reflect", "replicate", "lowest", "highest"}
        See :data:`Padding`.

    Returns
    -------
    (H + 2 margin, W + 2 margin) ndarray of the same dtype
        A contiguous copy.
    """
    import cv2

    lowest, highest = (0, 255) if image.dtype == np.uint8 else (-np.inf, np.inf)
    border, value = {
        "zero": (cv2.BORDER_CONSTANT, 0.0),
        "reflect": (cv2.BORDER_REFLECT, 0.0),
        "replicate": (cv2.BORDER_REPLICATE, 0.0),
        "lowest": (cv2.BORDER_CONSTANT, lowest),
        "highest": (cv2.BORDER_CONSTANT, highest),
    }[padding]
    padded = cv2.copyMakeBorder(image, margin, margin, margin, margin, border, value=value)
    return np.asarray(padded)


@dataclass(frozen=True, eq=False)
class FlatImage:
    """A padded image, flattened row by row.

    Attributes
    ----------
    values : (N,) ndarray of float64 or uint8
        The padded image in raster order.
    pitch : int
        Offset from a pixel to the one below: the padded width.
    shape : (int, int)
        Height and width of the image without its margin.
    margin : int
        Width of the margin, in pixels.
    """

    values: LevelArray
    pitch: int
    shape: tuple[int, int]
    margin: int

    @classmethod
    def pad(cls, image: LevelArray, margin: int, padding: Padding) -> FlatImage:
        """Pad an ``(H, W)`` image, see :func:`pad`, and flatten it."""
        height, width = image.shape
        padded = pad(image, margin, padding)
        return cls(padded.ravel(), padded.shape[1], (height, width), margin)

    @property
    def size(self) -> int:
        """Number of entries from the first pixel of the image to its last, margins between."""
        height, width = self.shape
        return (height - 1) * self.pitch + width

    def rows(self, start: int, stop: int) -> FlatImage:
        """The strip of rows ``start`` to ``stop - 1``, with its margin; a view."""
        values = self.values[start * self.pitch : (stop + 2 * self.margin) * self.pitch]
        return FlatImage(values, self.pitch, (stop - start, self.shape[1]), self.margin)

    def around(self, reach: int) -> LevelArray:
        """The part of the plane that windows of ``2 reach + 1`` pixels a side touch.

        Parameters
        ----------
        reach : int
            How far the window reaches from its centre, in pixels, 0 to ``margin``.

        Returns
        -------
        (size + 2 reach (pitch + 1),) ndarray of the plane's dtype
            A view. Entry ``y * pitch + x`` is the upper left corner of the window
            centred on pixel ``(y, x)``; the offset of the window's entry
            ``(i, j)`` from there is ``i * pitch + j``.
        """
        start = (self.margin - reach) * (self.pitch + 1)
        return self.values[start : start + self.size + 2 * reach * (self.pitch + 1)]

    def crop(self, flat: NDArray[Any]) -> NDArray[Any]:
        """The ``(H, W)`` view of a result that holds pixel ``(y, x)`` at ``y * pitch + x``.

        Parameters
        ----------
        flat : (>= size,) ndarray
        """
        step = flat.strides[0]
        return np.lib.stride_tricks.as_strided(
            flat[: self.size], shape=self.shape, strides=(self.pitch * step, step)
        )


# Entries worked on at a time. The few planes of a strip stay in cache, and memory stays bounded on
# large frames; shorter strips would pay more for calls and for margins computed twice.
# An image of 256 x 256 with its margin is one.
_STRIP = 98304


def strip_bounds(height: int, pitch: int) -> Iterator[tuple[int, int]]:
    """Cut an image into strips whose planes stay in cache.

    Parameters
    ----------
    height : int
        Number of rows, at least 1.
    pitch : int
        Entries of a row.

    Yields
    ------
    start, stop : int
        A strip's first row, and the one after its last.
    """
    n_strips = min(height, -(-height * pitch // _STRIP))
    n_rows = -(-height // n_strips)
    for start in range(0, height, n_rows):
        yield start, min(start + n_rows, height)


def map_strips(function: Callable[..., NDArray[Any]], *planes: FlatImage) -> FloatArray:
    """Compute a map strip by strip.

    Parameters
    ----------
    function : callable
        Takes a strip of each plane and returns a result as :meth:`FlatImage.crop`
        expects it. It sees no more of the image than the margins hold.
    *planes : FlatImage
        Of one image.

    Returns
    -------
    (H, W) ndarray of float64
    """
    keep_freed_memory()
    height, width = planes[0].shape
    result = np.empty((height, width))
    for start, stop in strip_bounds(height, planes[0].pitch):
        strips = [plane.rows(start, stop) for plane in planes]
        result[start:stop] = strips[0].crop(function(*strips))
    return result
