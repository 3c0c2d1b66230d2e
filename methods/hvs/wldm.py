"""Weighted local difference measure: contrast over several sizes, weighted by entropy."""

from __future__ import annotations

import numpy as np

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.filters.deviation import centred
from irbench.filters.flat import FlatImage, FloatArray, map_strips
from irbench.filters.running import box_sum
from irbench.parameters import parameter

from ._entropy import weighted_entropy
from ._rings import from_darkest, require_several

_FLAT = 1e-10
"""Grey levels. Means closer than that differ by rounding, and have no contrast."""


class WLDM(ScoreMapDetector):
    r"""Weighted local difference measure.

    Two factors, [1]_. The contrast compares the means :math:`A_k` of windows of several
    sizes with that of the largest, :math:`A_L`, relative to how much they differ at all:

    .. math:: D = \max_{k < L} \frac{(A_k - A_L)^2}{(\max_k A_k - \min_k A_k)^2}.

    The weight is the entropy of a small window, where :math:`f` is the grey level of the
    pixel and :math:`p_g` the share of grey level :math:`g`, in bins of 1 grey level:

    .. math:: E = \sum_g (g - f)^2\, p_g \log_2 \frac{1}{p_g}, \qquad C = D E.

    Reference behaviour: no authors' code is known; the reference is a widely used public
    code, whose author remarks that the contrast works badly. :math:`D` lies between 0 and 1
    and forgets how strong the contrast is; no test of the sign, so dark targets score too;
    the nearest pixel outside the image. Where all means are equal up to rounding (flat areas,
    linear ramps) the reference divides one rounding error by another, or 0 by 0; the score
    here is 0 where they lie within 1e-10 grey levels. ``bin_width`` is ours.

    The map is in squared grey levels times bit, non-negative, and unchanged by an offset of whole
    bins. A gain together with the same gain on ``bin_width`` multiplies it by the square. It
    is exactly 0 on a constant image, and commutes with transposition and flips, up to
    rounding.

    Time O(H W (sum(log scales) + entropy_window^4)): pairs of pixels, in bytes.

    Parameters
    ----------
    scales : tuple of int
        Sides of the windows, in pixels, odd, 1 to 63; two or more different ones. Default
        (3, 5, 7, 9).
    entropy_window : int
        Side of the window of the entropy, in pixels, odd, 3 to 9. Default 5.
    bin_width : float
        Width of a bin of the entropy, in grey levels, 0.01 to 64. Default 1.

    References
    ----------
    .. [1] H. Deng, X. Sun, M. Liu, C. Ye, X. Zhou, "Small infrared target detection based on
       weighted local difference measure", IEEE Transactions on Geoscience and Remote
       Sensing 54(7), 4204-4214, 2016. doi:10.1109/TGRS.2016.2538295

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((40, 40), 100, np.uint8)
    >>> image[20, 20] = 130
    >>> round(float(WLDM().score_map(image)[20, 20]), 6)  # 900 24/25 log2(25/24)
    50.884147
    """

    info = MethodInfo(
        name="wldm",
        title="WLDM",
        group="HVS-based Methods",
        year=2016,
        default=False,
        extended=True,
        reference=(
            "H. Deng, X. Sun, M. Liu, C. Ye, X. Zhou, Small infrared target detection based on "
            "weighted local difference measure, IEEE Transactions on Geoscience and Remote "
            "Sensing 54(7), 2016, doi:10.1109/TGRS.2016.2538295"
        ),
    )
    scales: tuple[int, ...] = parameter(
        default=(3, 5, 7, 9), low=1, high=63, odd=True, unit="px", help="sides of the windows"
    )
    entropy_window: int = parameter(
        default=5, low=3, high=9, odd=True, unit="px", help="side of the window of the entropy"
    )
    bin_width: float = parameter(
        default=1.0, low=0.01, high=64, unit="grey levels", help="width of a bin of the entropy"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        require_several(self.info.name, self.scales)

    def compute(self, image: FloatArray) -> FloatArray:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        margin = max(*self.scales, self.entropy_window) // 2
        shifted = FlatImage.pad(from_darkest(image), margin, "replicate")
        levels = FlatImage.pad(image, margin, "replicate")
        return map_strips(self._product, shifted, levels)

    def _product(self, shifted: FlatImage, levels: FlatImage) -> FloatArray:
        window = self.entropy_window
        around = levels.around(window // 2)
        entropy = weighted_entropy(around, window, levels.pitch, self.bin_width)
        entropy *= self._contrast(shifted)
        return entropy

    def _contrast(self, plane: FlatImage) -> FloatArray:
        *smaller, largest = sorted(set(self.scales))
        values, pitch = plane.around(largest // 2), plane.pitch
        background = box_sum(values, largest, pitch)
        # Of all means, the background's among them, less the background.
        most, least = np.zeros_like(background), np.zeros_like(background)
        for side in smaller:
            # A whole number where grey levels are: means that are equal differ by nothing.
            difference = largest**2 * centred(box_sum(values, side, pitch), side, largest, pitch)
            difference -= side**2 * background
            difference *= 1 / (side**2 * largest**2)
            np.maximum(most, difference, out=most)
            np.minimum(least, difference, out=least)
        contrast: FloatArray = np.maximum(most, -least)
        spread = np.subtract(most, least, out=most)
        flat = spread < _FLAT
        spread[flat] = 1.0
        contrast /= spread
        contrast *= contrast
        contrast[flat] = 0.0
        return contrast
