"""Multiscale patch-based contrast measure: brighter than both of any opposite pair."""

from __future__ import annotations

import numpy as np

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.filters.flat import FlatImage, FloatArray, Padding, map_strips, narrowed
from irbench.filters.running import box_sum
from irbench.parameters import parameter

from ._cells import central_cell, fuse_scales, neighbouring_cells, reach_of_square, require_scales

_LARGEST_NARROW_CELL = 13
"""Up to this side, ``(255 * side ** 2) ** 2`` is below 2^31."""


class MPCM(ScoreMapDetector):
    r"""Multiscale patch-based contrast measure.

    A target differs in the same sense from the cells on opposite sides of it;
    an edge does not. With :math:`d_i = m_0 - m_i` the difference of means between
    the cell at a pixel and its :math:`i`-th neighbour, :math:`i + 4` opposite to
    :math:`i`, [1]_

    .. math:: C = \min_{i = 1 … 4} d_i\, d_{i+4},

    and the score is the largest :math:`C` over the scales. Dark targets score
    like bright ones.

    Two public codes differ in more than one respect, and ``clamped`` chooses
    between them as a whole:

    ========== ==================== ====================================
    clamped    False                True
    ========== ==================== ====================================
    products   as they are          negative ones become 0 before the min
    scales     3, 5, 7, 9           3, 5, 7
    border     nearest pixel        mirrored, the edge pixel repeated
    ========== ==================== ====================================

    The map is in squared grey levels, unchanged by an offset up to rounding,
    multiplied by the square of a gain, and exactly 0 on a constant image. It commutes with
    transposition and flips, up to rounding. Negative scores (not clamped) say
    that some opposite pair differs in different senses.

    Time O(H W (n_scales + sum(log scales))), the sums being found by doubling.

    Parameters
    ----------
    clamped : bool
        Which variant, see above. Default False.
    scales : tuple of int or None
        Sides of a cell, in pixels, odd, 3 to 63. None, the default, stands for
        those of the variant.

    References
    ----------
    .. [1] Y. Wei, X. You, H. Li, "Multiscale patch-based contrast measure for
       small infrared target detection", Pattern Recognition 58, 216-226, 2016.
       doi:10.1016/j.patcog.2016.04.002

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((32, 32), 100, np.uint8)
    >>> image[15:18, 15:18] = 130
    >>> round(float(MPCM().score_map(image)[16, 16]), 6)
    900.0
    """

    info = MethodInfo(
        name="mpcm",
        title="MPCM",
        group="HVS-based Methods",
        year=2016,
        reference=(
            "Y. Wei, X. You, H. Li, Multiscale patch-based contrast measure for small infrared "
            "target detection, Pattern Recognition 58, 2016, doi:10.1016/j.patcog.2016.04.002"
        ),
    )
    clamped: bool = parameter(
        default=False,
        help="negative products count as 0; with the scales and border of that variant",
    )
    scales: tuple[int, ...] | None = parameter(
        default=None,
        low=3,
        high=63,
        odd=True,
        unit="px",
        help="sides of a cell; none: the variant's",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        require_scales(self.info.name, self._cells)

    @property
    def _cells(self) -> tuple[int, ...]:
        if self.scales is not None:
            return self.scales
        return (3, 5, 7) if self.clamped else (3, 5, 7, 9)

    def compute(self, image: FloatArray) -> FloatArray:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        padding: Padding = "reflect" if self.clamped else "replicate"
        plane = FlatImage.pad(narrowed(image), reach_of_square(max(self._cells)), padding)
        return map_strips(self._contrast, plane)

    def _contrast(self, plane: FlatImage) -> FloatArray:
        contrast = fuse_scales(_least_product(plane, cell) for cell in self._cells)
        # Clamping commutes with the minimum over pairs and the maximum over scales.
        return np.maximum(contrast, 0.0, out=contrast) if self.clamped else contrast


def _least_product(plane: FlatImage, cell: int) -> FloatArray:
    sums = box_sum(plane.around(reach_of_square(cell)), cell, plane.pitch)
    # Products of differences of whole numbers are exact in either type that holds them.
    is_narrow = sums.dtype == np.uint16 and cell <= _LARGEST_NARROW_CELL
    sums = sums.astype(np.int32 if is_narrow else np.float64, copy=False)
    centre = central_cell(sums, cell, plane.pitch)
    neighbours = neighbouring_cells(sums, cell, plane.pitch)
    least = centre - neighbours[0]
    least *= centre - neighbours[4]
    for one, opposite in zip(neighbours[1:4], neighbours[5:], strict=True):
        product = centre - one
        product *= centre - opposite
        np.minimum(least, product, out=least)
    # Sums to means, in both factors.
    return np.asarray(np.multiply(least, 1 / cell**4, dtype=np.float64))
