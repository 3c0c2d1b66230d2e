"""FKRW: facet kernel and random walker."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.parameters import parameter

from ._region_contrast import contrast_maps

FACET_KERNEL = np.array(
    [
        [-4, -1, 0, -1, -4],
        [-1, 2, 3, 2, -1],
        [0, 3, 4, 3, 0],
        [-1, 2, 3, 2, -1],
        [-4, -1, 0, -1, -4],
    ],
    dtype=np.float64,
)
"""The negated second derivative of a facet (cubic surface) fitted to 5x5 pixels."""

# Keeps the published rescaling finite on an empty map.
_EPSILON = 1e-6


class FKRW(ScoreMapDetector):
    """Facet kernel and random walker.

    A facet filter enhances what is bright and small. Pixels that stand ``k``
    standard deviations out become candidates; at each, from the brightest down,
    a random walker on the window about it separates a region from the
    background, and every pixel of the region that no earlier one holds gets the
    region's contrast ``probability ratio * intensity ratio ** exponent``. The map
    is the product of contrast and facet response. [1]_

    By default this is the authors' code, its rescaling of each map by its own
    maximum and its blind spots included: a candidate on pixels at the end of the
    scale (a saturated 2x2 block), or in surroundings that are 0 throughout,
    scores 0 where their code yields NaN or infinity; so does a region that fills
    its window. The map can be slightly negative. It has no invariances: the walker and
    the ratios depend on absolute grey levels, and the 2x2 mean reaches right and down.

    Time O(H W + N patch^4) for N candidates; there are at most ``H W / (1 + k^2)``.

    Parameters
    ----------
    k : float
        Threshold of the facet response in standard deviations above its mean, 0
        to 20. Default 4.
    patch : int
        Side of the window of the random walker, in pixels, odd, 5 to 31. Default 11.
    beta : float
        Reluctance of the walker to cross a step, per full scale (255 grey
        levels), 0 to 1e5. Default 200.
    exponent : float
        Power of the intensity ratio, 0 to 20. Default 6.
    floor : float
        Least grey level that the intensity ratio divides by, 0 to 255. The
        default 0 is the authors'; any other value finds targets on black.
    rescale : bool
        Divide each map by its maximum (plus 1e-6). The default is the authors'.

    References
    ----------
    .. [1] Y. Qin, L. Bruzzone, C. Gao, B. Li, "Infrared Small Target Detection
       Based on Facet Kernel and Random Walker", IEEE Transactions on Geoscience
       and Remote Sensing 57(9), 2019, doi:10.1109/TGRS.2019.2911513.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((32, 32), 100, np.uint8)
    >>> image[15:18, 20:23] = [[120, 140, 120], [140, 160, 140], [120, 140, 120]]
    >>> np.argwhere(FKRW().score_map(image) > 0.5).tolist()
    [[15, 20], [15, 21], [16, 20], [16, 21]]
    """

    info = MethodInfo(
        name="fkrw",
        title="FKRW",
        group="Background Suppression",
        year=2019,
        reference="Y. Qin, L. Bruzzone, C. Gao, B. Li, Infrared Small Target Detection Based on "
        "Facet Kernel and Random Walker, IEEE TGRS, 2019, doi:10.1109/TGRS.2019.2911513",
    )
    k: float = parameter(
        default=4.0,
        low=0,
        high=20,
        unit="standard deviations",
        help="threshold of the facet response",
    )
    patch: int = parameter(
        default=11, low=5, high=31, odd=True, unit="px", help="side of the random walker's window"
    )
    beta: float = parameter(
        default=200.0, low=0, high=1e5, help="reluctance to cross a step of full scale"
    )
    exponent: float = parameter(default=6.0, low=0, high=20, help="power of the intensity ratio")
    floor: float = parameter(
        default=0.0,
        low=0,
        high=255,
        unit="grey levels",
        help="least divisor of the intensity ratio",
    )
    rescale: bool = parameter(default=True, help="divide each map by its maximum, as published")

    def compute(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        smoothed = smooth(image / 255.0)
        response = facet_response(smoothed)
        candidates = response >= candidate_threshold(response, self.k)
        probability, intensity = contrast_maps(
            smoothed, candidates, patch=self.patch, beta=self.beta, floor=self.floor / 255.0
        )
        score_map = np.zeros(image.shape)
        regions = np.nonzero(probability)
        with np.errstate(over="ignore", invalid="ignore"):
            contrast = probability[regions] * intensity[regions] ** self.exponent
        contrast[~np.isfinite(contrast)] = 0
        score_map[regions] = contrast * response[regions]
        return rescale(score_map) if self.rescale else score_map


def smooth(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut single hot pixels down to their brightest neighbour and take 2x2 means.

    Parameters
    ----------
    image : (H, W) ndarray of float64
        Non-negative.

    Returns
    -------
    (H, W) ndarray of float64
        Means over ``(r, r + 1) x (c, c + 1)``, the last row and column repeated.
    """
    import cv2

    ring = np.ones((3, 3), np.uint8)
    ring[1, 1] = 0
    # Outside is 0: a pixel without neighbours counts as hot.
    brightest = cv2.dilate(image, ring, borderType=cv2.BORDER_CONSTANT, borderValue=0.0)
    padded = np.pad(np.minimum(image, brightest), (0, 1), mode="edge")
    # The order of the four terms decides, in the last bit, which of two equally bright
    # candidates chooses first; this is the authors' (a convolution, by columns).
    total = padded[1:, 1:] + padded[:-1, 1:]
    total += padded[1:, :-1]
    total += padded[:-1, :-1]
    total /= 4
    return np.asarray(total)


def facet_response(smoothed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Filter with :data:`FACET_KERNEL`, mirroring about the edge pixels; ``(H, W)`` float64."""
    import cv2

    return np.asarray(
        cv2.filter2D(smoothed, cv2.CV_64F, FACET_KERNEL, borderType=cv2.BORDER_REFLECT_101)
    )


def candidate_threshold(response: NDArray[np.float64], k: float) -> float:
    """Least response of a candidate: ``mean + k * std``; infinite on a flat response."""
    # The kernel sums to 0, on a constant image up to rounding: no pixel stands out of that.
    if response.size < 2 or np.ptp(response) <= 1e-12:
        return np.inf
    return float(response.mean() + k * response.std(ddof=1))


def rescale(score_map: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide a map by its maximum (plus 1e-6), as the authors do with each map."""
    return np.asarray(score_map / (score_map.max() + _EPSILON))
