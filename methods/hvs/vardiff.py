"""Variance difference: brighter and more varied than the surroundings."""

from __future__ import annotations

import numpy as np

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.filters.deviation import ring_sum
from irbench.filters.flat import FlatImage, FloatArray, map_strips
from irbench.filters.windows import WindowedImage, Windows
from irbench.parameters import parameter

from ._rings import require_larger, ring_contrast


class VarDiff(ScoreMapDetector):
    r"""Variance difference.

    Three windows: the internal one, of a target; a guard round it; the external one. With
    :math:`P` the mean of the internal window minus that of the guard ring, :math:`s_i` the
    standard deviation over the internal window, :math:`s_e` that over the external ring, and
    :math:`\bar{s}_e` the mean of :math:`s_e` over the internal window without its centre, [1]_

    .. math:: C = a \max(P, 0)^2 \max(s_i - \bar{s}_e,\ 0)^2.

    Reference behaviour: the code is not the paper's authors'. In spite of the name it
    compares standard deviations (N - 1), not variances. Means repeat the nearest pixel,
    standard deviations mirror the image with its edge pixel repeated.

    The map is in grey levels to the fifth power, non-negative, multiplied by the fifth power
    of a gain, strengthened by a positive offset, and exactly 0 on a constant image. It
    commutes with transposition and flips, up to rounding.

    Time O(H W log internal) where grey levels are whole, as those of 8-bit images are; O(H W
    log external), twice as long, where they are multiples of 1/256; else O(H W external^2),
    some six times.

    Parameters
    ----------
    internal : int
        Side of the internal window, in pixels, odd, 3 to 59. Default 7.
    guard : int
        Side of the guard window, in pixels, odd, 5 to 61, above ``internal``. Default 11.
    external : int
        Side of the external window, in pixels, odd, 7 to 63, above ``guard``. Default 15.

    References
    ----------
    .. [1] M. Nasiri, S. Chehresa, "Infrared small target enhancement based on variance
       difference", Infrared Physics & Technology 82, 107-119, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((40, 40), 100, np.uint8)
    >>> image[19:22, 19:22] = 130
    >>> score_map = VarDiff().score_map(image)
    >>> bool(score_map[20, 20] == score_map.max())
    True
    """

    info = MethodInfo(
        name="vardiff",
        title="VAR-DIFF",
        group="HVS-based Methods",
        year=2017,
        default=False,
        extended=True,
        reference=(
            "M. Nasiri, S. Chehresa, Infrared small target enhancement based on variance "
            "difference, Infrared Physics & Technology 82, 2017"
        ),
    )
    internal: int = parameter(
        default=7, low=3, high=59, odd=True, unit="px", help="side of the internal window"
    )
    guard: int = parameter(
        default=11, low=5, high=61, odd=True, unit="px", help="side of the guard window"
    )
    external: int = parameter(
        default=15, low=7, high=63, odd=True, unit="px", help="side of the external window"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        require_larger(self.info.name, "guard", self.guard, "internal", self.internal)
        require_larger(self.info.name, "external", self.external, "guard", self.guard)

    def compute(self, image: FloatArray) -> FloatArray:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        levels = WindowedImage.of(image)
        score_map = levels.map(self._excess_contrast, self.guard // 2, "replicate")
        score_map *= self._excess_deviation(levels)
        np.multiply(score_map, score_map, out=score_map)
        return np.multiply(score_map, image, out=score_map)

    def _excess_contrast(self, windows: Windows) -> FloatArray:
        square, around = windows.box_sum(self.internal), windows.box_sum(self.guard)
        contrast = ring_contrast(square, around, self.internal, self.guard)
        return np.maximum(contrast, 0.0, out=contrast)

    def _excess_deviation(self, levels: WindowedImage) -> FloatArray:
        def external(windows: Windows) -> FloatArray:
            return windows.deviation(self.external, self.guard)

        def surrounding(plane: FlatImage) -> FloatArray:
            values = plane.around(self.internal // 2)
            total = ring_sum(values, self.internal, 1, plane.pitch)
            total *= 1 / (self.internal**2 - 1)
            return total

        spread = levels.map(external, self.external // 2, "reflect")
        # Deviations are no whole numbers: their windows are summed one by one.
        around = map_strips(surrounding, FlatImage.pad(spread, self.internal // 2, "replicate"))
        excess = levels.map(
            lambda windows: windows.deviation(self.internal), self.internal // 2, "reflect"
        )
        excess -= around
        return np.maximum(excess, 0.0, out=excess)
