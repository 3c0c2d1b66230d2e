"""High-boost multiscale local contrast measure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.filters.flat import FlatImage, FloatArray, map_strips
from irbench.filters.running import box_sum
from irbench.parameters import parameter

from ._rings import from_darkest, require_larger, require_several, ring_contrast


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

    Time O(H W (n_scales + sum(log scales) + log outer + log boost)).

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
    scales: tuple[int, ...] = parameter(
        default=(3, 5, 7, 9), low=1, high=61, odd=True, unit="px", help="sides of the inner window"
    )
    outer: int = parameter(
        default=15, low=3, high=63, odd=True, unit="px", help="side of the outer window"
    )
    boost: int = parameter(
        default=9, low=3, high=63, odd=True, unit="px", help="window of the high-boost filter"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        require_several(self.info.name, self.scales)
        require_larger(self.info.name, "outer", self.outer, "scales", max(self.scales))

    def compute(self, image: FloatArray) -> FloatArray:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        plane = FlatImage.pad(from_darkest(image), self.boost // 2, "replicate")
        boosted = map_strips(self._excess, plane)
        boosted *= image
        plane = FlatImage.pad(boosted, self.outer // 2, "replicate")
        return map_strips(self._spread, plane)

    def _excess(self, plane: FlatImage) -> FloatArray:
        """By how much a pixel exceeds its surroundings."""
        reach, n_pixels = self.boost // 2, self.boost**2
        excess = n_pixels * plane.around(0)
        excess -= box_sum(plane.around(reach), self.boost, plane.pitch)
        np.maximum(excess, 0.0, out=excess)
        excess *= 1 / n_pixels
        return excess

    def _spread(self, plane: FlatImage) -> FloatArray:
        contrasts = self._contrasts(plane)
        largest = next(contrasts)
        least = largest.copy()
        for contrast in contrasts:
            np.maximum(largest, contrast, out=largest)
            np.minimum(least, contrast, out=least)
        largest -= least
        return np.multiply(largest, largest, out=largest)

    def _contrasts(self, plane: FlatImage) -> Iterator[FloatArray]:
        values, pitch = plane.around(self.outer // 2), plane.pitch
        around = box_sum(values, self.outer, pitch)
        for scale in self.scales:
            contrast = ring_contrast(values, around, scale, self.outer, pitch)
            yield np.abs(contrast, out=contrast)
