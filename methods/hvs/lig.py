"""Local intensity and gradient: brightness above the mean, gradients towards the centre."""

from __future__ import annotations

from typing import Literal

import numpy as np

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.filters.flat import FlatImage, FloatArray, map_strips
from irbench.filters.running import box_count, box_sum
from irbench.parameters import parameter

from ._rings import from_darkest

_FEW = 0.001
"""Added to the number of positive gradients, by the reference."""


class LIG(ScoreMapDetector):
    r"""Local intensity and gradient properties.

    The gradients of a small target point to its centre from all sides. In each quadrant of
    the window, the pixel's own row and column included, the differences of neighbours
    along the diagonal towards the centre are taken; :math:`G_i` is the mean square of the
    positive ones of quadrant :math:`i`. With :math:`\bar{a}` the mean of the window, [1]_

    .. math:: C = (a - \bar{a})^2 \sum_i G_i \quad\text{where}\quad
        \frac{\min_i G_i}{\max_i G_i} \ge k, \quad\text{else}\ 0.

    Reference behaviour (the authors' code): the square of the intensity loses the sign; the
    sum of squares is divided by their number plus 0.001; only pixels with a whole window
    are computed, and of these not the last row and column. ``border="replicate"`` computes all,
    with the nearest pixel outside the image.

    The map is in grey levels to the fourth power, non-negative, unchanged by an offset,
    multiplied by the fourth power of a gain, and exactly 0 on a constant image. It commutes
    with transposition, and with flips only without the reference's border.

    Time O(H W log window).

    Parameters
    ----------
    window : int
        Side of the window, in pixels, odd, 3 to 31. Default 19.
    k : float
        :math:`k`, least ratio of the weakest quadrant to the strongest, 0 to 1. Default 0.2.
    border : {"skip", "replicate"}
        Whether pixels near the border stay 0, the reference.

    References
    ----------
    .. [1] H. Zhang, L. Zhang, D. Yuan, H. Chen, "Infrared small target detection based on
       local intensity and gradient properties", Infrared Physics & Technology 89, 88-96,
       2018. doi:10.1016/j.infrared.2017.12.018

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((40, 40), 100, np.uint8)
    >>> image[19:22, 19:22] = 130
    >>> score_map = LIG().score_map(image)
    >>> bool(score_map[20, 20] == score_map.max() > 0)
    True
    """

    info = MethodInfo(
        name="lig",
        title="LIG",
        group="HVS-based Methods",
        year=2018,
        default=False,
        extended=True,
        reference=(
            "H. Zhang, L. Zhang, D. Yuan, H. Chen, Infrared small target detection based on local "
            "intensity and gradient properties, Infrared Physics & Technology 89, 2018, "
            "doi:10.1016/j.infrared.2017.12.018"
        ),
    )
    window: int = parameter(
        default=19, low=3, high=31, odd=True, unit="px", help="side of the window"
    )
    k: float = parameter(
        default=0.2, low=0, high=1, help="least ratio of the weakest quadrant to the strongest"
    )
    border: Literal["skip", "replicate"] = parameter(
        default="skip", choices=("skip", "replicate"), help="what becomes of pixels near the border"
    )

    def compute(self, image: FloatArray) -> FloatArray:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        half = self.window // 2
        plane = FlatImage.pad(from_darkest(image), half + 1, "replicate")
        score_map = map_strips(self._product, plane)
        if self.border == "skip":
            inside = np.zeros(image.shape, dtype=bool)
            height, width = image.shape
            inside[half : max(height - half - 1, 0), half : max(width - half - 1, 0)] = True
            score_map[~inside] = 0.0
        return score_map

    def _product(self, plane: FlatImage) -> FloatArray:
        values, pitch = plane.around(self.window // 2 + 1), plane.pitch
        gradients = self._gradients(values, pitch)
        n_pixels = self.window**2
        intensity = n_pixels * plane.around(0)
        intensity -= box_sum(plane.around(self.window // 2), self.window, pitch)
        intensity *= 1 / n_pixels
        intensity *= intensity
        intensity *= gradients
        return intensity

    def _gradients(self, values: FloatArray, pitch: int) -> FloatArray:
        """Sum of the mean squares of the quadrants, 0 where they differ too much."""
        half = self.window // 2
        size = values.size - 2 * (half + 1) * (pitch + 1)
        # From the corner of the window, which begins one pixel inside the values.
        corner = pitch + 1
        quadrants = [
            self._quadrant(values, corner + row * half * pitch + column * half, step, size, pitch)
            for (row, column), step in (
                ((0, 0), pitch + 1),
                ((0, 1), pitch - 1),
                ((1, 0), 1 - pitch),
                ((1, 1), -pitch - 1),
            )
        ]
        least, most = quadrants[0].copy(), quadrants[0].copy()
        total = quadrants[0]
        for quadrant in quadrants[1:]:
            np.minimum(least, quadrant, out=least)
            np.maximum(most, quadrant, out=most)
            total += quadrant
        # 0 / 0 where no gradient is positive: the sum is 0 there.
        with np.errstate(invalid="ignore"):
            ratio = np.divide(least, most, out=least)
        total *= ~(ratio < self.k)
        return total

    def _quadrant(
        self, values: FloatArray, start: int, step: int, size: int, pitch: int
    ) -> FloatArray:
        """Mean square of the positive differences ``step`` on, over squares from ``start``."""
        side = self.window // 2 + 1
        stop = start + size + (side - 1) * (pitch + 1)
        gradient = values[start + step : stop + step] - values[start:stop]
        np.maximum(gradient, 0.0, out=gradient)
        count = box_count(gradient > 0, side, pitch)
        gradient *= gradient
        total = box_sum(gradient, side, pitch)
        total /= count + _FEW
        return total
