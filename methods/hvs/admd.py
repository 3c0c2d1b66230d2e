"""Absolute directional mean difference: brighter than the brightest neighbouring cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.filters.flat import FloatArray
from irbench.filters.windows import WindowedImage

from ._cells import fuse_scales, require_scales, scales_parameter


class ADMD(ScoreMapDetector):
    r"""Absolute directional mean difference.

    With :math:`m_0` the mean of the cell at a pixel and :math:`m_i` those of its eight
    neighbours, the score is the least of the eight squared differences where all are positive
    [1]_:

    .. math:: C = \max\left(m_0 - \max_i m_i,\ 0\right)^2.

    With several ``scales`` it is the largest over them.

    Reference behaviour (the author's code): one cell of 7x7 pixels; means repeat the nearest
    pixel, but neighbours centred outside the image do not count. ``scales=(3, 5, 7, 9)`` is
    the form of a third party's code. Where no neighbour lies inside, as in images smaller
    than two cells, that code is infinite; the score here is 0.

    The map is in squared grey levels, non-negative, unchanged by an offset, multiplied by the
    square of a gain, and exactly 0 on a constant image. It commutes with transposition and
    flips, up to rounding.

    Time O(H W n_scales) where grey levels are whole, as those of 8-bit images are; else O(H W
    sum(log scales)), twice as long.

    Parameters
    ----------
    scales : tuple of int
        Sides of a cell, in pixels, odd, 3 to 63. Default (7,).

    References
    ----------
    .. [1] S. Moradi, P. Moallem, M. F. Sabahi, "Fast and robust small infrared target
       detection using absolute directional mean difference algorithm", Signal Processing
       177, 107727, 2020. doi:10.1016/j.sigpro.2020.107727

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((40, 40), 100, np.uint8)
    >>> image[17:24, 17:24] = 130
    >>> round(float(ADMD().score_map(image)[20, 20]), 6)
    900.0
    """

    info = MethodInfo(
        name="admd",
        title="ADMD",
        group="HVS-based Methods",
        year=2020,
        default=False,
        extended=True,
        reference=(
            "S. Moradi, P. Moallem, M. F. Sabahi, Fast and robust small infrared target detection "
            "using absolute directional mean difference algorithm, Signal Processing 177, 2020, "
            "doi:10.1016/j.sigpro.2020.107727"
        ),
    )
    scales: tuple[int, ...] = scales_parameter((7,))

    def __post_init__(self) -> None:
        super().__post_init__()
        require_scales(self.info.name, self.scales)

    def compute(self, image: FloatArray) -> FloatArray:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        levels = WindowedImage.of(image)
        return fuse_scales(_contrast(levels, cell) for cell in self.scales)


def _contrast(image: WindowedImage, cell: int) -> FloatArray:
    import cv2

    sums = image.map(lambda windows: windows.box_sum(cell), cell // 2, "replicate")
    # What lies outside the image never is the maximum.
    around = cv2.dilate(sums, _neighbours(cell))
    least = np.asarray(around, dtype=np.float64).reshape(sums.shape)
    np.subtract(sums, least, out=least)
    height, width = sums.shape
    if max(height, width) < 2 * cell:
        # Too far from either end for any neighbour.
        least[max(height - cell, 0) : cell, max(width - cell, 0) : cell] = 0.0
    np.maximum(least, 0.0, out=least)
    least *= 1 / cell**2
    return np.multiply(least, least, out=least)


def _neighbours(cell: int) -> NDArray[np.uint8]:
    """The structuring element of the centres of the eight neighbouring cells."""
    element = np.zeros((2 * cell + 1, 2 * cell + 1), np.uint8)
    element[::cell, ::cell] = 1
    element[cell, cell] = 0
    return element
