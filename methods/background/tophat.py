"""White top-hat: the image less its opening."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irbench.detector import MethodInfo, ScoreMapDetector
from irbench.parameters import parameter


class TopHat(ScoreMapDetector):
    """White top-hat transform with a flat square structuring element.

    The score of a pixel is its grey level above the opening of the image, which
    removes every bright structure that the element does not fit into:
    ``map = f - dilate(erode(f))``. [1]_

    Erosion and dilation see the pixels inside the image only. The map is
    non-negative, unchanged by an offset and proportional to gain. Time
    O(H W size), with vectorised running extrema.

    Parameters
    ----------
    size : int
        Side of the structuring element, in pixels, odd, at least 3. Targets
        wider than this vanish. Default 5.

    References
    ----------
    .. [1] J. Serra, "Image Analysis and Mathematical Morphology", Academic
       Press, 1982, chapter XII.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((9, 9), 100, np.uint8)
    >>> image[4, 4] = 130
    >>> float(TopHat().score_map(image)[4, 4])
    30.0
    """

    info = MethodInfo(
        name="tophat",
        title="Top-Hat",
        group="Background Suppression",
        year=1982,
        reference="J. Serra, Image Analysis and Mathematical Morphology, Academic Press, 1982",
    )
    size: int = parameter(
        default=5, low=3, high=255, odd=True, unit="px", help="side of the square element"
    )

    def compute(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the score map; see :meth:`irbench.ScoreMapDetector.compute`."""
        import cv2

        element = np.ones((self.size, self.size), np.uint8)
        # OpenCV's default border never wins an erosion or a dilation.
        return np.asarray(cv2.morphologyEx(image, cv2.MORPH_TOPHAT, element))
