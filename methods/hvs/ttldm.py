"""Tri-layer template local difference measure."""

from __future__ import annotations

import numpy as np

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.filters.flat import FloatArray
from irbench.filters.windows import WindowedImage, Windows
from irbench.parameters import parameter


class TTLDM(ScoreMapDetector):
    r"""Local differences of mean and of deviation over a template of three layers.

    The layers are a square of side :math:`K`, the ring round it up to :math:`3K`, and the
    ring round that up to :math:`5K`. With the means :math:`i, m, o` over them, the standard
    deviations :math:`s_1` over the inner two and :math:`s_2` over the outer one, and grey
    levels from 0 (the darkest of the image) to 1 (the brightest), [1]_

    .. math:: C = \max(2i - m - o,\ 0)\,
        \max\left(\frac{s_1^2}{s_2 + \sigma} - s_1,\ 0\right).

    Reference behaviour (the authors' code): means repeat the nearest pixel, standard
    deviations (N - 1) mirror the image with its edge pixel repeated. The authors' demo
    changes every image to 256x320 pixels first; not done here. On a constant image, whose
    grey levels cannot be rescaled, the score is 0.

    The map has no unit, and is non-negative. Neither an offset nor a gain changes it; as
    the whole image is rescaled, one dead or hot pixel does. It commutes with transposition
    and flips, up to rounding.

    Time O(H W) where grey levels are whole, as those of 8-bit images are; O(H W log K), more
    than twice as long, where they are multiples of 1/256; else O(H W K^2), some ten times.

    Parameters
    ----------
    k : int
        :math:`K`, side of the inner layer, in pixels, odd, 3 to 21. Default 3.
    sigma : float
        :math:`\sigma`, keeps the quotient finite, as a share of the range of grey levels, 0 to
        1, not 0. Default 1e-5.

    References
    ----------
    .. [1] J. Mu, W. Li, J. Rao, F. Li, H. Wei, "Infrared small target detection using tri-layer
       template local difference measure", Optics and Precision Engineering 30(7), 869-882,
       2022.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((40, 40), 100, np.uint8)
    >>> image[19:22, 19:22] = 130
    >>> score_map = TTLDM().score_map(image)
    >>> bool(score_map[20, 20] == score_map.max())
    True
    """

    info = MethodInfo(
        name="ttldm",
        title="TTLDM",
        group="HVS-based Methods",
        year=2022,
        default=False,
        extended=True,
        reference=(
            "J. Mu, W. Li, J. Rao, F. Li, H. Wei, Infrared small target detection using tri-layer "
            "template local difference measure, Optics and Precision Engineering 30(7), 2022"
        ),
    )
    k: int = parameter(
        default=3, low=3, high=21, odd=True, unit="px", help="K, side of the inner layer"
    )
    sigma: float = parameter(
        default=1e-5, low=1e-12, high=1, unit="of the range", help="keeps the quotient finite"
    )

    def compute(self, image: FloatArray) -> FloatArray:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        levels = WindowedImage.of(image)
        if levels.span == 0.0:
            return np.zeros_like(image)
        reach, sigma = 5 * self.k // 2, self.sigma * levels.span
        score_map = levels.map(self._contrast, reach, "replicate")
        score_map *= levels.map(lambda windows: self._excess(windows, sigma), reach, "reflect")
        # Both factors are of the first degree: rescaled here, sums of grey levels stay exact.
        score_map /= levels.span**2
        return score_map

    def _contrast(self, windows: Windows) -> FloatArray:
        contrast = windows.box_sum(self.k)
        contrast *= 34.0
        contrast -= windows.box_sum(3 * self.k)
        contrast -= windows.box_sum(5 * self.k)
        np.maximum(contrast, 0.0, out=contrast)
        # 2 S1 / K^2 - (S3 - S1) / 8 K^2 - (S5 - S3) / 16 K^2, with sums S over the squares.
        contrast *= 1 / (16 * self.k**2)
        return contrast

    def _excess(self, windows: Windows, sigma: float) -> FloatArray:
        own = windows.deviation(3 * self.k)
        excess = windows.deviation(5 * self.k, 3 * self.k)
        excess += sigma
        np.divide(own, excess, out=excess)
        excess *= own
        excess -= own
        return np.maximum(excess, 0.0, out=excess)
