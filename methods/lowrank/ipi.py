"""Infrared patch-image model: low-rank background plus sparse targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irbench.detector import MethodInfo
from irbench.parameters import parameter

from ._patch_image import (
    PatchImageMethod,
    cover_parameter,
    patch_parameter,
    sparsity_parameter,
    step_parameter,
)
from ._proximal_gradient import ProximalGradient, proximal_gradient
from ._robust_pca import RobustPCA


class IPI(PatchImageMethod):
    """Infrared patch-image model (IPI), solved as its authors' code does.

    Overlapping patches of the image, scaled to [0, 1] together, are the columns of a
    matrix D = A + E + noise. The background A repeats itself and so is of low rank, the
    targets E are sparse. Accelerated proximal gradient steps minimise [1]_
    ``mu (||A||_* + lambda ||E||_1) + ||D - A - E||_F² / 2`` while mu falls. The score of
    a pixel is the median of its values in E, in units of the image's range; it is signed.

    The published code does not run to convergence: nearly always it stops where the rank
    of A exceeds 30 % of the number of patches, so that the stop rules decide the map. They
    are kept, as are two more traits of the code: lambda follows the size of the image, not
    of D, and the rows and columns after the last full step (up to 9 of them) are not
    searched and score 0. ``cover="full"`` mends the latter, and ``max_rank_share=1`` with
    a great ``patience`` the former. The first iteration thresholds a matrix with exactly
    its second singular value; the tie is decided as in exact arithmetic, as rank 1.

    The map does not change with gain and offset. It is zero for constant images, and for
    others where a stop rule ends the iterations before any entry of E passes its threshold.
    Where an image holds fewer than four patches, which the published code does not accept,
    the patch shrinks to half of itself, or of the image's shorter side if that is less, and
    the step in proportion; images less than four pixels high or wide score 0.

    With P patches of p pixels an iteration costs O(P p min(P, p)); there are about 45.
    Memory is about seven times 8 P p bytes: 60 MB for 256x256 pixels, 1.4 GB for 1024x1024.
    :class:`~irbench.methods.lowrank.ipi_fast.IPIFast` is meant for images above 320x320.

    Parameters
    ----------
    patch : int
        Side of a patch, in pixels, at least 2. Default 50.
    step : int
        Distance between patches, in pixels. Default 10.
    cover : {"steps", "full"}
        Whether a last patch is added that ends with the image, in each direction, where
        the steps do not reach its end. Default ``"steps"``: no.
    sparsity : float
        lambda times the square root of the longer side of the image. Default 1.
    mu_decay : float
        Factor of mu after each iteration, from the second singular value of D on.
        Default 0.9.
    mu_floor : float
        Least mu, relative to the fourth singular value of D. Default 0.005.
    tolerance : float
        Relative norm of a step to stop at. Default 1e-6.
    max_iterations : int
        Default 1000.
    max_rank_share : float
        Stop when the rank of A exceeds this share of the shorter side of D. Default 0.3.
    patience : int
        Stop when the rank of A has not changed in more than this many iterations and E is
        at rest. Default 10.
    card_change : int
        E is at rest when the number of its non-zeros changed by less than this in the last
        iteration. Default 20.

    References
    ----------
    .. [1] C. Gao, D. Meng, Y. Yang, Y. Wang, X. Zhou, A. G. Hauptmann, "Infrared
       Patch-Image Model for Small Target Detection in a Single Image", IEEE Transactions
       on Image Processing 22(12), 2013, doi 10.1109/TIP.2013.2281420.

    Examples
    --------
    >>> import numpy as np
    >>> rows, columns = np.mgrid[:80, :80]
    >>> image = 60 + 0.8 * rows + 0.5 * columns + 10 * np.sin(columns / 9)
    >>> image[40:43, 30:33] += 60
    >>> score_map = IPI().score_map(image, value_range=(0, 255))
    >>> row, column = np.unravel_index(score_map.argmax(), score_map.shape)
    >>> bool(40 <= row < 43 and 30 <= column < 33)
    True
    """

    info = MethodInfo(
        name="ipi",
        title="IPI",
        group="Low-rank and Sparse Decomposition",
        year=2013,
        max_pixels=320 * 320,
        reference=(
            "C. Gao, D. Meng, Y. Yang, Y. Wang, X. Zhou, A. G. Hauptmann, Infrared Patch-Image "
            "Model for Small Target Detection in a Single Image, IEEE Transactions on Image "
            "Processing 22(12), 2013, doi 10.1109/TIP.2013.2281420"
        ),
    )
    patch: int = patch_parameter()
    step: int = step_parameter(10)
    cover: str = cover_parameter("steps")
    sparsity: float = sparsity_parameter()
    mu_decay: float = parameter(default=0.9, low=0.01, high=1.0, help="factor of mu per iteration")
    mu_floor: float = parameter(
        default=0.005, low=0.0, help="least mu, relative to the fourth singular value"
    )
    tolerance: float = parameter(default=1e-6, low=0.0, help="relative norm of a step to stop at")
    max_iterations: int = parameter(default=1000, low=1, help="greatest number of iterations")
    max_rank_share: float = parameter(
        default=0.3, low=0.0, high=1.0, help="stop above this share of the greatest possible rank"
    )
    patience: int = parameter(
        default=10, low=0, help="stop after so many iterations of the same rank"
    )
    card_change: int = parameter(
        default=20, low=0, help="least change of non-zeros that is no rest"
    )

    def solve(self, data: NDArray[np.float64], weight: float) -> RobustPCA:
        """Take a matrix of patches apart; see :meth:`decompose`."""
        settings = ProximalGradient(
            weight=weight,
            mu_decay=self.mu_decay,
            mu_floor=self.mu_floor,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
            max_rank_share=self.max_rank_share,
            patience=self.patience,
            card_change=self.card_change,
        )
        return proximal_gradient(data, settings)
