"""Weighted strengthened local contrast measure."""

from __future__ import annotations

import numpy as np

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.filters.flat import FlatImage, FloatArray, map_strips
from irbench.filters.largest import means_of_largest
from irbench.filters.running import binomial_3x3, box_sum
from irbench.parameters import parameter

from ._cells import (
    Padding,
    background_floor_parameter,
    central_cell,
    finite_or_zero,
    fuse_scales,
    largest_neighbour,
    n_largest_parameter,
    neighbouring_cells,
    padding_parameter,
    reach_of_square,
    require_fitting,
    require_scales,
    scales_parameter,
    squared_ratio,
)


class WSLCM(ScoreMapDetector):
    r"""Weighted strengthened local contrast measure over several cell sizes.

    Two factors, [1]_. The strengthened contrast is that of a smoothed core
    :math:`g` (3x3 binomial kernel) against the brightest of eight neighbouring cells,
    each represented by the mean :math:`M_i` of its :math:`K` largest grey levels:

    .. math:: \mathrm{SLCM} = \max\left(\frac{g^2}{\max_i M_i} - g,\ 0\right).

    The weight rests on the improved regional intensity level
    :math:`\mathrm{IRIL} = M - \bar{m}`, by how much the bright pixels of a cell exceed
    its mean: high for a cell with a small target in it, low for plain
    background. It rewards a target cell that stands out from its neighbours,
    and neighbours that are alike:

    .. math:: W = \mathrm{IRIL}_0\,
        \frac{\max(\mathrm{IRIL}_0 - \max_i \mathrm{IRIL}_i,\ 0)}
             {\max(\operatorname{std}_i \mathrm{IRIL}_i,\ \xi)},

    with the sample standard deviation over the eight neighbours. The score is
    the largest :math:`W \cdot \mathrm{SLCM}` over the scales.

    Reference behaviour: the :math:`K` largest are taken from the image padded by
    zeros, but smoothing and means from the image continued by its nearest
    pixel. So the border responds strongly; ``padding="reflect"`` mirrors the image for all of
    them. Where all neighbours are black the reference is NaN or infinite;
    the score here is 0, unless ``background_floor`` says otherwise.

    The map is in squared grey levels where the standard deviation exceeds
    :math:`\xi`: a gain together with the same gain on :math:`\xi` multiplies it by the
    square. A positive offset weakens it (away from a border padded by zeros). It commutes with
    transposition and flips, up to rounding. On a constant image it is exactly 0;
    with zero padding, in images of at least three times the largest cell a side.

    Time O(H W (cell + K log(K) log(cell))) per scale, by a selection network,
    see :mod:`irbench.filters.selection_network`.

    Parameters
    ----------
    scales : tuple of int
        Sides of a cell, in pixels, odd, 3 to 63. Default (5, 7, 9, 11).
    k : int
        :math:`K`, how many of the largest grey levels represent a cell, 1 to the
        pixels of the smallest cell. Default 9.
    xi : float
        :math:`\xi`, least standard deviation of the neighbours, in grey levels, 0
        to 255. Default 5.
    padding : {"zero", "reflect"}
        What surrounds the image: as in the reference, see above, or the image
        mirrored with its edge pixel repeated.
    background_floor : float
        Least value of :math:`\max_i M_i`, in grey levels, 0 to 255. Above 0 it gives
        targets on black their score. Default 0, the reference.

    References
    ----------
    .. [1] J. Han, S. Moradi, I. Faramarzi, H. Zhang, Q. Zhao, X. Zhang, N. Li,
       "Infrared small target detection based on the weighted strengthened
       local contrast measure", IEEE Geoscience and Remote Sensing Letters
       18(9), 1670-1674, 2021. doi:10.1109/LGRS.2020.3004978

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((40, 40), 100, np.uint8)
    >>> image[19:22, 19:22] = 130
    >>> round(float(WSLCM(scales=(9,)).score_map(image)[20, 20]), 6)  # 39 (80/3)^2 / 5
    5546.666667
    """

    info = MethodInfo(
        name="wslcm",
        title="WSLCM",
        group="HVS-based Methods",
        year=2021,
        reference=(
            "J. Han, S. Moradi, I. Faramarzi, H. Zhang, Q. Zhao, X. Zhang, N. Li, Infrared small "
            "target detection based on the weighted strengthened local contrast measure, IEEE "
            "Geoscience and Remote Sensing Letters 18(9), 2021, doi:10.1109/LGRS.2020.3004978"
        ),
    )
    scales: tuple[int, ...] = scales_parameter((5, 7, 9, 11))
    k: int = n_largest_parameter()
    xi: float = parameter(
        default=5.0,
        low=0,
        high=255,
        unit="grey levels",
        help="least standard deviation of the neighbours",
    )
    padding: Padding = padding_parameter()
    background_floor: float = background_floor_parameter()

    def __post_init__(self) -> None:
        super().__post_init__()
        require_scales(self.info.name, self.scales)
        require_fitting(self.info.name, "k", [self.k], min(self.scales))

    def compute(self, image: FloatArray) -> FloatArray:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        margin = reach_of_square(max(self.scales))
        if self.padding == "zero":
            ranked = FlatImage.pad(image, margin, "zero")
            averaged = FlatImage.pad(image, margin, "replicate")
        else:
            ranked = averaged = FlatImage.pad(image, margin, "reflect")
        return finite_or_zero(map_strips(self._contrast, ranked, averaged))

    def _contrast(self, ranked: FlatImage, averaged: FlatImage) -> FloatArray:
        pitch = ranked.pitch
        smooth = binomial_3x3(averaged.around(1), pitch)

        def weighted_contrast_to(cell: int) -> FloatArray:
            reach = reach_of_square(cell)
            (bright,) = means_of_largest(ranked.around(reach), cell, pitch, [self.k])
            background = largest_neighbour(bright, cell, pitch)
            contrast = squared_ratio(smooth, background, self.background_floor)
            contrast -= smooth
            np.maximum(contrast, 0.0, out=contrast)
            mean = box_sum(averaged.around(reach), cell, pitch)
            mean *= 1 / cell**2
            intensity = np.subtract(bright, mean, out=mean)
            with np.errstate(invalid="ignore", over="ignore"):
                contrast *= self._weight(intensity, cell, pitch)
            return contrast

        return fuse_scales(weighted_contrast_to(cell) for cell in self.scales)

    def _weight(self, intensity: FloatArray, cell: int, pitch: int) -> FloatArray:
        """W from the improved regional intensity level of the cell at each position."""
        own = central_cell(intensity, cell, pitch)
        weight: FloatArray = own - largest_neighbour(intensity, cell, pitch)
        np.maximum(weight, 0.0, out=weight)
        weight *= own
        spread = standard_deviation(neighbouring_cells(intensity, cell, pitch))
        np.maximum(spread, self.xi, out=spread)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.divide(weight, spread, out=weight)


def standard_deviation(samples: list[FloatArray]) -> FloatArray:
    """Sample standard deviation over arrays, entry by entry.

    Parameters
    ----------
    samples : list of 8 (N,) ndarray of float64

    Returns
    -------
    (N,) ndarray of float64
        Exactly 0 where all eight are equal.
    """
    # In pairs: the sum of eight equal values is exact.
    sums = samples
    while len(sums) > 1:
        sums = [one + other for one, other in zip(sums[::2], sums[1::2], strict=True)]
    mean = sums[0]
    mean *= 1 / len(samples)
    variance = np.zeros_like(mean)
    for sample in samples:
        deviation = sample - mean
        deviation *= deviation
        variance += deviation
    variance *= 1 / (len(samples) - 1)
    return np.sqrt(variance, out=variance)
