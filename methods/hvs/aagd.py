"""Multiscale absolute average grey difference: a window against the ring round it."""

from __future__ import annotations

import numpy as np

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.filters.flat import FloatArray
from irbench.filters.windows import WindowedImage, Windows
from irbench.parameters import parameter

from ._cells import fuse_scales, require_scales
from ._rings import inner_sides_parameter, outer_side_parameter, require_larger, ring_contrast


class AAGD(ScoreMapDetector):
    r"""Multiscale absolute average grey difference.

    With :math:`m_k` the mean of the window of side :math:`k` at a pixel, and :math:`r_k`
    that of the outer window without it, the score is [1]_

    .. math:: C = \max_k\, (m_k - r_k)^2.

    Reference behaviour (the authors' code): the same outer window at all scales; no test of
    the sign, so dark targets score like bright ones; the nearest pixel outside the image.
    ``signed`` is ours: differences below 0 count as 0.

    The map is in squared grey levels, non-negative, unchanged by an offset, multiplied by the
    square of a gain, and exactly 0 on a constant image. It commutes with transposition and
    flips, up to rounding.

    Time O(H W n_scales) where grey levels are whole, as those of 8-bit images are; else O(H W
    (n_scales + sum(log scales) + log outer)), more than twice as long.

    Parameters
    ----------
    scales : tuple of int
        Sides :math:`k` of the inner window, in pixels, odd, 1 to 61. Default (3, 5, 7, 9).
    outer : int
        Side of the outer window, in pixels, odd, 3 to 63, above all scales. Default 19.
    signed : bool
        Whether only bright targets score. Default False, the reference.

    References
    ----------
    .. [1] S. Moradi, P. Moallem, M. F. Sabahi, "A false-alarm aware methodology to develop
       robust and efficient multi-scale infrared small target detection algorithm",
       Infrared Physics & Technology 89, 387-397, 2018. doi:10.1016/j.infrared.2018.01.032

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((40, 40), 100, np.uint8)
    >>> image[19:22, 19:22] = 130
    >>> round(float(AAGD().score_map(image)[20, 20]), 6)
    900.0
    """

    info = MethodInfo(
        name="aagd",
        title="AAGD",
        group="HVS-based Methods",
        year=2018,
        default=False,
        extended=True,
        reference=(
            "S. Moradi, P. Moallem, M. F. Sabahi, A false-alarm aware methodology to develop "
            "robust and efficient multi-scale infrared small target detection algorithm, "
            "Infrared Physics & Technology 89, 2018, doi:10.1016/j.infrared.2018.01.032"
        ),
    )
    scales: tuple[int, ...] = inner_sides_parameter()
    outer: int = outer_side_parameter(19)
    signed: bool = parameter(default=False, help="dark targets do not score")

    def __post_init__(self) -> None:
        super().__post_init__()
        require_scales(self.info.name, self.scales)
        require_larger(self.info.name, "outer", self.outer, "scales", max(self.scales))

    def compute(self, image: FloatArray) -> FloatArray:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        return WindowedImage.of(image).map(self._contrast, self.outer // 2, "replicate")

    def _contrast(self, windows: Windows) -> FloatArray:
        around = windows.box_sum(self.outer)

        def contrast_at(scale: int) -> FloatArray:
            contrast = ring_contrast(windows.box_sum(scale), around, scale, self.outer)
            if self.signed:
                np.maximum(contrast, 0.0, out=contrast)
            return np.multiply(contrast, contrast, out=contrast)

        return fuse_scales(contrast_at(scale) for scale in self.scales)
