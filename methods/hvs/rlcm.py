"""Relative local contrast measure: bright pixels of a cell against those around it."""

from __future__ import annotations

import numpy as np

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.errors import ParameterError
from irbench.filters.flat import FlatImage, FloatArray, map_strips, narrowed
from irbench.filters.largest import means_of_largest
from irbench.parameters import parameter

from ._cells import (
    Padding,
    background_floor_parameter,
    central_cell,
    finite_or_zero,
    fuse_scales,
    largest_neighbour,
    padding_parameter,
    reach_of_square,
    require_fitting,
    squared_ratio,
)


class RLCM(ScoreMapDetector):
    r"""Multiscale relative local contrast measure.

    The cell at a pixel is represented by the mean :math:`T` of its :math:`K_1` largest
    grey levels, each of its eight neighbours by the mean :math:`M_i` of its :math:`K_2`
    largest; more pixels on the side of the background resist noise, [1]_

    .. math:: C = \max\left(\frac{T^2}{\max_i M_i} - T,\ 0\right).

    The scales of this method are not cell sizes but pairs :math:`(K_1, K_2)`, and
    the score is the largest :math:`C` over them.

    Reference behaviour: the image is padded by zeros, so the outermost cells
    look dark and the border responds strongly; ``padding="reflect"`` mends that. Where
    all neighbours are black the reference is NaN or infinite; the score here
    is 0, unless ``background_floor`` says otherwise.

    The map is in grey levels, non-negative, proportional to gain; a positive offset
    weakens it (away from a border padded by zeros). It commutes with transposition and flips, up
    to rounding. On a constant image it is exactly 0; with zero padding, in images of at least three
    times the cell a side.

    Time O(H W (cell + K log(K) log(cell))) with K the largest of ``k1`` and
    ``k2``: one selection network serves all pairs.

    Parameters
    ----------
    cell : int
        Side of a cell, in pixels, odd, 3 to 63. Default 9.
    k1 : tuple of int
        :math:`K_1` of each scale, 1 to the pixels of a cell. Default (2, 5, 9).
    k2 : tuple of int
        :math:`K_2` of each scale, as many as ``k1``. Default (4, 9, 16).
    padding : {"zero", "reflect"}
        What surrounds the image: zeros (the reference), or the image mirrored
        with its edge pixel repeated.
    background_floor : float
        Least value of :math:`\max_i M_i`, in grey levels, 0 to 255. Above 0 it gives
        targets on black their score. Default 0, the reference.

    References
    ----------
    .. [1] J. Han, K. Liang, B. Zhou, X. Zhu, J. Zhao, L. Zhao, "Infrared small
       target detection utilizing the multiscale relative local contrast
       measure", IEEE Geoscience and Remote Sensing Letters 15(4), 612-616,
       2018. doi:10.1109/LGRS.2018.2790909

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((40, 40), 100, np.uint8)
    >>> image[19:22, 19:22] = 130
    >>> float(RLCM().score_map(image)[20, 20])
    39.0
    """

    info = MethodInfo(
        name="rlcm",
        title="RLCM",
        group="HVS-based Methods",
        year=2018,
        reference=(
            "J. Han, K. Liang, B. Zhou, X. Zhu, J. Zhao, L. Zhao, Infrared small target detection "
            "utilizing the multiscale relative local contrast measure, IEEE Geoscience and Remote "
            "Sensing Letters 15(4), 2018, doi:10.1109/LGRS.2018.2790909"
        ),
        default=False,
    )
    cell: int = parameter(default=9, low=3, high=63, odd=True, unit="px", help="side of a cell")
    k1: tuple[int, ...] = parameter(
        default=(2, 5, 9),
        low=1,
        high=64,
        help="K_1, how many grey levels represent the cell, per scale",
    )
    k2: tuple[int, ...] = parameter(
        default=(4, 9, 16), low=1, high=64, help="K_2, how many represent a neighbour, per scale"
    )
    padding: Padding = padding_parameter()
    background_floor: float = background_floor_parameter()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.k1 or len(self.k1) != len(self.k2):
            raise ParameterError(
                "rlcm.k1 and rlcm.k2 must have one entry for each scale, at least one, "
                f"got {self.k1} and {self.k2}."
            )
        require_fitting(self.info.name, "k1", self.k1, self.cell)
        require_fitting(self.info.name, "k2", self.k2, self.cell)

    def compute(self, image: FloatArray) -> FloatArray:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        plane = FlatImage.pad(narrowed(image), reach_of_square(self.cell), self.padding)
        return finite_or_zero(map_strips(self.contrast, plane))

    def contrast(self, plane: FlatImage) -> FloatArray:
        """The contrast of an image that was padded already, in any way.

        Parameters
        ----------
        plane : FlatImage
            With a margin of at least :func:`~._cells.reach_of_square` of the cell.

        Returns
        -------
        (plane.size,) ndarray of float64
            See :meth:`~irbench.filters.flat.FlatImage.crop`. NaN or infinite where all
            neighbours are black and there is no floor.
        """
        counts = sorted({*self.k1, *self.k2})
        values = plane.around(plane.margin)
        means = means_of_largest(values, self.cell, plane.pitch, counts)
        mean_of = dict(zip(counts, means, strict=True))

        def contrast_of(k1: int, k2: int) -> FloatArray:
            target = central_cell(mean_of[k1], self.cell, plane.pitch)
            background = largest_neighbour(mean_of[k2], self.cell, plane.pitch)
            contrast = squared_ratio(target, background, self.background_floor)
            contrast -= target
            return contrast

        contrast = fuse_scales(contrast_of(k1, k2) for k1, k2 in zip(self.k1, self.k2, strict=True))
        return np.maximum(contrast, 0.0, out=contrast)
