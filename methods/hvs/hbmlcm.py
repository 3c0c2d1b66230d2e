"""High-boost multiscale local contrast measure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.filters.flat import FloatArray
from irbench.filters.windows import WindowedImage, Windows
from irbench.parameters import parameter

from ._rings import (
    inner_sides_parameter,
    outer_side_parameter,
    require_larger,
    require_several,
    ring_contrast,
)


class HBMLCM(ScoreMapDetector):
    r"""High-boost multiscale local contrast measure.

    The high-boost filter multiplies the image by what it exceeds its mean over a window,
    :math:`h = a \max(a - \bar{a}, 0)`. In :math:`h` the mean :math:`t_k` of the
    window of side :math:`k` is compared with the mean :math:`o_k` of the ring between it and
    the outer window, and the score is the squared spread of the contrast over the scales [1]_

    .. math:: C = \left(\max_k |t_k - o_k| - \min_k |t_k - o_k|\right)^2.

    Reference behaviour: no authors' code is known; the reference is a widely used public
    code. All means repeat the nearest pixel. Another public code has ``boost=5``.

    The map is in grey levels to the fourth power, non-negative, multiplied by the fourth
    power of a gain, strengthened by a positive offset, and exactly 0 on a constant image.
    It commutes with transposition and flips, up to rounding.

    Time O(H W n_scales) where grey levels are whole, as those of 8-bit images are; else O(H W
    (n_scales + sum(log scales) + log outer + log boost)), twice as long.

    Parameters
    ----------
    scales : tuple of int
        Sides :math:`k` of the inner window, in pixels, odd, 1 to 61; two or more. Default
        (3, 5, 7, 9).
    outer : int
        Side of the outer window, in pixels, odd, 3 to 63, above all scales. Default 15.
    boost : int
        Side of the window of the high-boost filter, in pixels, odd, 3 to 63. Default 9.

    References
    ----------
    .. [1] Y. Shi, Y. Wei, H. Yao, D. Pan, G. Xiao, "High-boost-based multiscale local
       contrast measure for infrared small target detection", IEEE Geoscience and Remote
       Sensing Letters 15(1), 33-37, 2018. doi:10.1109/LGRS.2017.2772030

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((40, 40), 100, np.uint8)
    >>> image[19:22, 19:22] = 130
    >>> score_map = HBMLCM().score_map(image)
    >>> bool(score_map[20, 20] == score_map.max())
    True
    """

    info = MethodInfo(
        name="hbmlcm",
        title="HB-MLCM",
        group="HVS-based Methods",
        year=2018,
        default=False,
        extended=True,
        reference=(
            "Y. Shi, Y. Wei, H. Yao, D. Pan, G. Xiao, High-boost-based multiscale local contrast "
            "measure for infrared small target detection, IEEE Geoscience and Remote Sensing "
            "Letters 15(1), 2018, doi:10.1109/LGRS.2017.2772030"
        ),
    )
    scales: tuple[int, ...] = inner_sides_parameter()
    outer: int = outer_side_parameter(15)
    boost: int = parameter(
        default=9, low=3, high=63, odd=True, unit="px", help="window of the high-boost filter"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        require_several(self.info.name, self.scales)
        require_larger(self.info.name, "outer", self.outer, "scales", max(self.scales))

    def compute(self, image: FloatArray) -> FloatArray:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        levels = WindowedImage.of(image)
        boosted = levels.map(self._excess, self.boost // 2, "replicate")
        boosted *= image
        reach = self.outer // 2
        # Whole where the grey levels are: at most 255**2 of a pixel, times the pixels of a
        # window, cubed in the contrasts: 2**52 with the largest windows.
        spread = levels.product(boosted, reach).map(self._spread, reach, "replicate")
        spread *= 1 / self.boost**2
        return np.multiply(spread, spread, out=spread)

    def _excess(self, windows: Windows) -> FloatArray:
        """By how much a pixel exceeds its surroundings, times the pixels of their window."""
        excess = windows.box_sum(1)
        excess *= self.boost**2
        excess -= windows.box_sum(self.boost)
        return np.maximum(excess, 0.0, out=excess)

    def _spread(self, windows: Windows) -> FloatArray:
        contrasts = self._contrasts(windows)
        largest = next(contrasts)
        least = largest.copy()
        for contrast in contrasts:
            np.maximum(largest, contrast, out=largest)
            np.minimum(least, contrast, out=least)
        largest -= least
        return largest

    def _contrasts(self, windows: Windows) -> Iterator[FloatArray]:
        around = windows.box_sum(self.outer)
        for scale in self.scales:
            contrast = ring_contrast(windows.box_sum(scale), around, scale, self.outer)
            yield np.abs(contrast, out=contrast)
