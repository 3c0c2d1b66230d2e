"""Tri-layer local contrast measure: a smoothed core against the bright pixels around it."""

from __future__ import annotations

import numpy as np

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.filters.flat import FlatImage, FloatArray, map_strips, narrowed
from irbench.filters.largest import means_of_largest
from irbench.filters.running import binomial_3x3
from irbench.parameters import parameter

from ._cells import (
    Padding,
    background_floor_parameter,
    finite_or_zero,
    fuse_scales,
    largest_neighbour,
    n_largest_parameter,
    padding_parameter,
    reach_of_square,
    require_fitting,
    require_scales,
    squared_ratio,
)


class TLLCM(ScoreMapDetector):
    r"""Local contrast measure with a tri-layer window.

    The core layer is the target, smoothed by the 3x3 binomial kernel to
    :math:`g`; a reserve layer round it is left out, so that one window serves targets of all
    sizes up to a cell; the surrounding layer is eight cells, each
    represented by the mean :math:`M_i` of its :math:`K` largest grey levels, [1]_

    .. math:: C = \max\left(\frac{g^2}{\max_i M_i} - g,\ 0\right).

    With several ``scales`` the score is the largest over them, as in a public
    variant.

    Reference behaviour: the surrounding is padded by zeros, so the outermost
    cells look dark and the border responds strongly; ``padding="reflect"``
    mends that. The smoothing repeats the nearest pixel. Where all neighbours
    are black the reference is NaN or infinite; the score here is 0, unless
    ``background_floor`` says otherwise.

    The map is in grey levels, non-negative, proportional to gain; a positive offset
    weakens it (away from a border padded by zeros). It commutes with transposition and flips, up
    to rounding. On a constant image it is exactly 0; with zero padding, in images of at least three
    times the largest cell a side.

    Time O(H W (cell + K log(K) log(cell))) per scale, by a selection network, see
    :mod:`irbench.filters.selection_network`.

    Parameters
    ----------
    scales : tuple of int or None
        Sides of a cell, in pixels, odd, 3 to 63. None, the default, is the published
        single cell of 9 pixels; the public multi-scale variant is (3, 5, 7, 9).
    k : int
        :math:`K`, how many of the largest grey levels represent a cell, 1 to the
        pixels of the smallest cell. Default 9.
    padding : {"zero", "reflect"}
        What surrounds the image: zeros (the reference), or the image mirrored
        with its edge pixel repeated.
    background_floor : float
        Least value of :math:`\max_i M_i`, in grey levels, 0 to 255. Above 0 it gives
        targets on black their score. Default 0, the reference.

    References
    ----------
    .. [1] J. Han, S. Moradi, I. Faramarzi, C. Liu, H. Zhang, Q. Zhao, "A local
       contrast method for infrared small-target detection utilizing a
       tri-layer window", IEEE Geoscience and Remote Sensing Letters 17(10),
       1822-1826, 2020. doi:10.1109/LGRS.2019.2954578

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((40, 40), 100, np.uint8)
    >>> image[19:22, 19:22] = 130
    >>> float(TLLCM().score_map(image)[20, 20])
    39.0
    """

    info = MethodInfo(
        name="tllcm",
        title="TLLCM",
        group="HVS-based Methods",
        year=2020,
        reference=(
            "J. Han, S. Moradi, I. Faramarzi, C. Liu, H. Zhang, Q. Zhao, A local contrast method "
            "for infrared small-target detection utilizing a tri-layer window, IEEE Geoscience "
            "and Remote Sensing Letters 17(10), 2020, doi:10.1109/LGRS.2019.2954578"
        ),
    )
    scales: tuple[int, ...] | None = parameter(
        default=None,
        low=3,
        high=63,
        odd=True,
        unit="px",
        help="sides of a cell; none: a single one of 9",
    )
    k: int = n_largest_parameter()
    padding: Padding = padding_parameter()
    background_floor: float = background_floor_parameter()

    def __post_init__(self) -> None:
        super().__post_init__()
        require_scales(self.info.name, self._cells)
        require_fitting(self.info.name, "k", [self.k], min(self._cells))

    @property
    def _cells(self) -> tuple[int, ...]:
        return (9,) if self.scales is None else self.scales

    def compute(self, image: FloatArray) -> FloatArray:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        margin = reach_of_square(max(self._cells))
        levels = narrowed(image)
        surrounding = FlatImage.pad(levels, margin, self.padding)
        core = FlatImage.pad(levels, margin, "replicate")
        return finite_or_zero(map_strips(self._contrast, surrounding, core))

    def _contrast(self, surrounding: FlatImage, core: FlatImage) -> FloatArray:
        pitch = surrounding.pitch
        smooth = binomial_3x3(core.around(1), pitch)

        def contrast_to(cell: int) -> FloatArray:
            around = surrounding.around(reach_of_square(cell))
            (bright,) = means_of_largest(around, cell, pitch, [self.k])
            background = largest_neighbour(bright, cell, pitch)
            contrast = squared_ratio(smooth, background, self.background_floor)
            contrast -= smooth
            return contrast

        contrast = fuse_scales(contrast_to(cell) for cell in self._cells)
        return np.maximum(contrast, 0.0, out=contrast)
