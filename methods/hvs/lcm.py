"""Local contrast measure: the brightest pixel against the brightest neighbouring cell."""

from __future__ import annotations

import numpy as np

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.filters.flat import FlatImage, FloatArray, map_strips, narrowed
from irbench.filters.running import box_max, box_sum

from ._cells import (
    background_floor_parameter,
    finite_or_zero,
    fuse_scales,
    largest_neighbour,
    reach_of_square,
    require_scales,
    scales_parameter,
    squared_ratio,
)


class LCM(ScoreMapDetector):
    r"""Local contrast measure over several cell sizes.

    A cell that is brighter than all eight cells round it is a target. With
    :math:`L` the largest grey level of the cell at a pixel and :math:`m_i` the mean of its
    :math:`i`-th neighbour, [1]_ equations 5 to 8,

    .. math:: C = \min_i \frac{L}{m_i} L = \frac{L^2}{\max_i m_i},

    and the score is the largest :math:`C` over the scales.

    The image is mirrored at its border, the edge pixel repeated, as in the
    public reference code. The map is in grey levels, proportional to gain; an
    offset changes it, and a constant image of level c has the score c all
    over. It commutes with transposition and flips, up to rounding. Where all
    neighbours are black the reference is NaN or infinite; the score here is 0, unless
    ``background_floor`` says otherwise.

    Time O(H W sum(log scales)), the sums and maxima being found by doubling.

    Parameters
    ----------
    scales : tuple of int
        Sides of a cell, in pixels, odd, 3 to 63. The largest should cover the
        largest target. Default (3, 5, 7, 9).
    background_floor : float
        Least value of :math:`\max_i m_i`, in grey levels, 0 to 255. Above 0 it gives
        targets on black their score. Default 0, the reference.

    References
    ----------
    .. [1] C. L. P. Chen, H. Li, Y. Wei, T. Xia, Y. Y. Tang, "A local contrast
       method for small infrared target detection", IEEE Transactions on
       Geoscience and Remote Sensing 52(1), 574-581, 2014.
       doi:10.1109/TGRS.2013.2242477

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((32, 32), 100, np.uint8)
    >>> image[15:17, 15:17] = 130
    >>> float(LCM(scales=(3,)).score_map(image)[15, 15])
    169.0
    """

    info = MethodInfo(
        name="lcm",
        title="LCM",
        group="HVS-based Methods",
        year=2014,
        reference=(
            "C. L. P. Chen, H. Li, Y. Wei, T. Xia, Y. Y. Tang, A local contrast method for small "
            "infrared target detection, IEEE Transactions on Geoscience and Remote Sensing 52(1), "
            "2014, doi:10.1109/TGRS.2013.2242477"
        ),
    )
    scales: tuple[int, ...] = scales_parameter((3, 5, 7, 9))
    background_floor: float = background_floor_parameter()

    def __post_init__(self) -> None:
        super().__post_init__()
        require_scales(self.info.name, self.scales)

    def compute(self, image: FloatArray) -> FloatArray:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        plane = FlatImage.pad(narrowed(image), reach_of_square(max(self.scales)), "reflect")
        return finite_or_zero(map_strips(self._contrast, plane))

    def _contrast(self, plane: FlatImage) -> FloatArray:
        return fuse_scales(self._contrast_of_cell(plane, cell) for cell in self.scales)

    def _contrast_of_cell(self, plane: FlatImage, cell: int) -> FloatArray:
        sums = box_sum(plane.around(reach_of_square(cell)), cell, plane.pitch)
        largest = largest_neighbour(sums, cell, plane.pitch)
        background = np.multiply(largest, 1 / cell**2, dtype=np.float64)
        # The mirrored margin repeats pixels of the cell itself, so the maximum is the image's.
        brightest = box_max(plane.around(cell // 2), cell, plane.pitch)
        brightest = brightest.astype(np.float64, copy=False)
        return squared_ratio(brightest, background, self.background_floor)
