"""Max-median filter: the image less the largest of four directional medians."""

from __future__ import annotations

import numpy as np

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.filters.flat import FlatImage, FloatArray, LevelArray, map_strips, narrowed
from irbench.filters.median import clamp_bounds
from irbench.parameters import parameter


class MaxMedian(ScoreMapDetector):
    r"""Max-median filter over horizontal, vertical and both diagonal lines.

    A median along a line keeps edges that run along it and removes what is
    shorter than half of it. The largest of the four medians estimates the
    background without rounding off edges; the score is what is left, [1]_

    .. math:: \mathrm{map} = f - \max(z_1, z_2, z_3, z_4),

    with :math:`z_i` the median of ``length`` pixels on line :math:`i` through the pixel.

    The image is mirrored at its border, the edge pixel repeated. The map is
    signed, negative inside dark details, unchanged by an offset and
    proportional to gain. It commutes with transposition and flips, and equals
    the public reference code exactly.

    Time O(H W length log(length)^2), without sorting the pixel itself: the median
    of a pixel and an even number of others is the pixel, clamped to the two
    middle ones of the others.

    Parameters
    ----------
    length : int
        Pixels on a line, odd, 3 to 63. Targets wider than half of this are
        taken for background. Default 5.

    References
    ----------
    .. [1] S. D. Deshpande, M. H. Er, R. Venkateswarlu, P. Chan, "Max-mean and
       max-median filters for detection of small targets", Proc. SPIE 3809,
       74-83, 1999. doi:10.1117/12.364049

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((16, 16), 100, np.uint8)
    >>> image[7:9, 7:9] = 130
    >>> float(MaxMedian().score_map(image)[7, 7])
    30.0
    """

    info = MethodInfo(
        name="maxmedian",
        title="Max-Median",
        group="Background Suppression",
        year=1999,
        reference=(
            "S. D. Deshpande, M. H. Er, R. Venkateswarlu, P. Chan, Max-mean and max-median "
            "filters for detection of small targets, Proc. SPIE 3809, 1999, doi:10.1117/12.364049"
        ),
    )
    length: int = parameter(
        default=5, low=3, high=63, odd=True, unit="px", help="pixels on each of the four lines"
    )

    def compute(self, image: FloatArray) -> FloatArray:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        half = self.length // 2

        def background(plane: FlatImage) -> LevelArray:
            # max_i clamp(f, L_i, U_i) = clamp(f, max_i L_i, max_i U_i): one clamp for all lines.
            bounds = []
            for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
                stride = dy * plane.pitch + dx
                first = half * (plane.pitch + 1 - stride)
                bounds.append(clamp_bounds(plane.values[first:], half, stride, plane.size))
            lower, upper = bounds[0]
            for low, high in bounds[1:]:
                np.maximum(lower, low, out=lower)
                np.maximum(upper, high, out=upper)
            np.minimum(upper, plane.around(0), out=upper)
            return np.maximum(upper, lower, out=upper)

        medians = map_strips(background, FlatImage.pad(narrowed(image), half, "reflect"))
        return np.subtract(image, medians, out=medians)
