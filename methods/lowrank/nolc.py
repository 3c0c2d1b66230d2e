"""NOLC: nonconvex optimisation with an lp norm constraint."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irbench.detector import MethodInfo
from irbench.parameters import parameter

from ._deflation import threshold_after_deflation
from ._patch_matrix import PatchMatrixGrid
from ._patch_matrix_method import (
    PatchMatrixMethod,
    cover_parameter,
    early_stop_parameter,
    max_iter_parameter,
    patch_parameter,
    penalty_scale_parameter,
    rho_parameter,
    step_parameter,
    tolerance_parameter,
)
from ._patch_tensor import Decomposition

_NEWTON_STEP = 1e-7
"""Greatest last step of Newton's method, in units of the image's range, as published."""

_NEWTON_ROUNDS = 100
"""Far above the handful that the convex right branch of the equation needs."""


class NOLC(PatchMatrixMethod[Decomposition]):
    """Nonconvex optimisation with an lp norm constraint.

    The patches of the image are the columns of a matrix ``D = B + T``: [1]_

    ``min |B|_* + lambda |T|_p^p  subject to  B + T = D,  T ≥ 0``.

    Alternating directions threshold the singular values for ``B`` and solve the lp
    proximal problem of each entry of ``T`` by Newton's method. The map is ``T`` put back
    by the mean, in units of 255 grey levels, and is never negative.

    As the published code has it, the run stops where two iterations in a row leave the same
    positive number of entries in ``T``, after 2 to 8 iterations and far from the tolerance
    (``early_stop=False`` goes on to it), and patches that end exactly with the image, or
    beyond the last step, are left out: the last 1 to 10 rows and columns score 0
    (``cover="full"`` mends that). Its comment speaks of the median where it takes the mean.

    Transposing the image transposes the map. An image of one value has the map 0. There is
    no exact invariance to gain or offset. On images with fewer than four patches the patch
    shrinks to half of itself or of the shorter side, which is ours.

    With n patches of p pixels an iteration costs O(n p min(n, p)). Memory: about ten
    matrices of n p float64, 40 MB for an image of 256x256, 0.8 GB for 1024x1024.

    Parameters
    ----------
    patch : int
        Side of a patch, in pixels. Default 30.
    step : int
        Distance between patches, in pixels. Default 10.
    cover : {"inside", "steps", "full"}
        Whether a patch may end with the image (``"steps"``), or a last one is added that
        does (``"full"``). Default ``"inside"``: neither.
    sparsity : float
        lambda times the side of a patch. Default 1.
    p : float
        Exponent of the norm, in (0, 1). Default 0.6.
    penalty_scale : float
        The first penalty is 1 over this many standard deviations of D. Default 5.
    rho : float
        Factor of the penalty after each iteration. Default 1.5.
    tolerance : float
        Stops at ``|D - B - T| < tolerance |D|``. Default 1e-7.
    early_stop : bool
        Also stop when the number of target entries repeats. Default True.
    max_iter : int
        Default 100.

    References
    ----------
    .. [1] T. Zhang, H. Wu, Y. Liu, L. Peng, C. Yang, Z. Peng, "Infrared Small Target
       Detection Based on Non-Convex Optimization with Lp-Norm Constraint", Remote Sensing
       11(5), 559, 2019, doi 10.3390/rs11050559.
    """

    info = MethodInfo(
        name="nolc",
        title="NOLC",
        group="Low-rank and Sparse Decomposition",
        year=2019,
        default=False,
        extended=True,
        reference=(
            "T. Zhang, H. Wu, Y. Liu, L. Peng, C. Yang, Z. Peng, Infrared Small Target Detection "
            "Based on Non-Convex Optimization with Lp-Norm Constraint, Remote Sensing 11(5), 559, "
            "2019, doi 10.3390/rs11050559"
        ),
    )
    patch: int = patch_parameter(30)
    step: int = step_parameter()
    cover: str = cover_parameter()
    sparsity: float = parameter(default=1.0, low=1e-6, help="lambda times the side of a patch")
    p: float = parameter(default=0.6, low=0.01, high=0.99, help="exponent of the norm")
    penalty_scale: float = penalty_scale_parameter()
    rho: float = rho_parameter()
    tolerance: float = tolerance_parameter()
    early_stop: bool = early_stop_parameter("repeats")
    max_iter: int = max_iter_parameter()

    def without_targets(self, background: NDArray[np.float64]) -> Decomposition:
        """The parts of an image that is background as a whole."""
        return Decomposition.of_constant(background)

    def split(
        self,
        image: NDArray[np.float64],
        grid: PatchMatrixGrid,
        data: NDArray[np.float64],
        threshold: float,
    ) -> Decomposition:
        """Alternate over the patches; see :meth:`PatchMatrixMethod.split`."""
        norm = float(np.linalg.norm(data))
        sparsity = self.sparsity / grid.patch
        target, dual = np.zeros_like(data), np.zeros_like(data)
        count = 0
        # The multiplier is kept divided by the penalty, as it is used.
        for iteration in range(1, self.max_iter + 1):  # noqa: B007
            shifted = data + dual
            background = threshold_after_deflation(shifted - target, threshold)
            shifted -= background
            target = lp_shrinkage(shifted, sparsity * threshold, self.p)
            gap = data - background - target
            residual = float(np.linalg.norm(gap)) / norm
            last, count = count, int(np.count_nonzero(target))
            if residual < self.tolerance or (self.early_stop and count == last > 0):
                break
            dual += gap
            dual /= self.rho
            threshold /= self.rho
        return Decomposition(grid.mean(target), grid.mean(background), iteration, residual)


def lp_shrinkage(values: NDArray[np.float64], weight: float, p: float) -> NDArray[np.float64]:
    """The non-negative minimisers of ``(t - x)² / 2 + weight t^p``, entry by entry.

    Parameters
    ----------
    values : ndarray of float64
        Negative entries count as 0.
    weight : float
        Positive.
    p : float
        In (0, 1).

    Returns
    -------
    ndarray of float64
        0 where the minimum at 0 is the lower one.
    """
    turning = (weight * p * (1 - p)) ** (1 / (2 - p))
    least = turning + weight * p * turning ** (p - 1)
    shrunk = np.zeros_like(values)
    above = values > least
    x = values[above]
    y = x.copy()
    active = np.arange(x.size)
    for _ in range(_NEWTON_ROUNDS):
        old = y[active]
        power = weight * p * old ** (p - 1)
        step = (old - x[active] + power) / (1 - (1 - p) * power / old)
        y[active] = old - step
        active = active[np.abs(step) > _NEWTON_STEP]
        if active.size == 0:
            break
    shrunk[above] = np.where(x**2 / 2 < (y - x) ** 2 / 2 + weight * y**p, 0.0, y)
    return shrunk
