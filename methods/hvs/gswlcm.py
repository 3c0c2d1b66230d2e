"""GSWLCM: local contrast weighted by how rare a candidate is in the whole image."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.filters.flat import FlatImage, map_strips, narrowed
from irbench.filters.random_walker import centre_probability, windows_at
from irbench.parameters import parameter

from ._cells import finite_or_zero, reach_of_square
from ._sparsity import candidate_features, global_sparsity
from .rlcm import RLCM

# Differences, in grey levels, that may come from rounding.
_ROUNDING = 1e-9


class GSWLCM(ScoreMapDetector):
    r"""Global sparsity-weighted local contrast measure, reconstructed.

    No code of this method is public. This is a reconstruction from the abstract of
    the paper [1]_, which says: a robust local contrast measure removes
    low-contrast background and extracts candidates; a customised random walker
    extracts the pixels of the candidates; from them a global histogram is built and
    the global sparsity calculated, which suppresses high-contrast background;
    the measure fuses both. Its numbers are not those of the paper.

    What the abstract leaves open, and this class decides:

    1. The local contrast is :class:`~irbench.methods.hvs.rlcm.RLCM` [2]_, the relative
       LCM, for the abstract's "robust" one, with the edge pixels repeated outside.
    2. Candidates are the maxima, within ``spacing``, of the image smoothed by the binomial
       filter (1 2 1)/4 where the contrast is at least its mean plus ``k`` standard deviations.
    3. The random walker [3]_ runs from each candidate to the frame of the window
       about it. It is customised in that the window's intensities are first mapped
       to [0, 1], so that dim and bright candidates are cut out alike. Pixels
       that it reaches with a probability of at least ``membership`` are the
       candidate's; touching candidates become one.
    4. The histogram has two axes, each of ``n_bins`` bins: the candidate's mean grey
       level, on the range of the image, and how far that is above the background
       within a window about its pixels, on the range of 0 to the largest such
       difference. Each candidate is one vote, shared linearly between adjacent bins.
    5. Global sparsity is the reciprocal of the number of votes on a candidate's
       spot: 1 for one of its kind, :math:`1/n` for :math:`n` that are alike.
    6. The score of a pixel is the largest contrast in its candidate, times the
       candidate's sparsity, times the walker's probability at the pixel: 0 off the candidates.

    The map is in grey levels, non-negative. It is proportional to gain where the
    surroundings are not black (see ``background_floor``); an offset weakens
    it, as it does RLCM. Flips and transposition of the image do the same to the map, up to
    rounding. On a constant image it is 0.

    Time that of RLCM, plus O(N patch^4) for N candidates.

    Parameters
    ----------
    k : float
        Threshold of the contrast in standard deviations above its mean, 0 to 20. Default 0.5.
    spacing : int
        Side of the square that a candidate is the maximum of, in pixels, odd, 3 to
        31. Default 5.
    patch : int
        Side of the window of the random walker and of the background, in pixels, odd,
        5 to 31. Targets must fit inside. Default 11.
    beta : float
        Reluctance of the walker to cross a step, per range of the window, 0 to
        1e4. Default 20.
    membership : float
        Least probability of a candidate's pixels, 0.01 to 1. A single centre is
        far from the steps around it, so that 1/2, the usual cut, finds a part of a
        target only. Default 0.1.
    n_bins : int
        Bins of the histogram along each axis, 2 to 256. Default 16.
    background_floor : float
        See :class:`~irbench.methods.hvs.rlcm.RLCM`; 0 to 255. Above 0 it finds
        targets on black. Default 1.

    References
    ----------
    .. [1] Z. Qiu, Y. Ma, F. Fan, J. Huang, L. Wu, "Global Sparsity-Weighted Local
       Contrast Measure for Infrared Small Target Detection", IEEE Geoscience and
       Remote Sensing Letters 19, 2022, doi:10.1109/LGRS.2022.3196433.
    .. [2] J. Han et al., "Infrared small target detection utilizing the multiscale
       relative local contrast measure", IEEE Geoscience and Remote Sensing
       Letters 15(4), 2018, doi:10.1109/LGRS.2018.2790909.
    .. [3] L. Grady, "Random Walks for Image Segmentation", IEEE Transactions on
       Pattern Analysis and Machine Intelligence 28(11), 2006.

    Examples
    --------
    Ten spots are alike; the eleventh is fainter, but one of its kind:

    >>> import numpy as np
    >>> image = np.full((64, 150), 100, np.uint8)
    >>> for i in range(10):
    ...     image[15:18, 10 + 14 * i : 13 + 14 * i] = 180
    >>> image[45:48, 70:73] = 140
    >>> [int(i) for i in np.unravel_index(GSWLCM().score_map(image).argmax(), image.shape)]
    [46, 71]
    """

    info = MethodInfo(
        name="gswlcm",
        title="GSWLCM",
        group="HVS-based Methods",
        year=2022,
        reference="Z. Qiu, Y. Ma, F. Fan, J. Huang, L. Wu, Global Sparsity-Weighted Local "
        "Contrast Measure for Infrared Small Target Detection, IEEE Geoscience and Remote Sensing "
        "Letters 19, 2022, doi:10.1109/LGRS.2022.3196433",
        note="reconstructed from the abstract",
    )
    k: float = parameter(
        default=0.5,
        low=0,
        high=20,
        unit="standard deviations",
        help="threshold of the local contrast",
    )
    spacing: int = parameter(
        default=5,
        low=3,
        high=31,
        odd=True,
        unit="px",
        help="side of the square a candidate is maximum of",
    )
    patch: int = parameter(
        default=11, low=5, high=31, odd=True, unit="px", help="side of the random walker's window"
    )
    beta: float = parameter(
        default=20.0, low=0, high=1e4, help="reluctance to cross a step, per range of the window"
    )
    membership: float = parameter(
        default=0.1, low=0.01, high=1, help="least probability of a candidate's pixels"
    )
    n_bins: int = parameter(
        default=16, low=2, high=256, help="bins of the histogram along each axis"
    )
    background_floor: float = parameter(
        default=1.0,
        low=0,
        high=255,
        unit="grey levels",
        help="least background of the local contrast",
    )

    def compute(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        from scipy import ndimage

        contrast = local_contrast(image, self.background_floor)
        smoothed = smooth(image)
        rows, columns = find_candidates(smoothed, contrast, self.k, self.spacing)
        if rows.size == 0:
            return np.zeros(image.shape)
        walk = reach(smoothed, rows, columns, patch=self.patch, beta=self.beta)
        walk[walk < self.membership] = 0
        labels, n_candidates = ndimage.label(walk, structure=np.ones((3, 3)))
        features = candidate_features(image, labels, n_candidates, self.patch)
        sparsity = global_sparsity(features, self.n_bins)
        # Label 0 is what belongs to no candidate.
        strongest = np.zeros(n_candidates + 1)
        inside = np.flatnonzero(labels)
        np.maximum.at(strongest, labels.ravel()[inside], contrast.ravel()[inside])
        weight = np.concatenate([[0.0], strongest[1:] * sparsity])
        return np.asarray(weight[labels] * walk)


def local_contrast(image: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """RLCM of an image whose edge pixels are repeated outside it.

    Zeros outside make the border respond; a mirrored border hides every target
    within a cell of it behind its own reflection.

    Parameters
    ----------
    image : (H, W) ndarray of float64
    floor : float
        Least background, in grey levels.

    Returns
    -------
    (H, W) ndarray of float64
    """
    rlcm = _rlcm(floor)
    plane = FlatImage.pad(narrowed(image), reach_of_square(rlcm.cell), "replicate")
    return finite_or_zero(map_strips(rlcm.contrast, plane))


@cache
def _rlcm(floor: float) -> RLCM:
    return RLCM(cell=9, k1=(2, 5, 9), k2=(4, 9, 16), background_floor=floor)


def smooth(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Filter with the 3x3 binomial kernel, repeating the edge pixels; ``(H, W)`` float64."""
    import cv2

    kernel = np.array([0.25, 0.5, 0.25])
    return np.asarray(
        cv2.sepFilter2D(image, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_REPLICATE)
    )


def find_candidates(
    image: NDArray[np.float64], contrast: NDArray[np.float64], k: float, spacing: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Bright spots where the local contrast is high.

    Parameters
    ----------
    image, contrast : (H, W) ndarray of float64
    k : float
        Threshold of the contrast, in standard deviations above its mean.
    spacing : int
        Side of the square that a candidate is the maximum of, in pixels.

    Returns
    -------
    rows, columns : (N,) ndarray of int
        In raster order; of a plateau, all pixels but those on flat ground.
    """
    import cv2

    threshold = max(contrast.mean() + k * contrast.std(), _ROUNDING)
    square = np.ones((spacing, spacing), np.uint8)
    is_peak = image >= cv2.dilate(image, square)
    # The contrast of a target reaches beyond it, over what may be perfectly flat.
    is_peak &= image > cv2.erode(image, square) + _ROUNDING
    rows, columns = np.nonzero(is_peak & (contrast >= threshold))
    return rows, columns


def reach(
    image: NDArray[np.float64],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    *,
    patch: int,
    beta: float,
) -> NDArray[np.float64]:
    """Probability with which a pixel's walker meets a candidate before it leaves its window.

    Parameters
    ----------
    image : (H, W) ndarray of float64
    rows, columns : (N,) ndarray of int
        The candidates.
    patch : int
        Side of a window, in pixels, odd.
    beta : float
        Reluctance to cross a step, per range of the window.

    Returns
    -------
    (H, W) ndarray of float64
        In [0, 1]; the largest where windows overlap, 0 outside all.
    """
    windows = windows_at(image, rows, columns, patch)
    value_range = np.ptp(windows, axis=(1, 2))
    # A flat window has no steps, whatever it is divided by.
    windows /= np.where(value_range > 0, value_range, 1)[:, np.newaxis, np.newaxis]
    probability = centre_probability(windows, beta=beta)

    margin = patch // 2
    height, width = image.shape
    walk = np.zeros((height + 2 * margin, width + 2 * margin))
    pitch = walk.shape[1]
    # Flat, as one index is far faster than two: of each window's first pixel, and from there on.
    first = rows * pitch + columns
    offsets = np.arange(patch)[:, np.newaxis] * pitch + np.arange(patch)
    pixels = first[:, np.newaxis] + offsets.ravel()
    np.maximum.at(walk.ravel(), pixels.ravel(), probability.ravel())
    return walk[margin : margin + height, margin : margin + width]
