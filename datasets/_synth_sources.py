"""What a target looks like: an ellipse through the optics, integrated over pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ._synth_fields import correlate_rows, gaussian_taps
from ._synth_stream import Floats, Stream, ordered_sum

LENGTH_RANGE_PX = (1.0, 9.0)
ASPECT_RANGE = (0.45, 1.0)

# A patch holds half the longest source (4.5), a sub-pixel offset (0.5) and the optics (3.5 sigma).
PATCH_REACH = 9
PATCH_SIDE = 2 * PATCH_REACH + 1
_SUBPIXELS = 5


@dataclass(frozen=True, eq=False)
class Source:
    """A target as the optics show it.

    Attributes
    ----------
    profile : (19, 19) ndarray of float64
        Light per pixel; its maximum is 1.
    length_px, width_px : float
        Diameters before the optics.
    offset : (float, float)
        Row and column of its centre, from the centre of the middle pixel.
    """

    profile: Floats
    length_px: float
    width_px: float
    offset: tuple[float, float]

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """Where it exceeds half of its maximum."""
        return self.profile > 0.5

    @cached_property
    def mean_in_mask(self) -> float:
        """Mean of the profile over the mask: contrast per grey level of amplitude."""
        inside = self.profile[self.mask].tolist()
        return ordered_sum(inside) / len(inside)

    @cached_property
    def norm(self) -> float:
        """Root of the summed squares: what a matched filter gains over a single pixel."""
        return math.sqrt(ordered_sum((self.profile * self.profile).ravel().tolist()))


def draw_source(stream: Stream, psf_sigma_px: float) -> Source:
    """Draw an ellipse of 1 to 9 px at a sub-pixel position, seen through the optics."""
    u = stream.uniform()
    # u to the power 1.5: half of them are shorter than 3.8 px.
    length = LENGTH_RANGE_PX[0] + (LENGTH_RANGE_PX[1] - LENGTH_RANGE_PX[0]) * u * math.sqrt(u)
    width = length * stream.uniform(*ASPECT_RANGE)
    heading = stream.direction()
    offset = (stream.uniform(-0.5, 0.5), stream.uniform(-0.5, 0.5))
    return Source(
        render_source(length, width, heading, offset, psf_sigma_px), length, width, offset
    )


def render_source(
    length_px: float,
    width_px: float,
    heading: tuple[float, float],
    offset: tuple[float, float],
    psf_sigma_px: float,
) -> Floats:
    """A uniform ellipse through a Gaussian point-spread function, integrated over pixels.

    Parameters
    ----------
    length_px, width_px : float
        Diameters.
    heading : (float, float)
        Unit vector of the length, along the columns and along the rows.
    offset : (float, float)
        Row and column of the ellipse's centre, from the centre of the middle pixel.
    psf_sigma_px : float

    Returns
    -------
    (19, 19) ndarray of float64
        Its maximum is 1.
    """
    gaussian = gaussian_taps(psf_sigma_px, 1.0 / _SUBPIXELS)
    # The optics and the integration over a pixel, in one pass over the sub-pixels.
    taps = [
        ordered_sum(gaussian[max(index - _SUBPIXELS + 1, 0) : index + 1])
        for index in range(len(gaussian) + _SUBPIXELS - 1)
    ]
    n_subpixels = (PATCH_SIDE - 1) * _SUBPIXELS + len(taps)
    position = (np.arange(n_subpixels) - (n_subpixels - 1) / 2) / _SUBPIXELS
    dy, dx = position[:, None] - offset[0], position[None, :] - offset[1]
    along = (dx * heading[0] + dy * heading[1]) * (2.0 / length_px)
    across = (dy * heading[0] - dx * heading[1]) * (2.0 / width_px)
    # How many sub-pixels inside the edge, which is thus anti-aliased.
    inside = (1.0 - np.sqrt(along * along + across * across)) * (0.5 * width_px * _SUBPIXELS)
    ellipse = np.clip(inside + 0.5, 0.0, 1.0)
    rows = correlate_rows(ellipse, taps, _SUBPIXELS)
    profile = correlate_rows(rows.T, taps, _SUBPIXELS).T
    return np.asarray(profile / profile.max())
