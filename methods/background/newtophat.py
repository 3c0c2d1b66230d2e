"""New white top-hat: the image against a ring round each pixel."""

from __future__ import annotations

import numpy as np

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.errors import ParameterError
from irbench.filters.flat import FlatImage, FloatArray, LevelArray, map_strips, narrowed
from irbench.filters.running import box_min, running_max
from irbench.parameters import parameter


class NewTopHat(ScoreMapDetector):
    r"""New white top-hat transform with a square ring as structuring element.

    The background of a pixel is taken from its surroundings alone: a dilation
    by a ring :math:`\Delta B` that leaves the target out, followed by an
    erosion by a small element :math:`B_b`. The score is what stands above it,
    [1]_

    .. math:: \mathrm{NWTH} = \max\bigl(f - (f \oplus \Delta B) \ominus B_b,\ 0\bigr).

    The ring is the square of side :math:`2 R_o + 1` less the central one of side
    :math:`2 R_i + 1`. An even :math:`B_b` has no centre: that of side 4 covers the offsets
    -1 to +2 in rows and columns, so the map commutes with transposition but
    not with flips. With an odd side it commutes with both.

    The map is non-negative, unchanged by an offset and proportional to gain.
    It equals the public reference code exactly, which sees the pixels inside
    the image only. A pixel so close to all others that its ring is empty
    (images of at most :math:`2 R_i + 1` pixels a side) has no background, and its
    score, infinite in the reference, is 0 here.

    Time O(H W log R_o): the ring is the union of four rectangles, whose maxima
    are found by doubling.

    Parameters
    ----------
    outer_radius : int
        :math:`R_o`, from the centre to the outer edge of the ring, in pixels,
        1 to 127. Default 9.
    inner_radius : int
        :math:`R_i`, from the centre to the last pixel left out, in pixels, 0 to
        ``outer_radius - 1``. A target of at most this size has a background
        free of itself. Default 4.
    element_size : int
        Side of the square :math:`B_b`, in pixels, 1 to 255. The public code uses
        :math:`R_i`; the paper wants it between the inner and the outer size of the
        ring. Default 4.

    References
    ----------
    .. [1] X. Bai, F. Zhou, "Analysis of new top-hat transformation and the
       application for infrared dim small target detection", Pattern
       Recognition 43(6), 2145-2156, 2010. doi:10.1016/j.patcog.2009.12.023

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((32, 32), 100, np.uint8)
    >>> image[15:17, 15:17] = 130
    >>> float(NewTopHat().score_map(image)[15, 15])
    30.0
    """

    info = MethodInfo(
        name="newtophat",
        title="NewTopHat",
        group="Background Suppression",
        year=2010,
        reference=(
            "X. Bai, F. Zhou, Analysis of new top-hat transformation and the application for "
            "infrared dim small target detection, Pattern Recognition 43(6), 2010, "
            "doi:10.1016/j.patcog.2009.12.023"
        ),
    )
    outer_radius: int = parameter(
        default=9, low=1, high=127, unit="px", help="R_o, radius of the ring's outer square"
    )
    inner_radius: int = parameter(
        default=4, low=0, high=126, unit="px", help="R_i, radius of the square the ring leaves out"
    )
    element_size: int = parameter(
        default=4, low=1, high=255, unit="px", help="side of the eroding square B_b"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.inner_radius >= self.outer_radius:
            raise ParameterError(
                f"newtophat.inner_radius must be less than outer_radius ({self.outer_radius}), "
                f"got {self.inner_radius}."
            )

    def compute(self, image: FloatArray) -> FloatArray:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        # Where no pixel is in reach of a ring, the infinity that says so is needed.
        reached = max(image.shape) // 2 > self.inner_radius
        levels = narrowed(image) if reached else image
        dilated = dilate_by_ring(levels, self.outer_radius, self.inner_radius)
        score_map = np.subtract(image, erode_by_square(dilated, self.element_size), out=image)
        np.maximum(score_map, 0.0, out=score_map)
        score_map[np.isinf(score_map)] = 0.0
        return score_map


def dilate_by_ring(image: LevelArray, outer_radius: int, inner_radius: int) -> FloatArray:
    """Dilate by a square ring; pixels outside the image never win.

    Parameters
    ----------
    image : (H, W) ndarray of float64 or uint8
    outer_radius, inner_radius : int
        The ring holds the pixels whose distance from its centre, the larger of the
        two coordinate differences, is over ``inner_radius`` and at most ``outer_radius``.

    Returns
    -------
    (H, W) ndarray of float64
        Where no pixel of the ring lies in the image, minus infinity; 0 if it is of bytes.
    """
    thickness, across = outer_radius - inner_radius, outer_radius + inner_radius + 1

    def dilate(plane: FlatImage) -> LevelArray:
        pitch, values = plane.pitch, plane.values
        # Above and below: as wide as the outer square. Left and right: as high as the inner one.
        flat_bars = running_max(running_max(values, thickness, pitch), 2 * outer_radius + 1, 1)
        tall_bars = running_max(running_max(values, thickness, 1), 2 * inner_radius + 1, pitch)
        dilated = np.maximum(flat_bars[: plane.size], flat_bars[across * pitch :][: plane.size])
        for offset in (thickness * pitch, thickness * pitch + across):
            np.maximum(dilated, tall_bars[offset:][: plane.size], out=dilated)
        return dilated

    return map_strips(dilate, FlatImage.pad(image, outer_radius, "lowest"))


def erode_by_square(image: LevelArray, size: int) -> FloatArray:
    """Erode by a square; pixels outside the image never win.

    Parameters
    ----------
    image : (H, W) ndarray of float64 or uint8
    size : int
        Side of the square. Its offsets are ``-((size - 1) // 2)`` to ``size // 2``.

    Returns
    -------
    (H, W) ndarray of float64
    """

    def erode(plane: FlatImage) -> LevelArray:
        # An even square leaves out the first row and column of the margin.
        first = (1 - size % 2) * (plane.pitch + 1)
        return box_min(plane.values[first:], size, plane.pitch)

    return map_strips(erode, FlatImage.pad(image, size // 2, "highest"))
