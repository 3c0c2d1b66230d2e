"""Sums and deviations over the square window round each pixel.

Every window is summed on its own, so that nothing far away shows in it. Where the image
holds whole grey levels of 8 bits there is a shorter way to the same bits: all sums are whole
numbers that the machine holds exactly, in whatever order they are taken, and so OpenCV's
running sums, over bytes, are those of each window as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from irbench.filters.deviation import deviation, deviation_of_sums, sums_are_exact
from irbench.filters.flat import FlatImage, FloatArray, map_strips, narrowed, strip_bounds
from irbench.filters.running import box_sum
from irbench.resources import keep_freed_memory

Border = Literal["reflect", "replicate"]
"""Paddings of :data:`irbench.filters.flat.Padding` that both ways know."""

_INT32_SIDE = 181
"""Greatest side of a square over which squares of 8 bits add up to less than 31 bits."""


class Windows(Protocol):
    """The windows round the pixels of an image, or of a strip of it.

    All statistics are new arrays of float64 that hold a pixel at the same place; what is at
    places of no pixel has no meaning. A side is odd, and at most twice the reach and one.
    """

    def box_sum(self, size: int) -> FloatArray:
        """Sums over squares of ``size`` pixels a side."""

    def deviation(self, size: int, hole: int = 0) -> FloatArray:
        """Sample standard deviations over squares, without their central square ``hole``."""


class WindowedImage:
    """An image over whose windows sums are taken.

    Parameters
    ----------
    values : (H, W) ndarray of float64, int32 or uint8
        Not modified.
    exact : bool
        Whether any sum of values and of their squares over a window is a whole number below
        2**53, whatever the values' unit. This is for the caller to know.
    """

    def __init__(self, values: NDArray[Any], *, exact: bool) -> None:
        self._values, self.exact = values, exact

    @classmethod
    def of(cls, image: FloatArray) -> WindowedImage:
        """The grey levels of an image, from its darkest on where they are not whole.

        Differences of means are the same, but those of a constant image are exactly 0,
        whatever its level, and less is lost by rounding.

        Parameters
        ----------
        image : (H, W) ndarray of float64
        """
        levels = narrowed(image)
        if levels.dtype == np.uint8:
            return cls(levels, exact=True)
        return cls(image - image.min(), exact=False)

    def product(self, values: FloatArray, reach: int) -> WindowedImage:
        """What was made of this image by sums and products, to be summed in turn.

        Parameters
        ----------
        values : (H, W) ndarray of float64
            At least 0, and whole numbers where this image is exact, with sums as the class
            asks for.
        reach : int
            How far windows will reach from their centres, in pixels.
        """
        # OpenCV is faster with integers, where they hold the sums.
        fits = values.max() * (2 * reach + 1) ** 2 <= np.iinfo(np.int32).max
        whole = self.exact and fits
        return WindowedImage(values.astype(np.int32) if whole else values, exact=self.exact)

    @property
    def span(self) -> float:
        """The greatest value minus the least."""
        return float(self._values.max()) - float(self._values.min())

    @cached_property
    def squares_are_exact(self) -> bool:
        """Whether :func:`irbench.filters.deviation.sums_are_exact` holds."""
        return self.exact or sums_are_exact(self._values)

    def map(
        self, function: Callable[[Windows], FloatArray], reach: int, border: Border
    ) -> FloatArray:
        """Compute a map strip by strip, as :func:`irbench.filters.flat.map_strips` does.

        Parameters
        ----------
        function : callable
            Takes the windows of a strip and returns a value for each pixel, in place of a
            statistic of theirs.
        reach : int
            How far the windows reach from their centres, in pixels.
        border : {"reflect", "replicate"}
            What lies outside the image.

        Returns
        -------
        (H, W) ndarray of float64
        """
        if not self.exact:
            plane = FlatImage.pad(self._values, reach, border)
            return map_strips(lambda strip: function(_DirectWindows(strip, self)), plane)
        keep_freed_memory()
        height, width = self._values.shape
        bounds = list(strip_bounds(height, width))
        if len(bounds) == 1:
            return function(_ExactWindows(self._values, slice(None), border))
        result = np.empty((height, width))
        for start, stop in bounds:
            # With the rows that the windows reach; beyond the image there is the border.
            first = max(start - reach, 0)
            rows = slice(start - first, stop - first)
            windows = _ExactWindows(self._values[first : stop + reach], rows, border)
            result[start:stop] = function(windows)
        return result


class _DirectWindows:
    """Windows that are summed one by one."""

    def __init__(self, plane: FlatImage, image: WindowedImage) -> None:
        self._plane, self._image = plane, image

    def box_sum(self, size: int) -> FloatArray:
        values = self._plane.around(size // 2)
        return values.copy() if size == 1 else box_sum(values, size, self._plane.pitch)

    def deviation(self, size: int, hole: int = 0) -> FloatArray:
        values, exact = self._plane.around(size // 2), self._image.squares_are_exact
        return deviation(values, size, hole, self._plane.pitch, exact=exact)


class _ExactWindows:
    """Windows whose sums are exact in any order; those of ``rows`` are asked for."""

    def __init__(self, values: NDArray[Any], rows: slice, border: Border) -> None:
        import cv2

        self._values, self._rows = values, rows
        self._border = {"reflect": cv2.BORDER_REFLECT, "replicate": cv2.BORDER_REPLICATE}[border]

    def box_sum(self, size: int) -> FloatArray:
        return self._sums(self._values, size)

    def deviation(self, size: int, hole: int = 0) -> FloatArray:
        squares = self._squares if size <= _INT32_SIDE else self._squares.astype(np.float64)
        sums, energy = self._sums(self._values, size), self._sums(squares, size)
        if hole:
            sums -= self._sums(self._values, hole)
            energy -= self._sums(squares, hole)
        return deviation_of_sums(sums, energy, size**2 - hole**2)

    @cached_property
    def _squares(self) -> NDArray[Any]:
        import cv2

        whole = self._values.dtype == np.uint8
        return cv2.multiply(
            self._values, self._values, dtype=cv2.CV_16U if whole else cv2.CV_64F
        ).reshape(self._values.shape)

    def _sums(self, values: NDArray[Any], size: int) -> FloatArray:
        import cv2

        sums = cv2.boxFilter(
            values, cv2.CV_64F, (size, size), normalize=False, borderType=self._border
        )
        return np.asarray(sums, dtype=np.float64).reshape(values.shape)[self._rows]
