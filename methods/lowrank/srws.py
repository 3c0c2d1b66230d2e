"""SRWS: self-regularised weighted sparse model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.detector import MethodInfo
from irbench.parameters import parameter

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
from .nram import shrink_rows

_ROWS = 128
"""Patches worked on together: enough for solutions at full speed, few enough for the cache."""


@dataclass(frozen=True, eq=False)
class SelfRepresentation(Decomposition):
    """An image split by SRWS, all parts clipped at 0.

    Attributes
    ----------
    noise : (H, W) ndarray of float64
        As target and background, 0 where no patch lies.
    """

    noise: NDArray[np.float64]


class SRWS(PatchMatrixMethod[SelfRepresentation]):
    """Self-regularised weighted sparse model.

    The patches of the image are the columns of ``X``, each a combination of the others: [1]_

    ``X = X Z + E + T``,  ``sum(Z) = 1`` in every column,

    with noise ``E``, whole patches under an l2,1 norm, and targets ``T`` under an l1 norm
    whose weight ``exp(alpha o)`` follows the overlapping edge information ``o``, a 4x4 sum
    of the gradient scaled to [0, 1]. The map is the positive part of ``T`` put back by the
    mean, in units of 255 grey levels.

    **This is what the published code computes, not the paper's model.** The paper also
    regularises ``Z`` by mutual representations; the code starts their two variables at 0,
    each is updated by a product with the other, and they stay 0, so that the
    self-regularisation in the method's name never acts. The low-rank penalty on ``Z`` has the
    threshold 0 as well: ``Z`` is a regularised least-squares solution. The gradients are
    summed with their signs. The code stops when the number of entries of ``T`` changes by at
    most one, without asking for any: a first empty ``T`` ends the run with a map of 0
    (``early_stop=False`` goes on to the tolerance); and patches that end exactly with the
    image, or beyond the last step, are left out (``cover="full"`` mends that).

    An image of one value has the map 0. There is no exact invariance to gain or offset. On
    images with fewer than four patches the patch shrinks to half of itself or of the shorter
    side, which is ours.

    With n patches of p pixels an iteration costs O(n p min(n, p)), of 1 to 10. The solution
    uses the Gram matrix of side n for few patches, else that of side p + 1. Memory: about seven
    matrices of n p float64, 60 MB for an image of 256x256, 1.5 GB for 1024x1024.

    Parameters
    ----------
    patch : int
        Side of a patch, in pixels. Default 50.
    step : int
        Distance between patches, in pixels. Default 10.
    cover : {"inside", "steps", "full"}
        Whether a patch may end with the image (``"steps"``), or a last one is added that
        does (``"full"``). Default ``"inside"``: neither.
    noise_weight : float
        Weight of ``E`` times sqrt(longer side of the image). Default 1.
    sparsity : float
        Weight of ``T`` times sqrt(longer side of the image). Default 0.09.
    alpha : float
        Exponent of the edge weight. Default 2.
    penalty_scale : float
        The first penalty is 1 over this many standard deviations of X. Default 5.
    rho : float
        Factor of the penalty after each iteration. Default 1.5.
    tolerance : float
        Stops at ``|X - XZ - E - T| < tolerance |X|``. Default 1e-7.
    early_stop : bool
        Also stop when the number of target entries is at rest. Default True.
    max_iter : int
        Default 100.

    References
    ----------
    .. [1] T. Zhang, Z. Peng, H. Wu, Y. He, C. Li, C. Yang, "Infrared Small Target Detection
       via Self-Regularized Weighted Sparse Model", Neurocomputing 420, 2021,
       doi 10.1016/j.neucom.2020.08.065.
    """

    info = MethodInfo(
        name="srws",
        title="SRWS",
        group="Low-rank and Sparse Decomposition",
        year=2021,
        default=False,
        extended=True,
        reference=(
            "T. Zhang, Z. Peng, H. Wu, Y. He, C. Li, C. Yang, Infrared Small Target Detection via "
            "Self-Regularized Weighted Sparse Model, Neurocomputing 420, 2021, "
            "doi 10.1016/j.neucom.2020.08.065"
        ),
        note="as the published code computes it: without the paper's self-regularisation",
    )
    patch: int = patch_parameter(50)
    step: int = step_parameter()
    cover: str = cover_parameter()
    noise_weight: float = parameter(
        default=1.0, low=0.0, help="weight of the noise times sqrt(longer side of the image)"
    )
    sparsity: float = parameter(
        default=0.09, low=0.0, help="weight of the target times sqrt(longer side of the image)"
    )
    alpha: float = parameter(default=2.0, low=0.0, high=100.0, help="exponent of the edge weight")
    penalty_scale: float = penalty_scale_parameter()
    rho: float = rho_parameter()
    tolerance: float = tolerance_parameter()
    early_stop: bool = early_stop_parameter("is at rest")
    max_iter: int = max_iter_parameter()

    def edge_weight(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weight of each pixel's target, in [1, exp(alpha)], of an image in 0 to 1."""
        overlap = sum(
            _window_sum(np.gradient(image, axis=axis)) for axis in (0, 1) if image.shape[axis] > 1
        )
        # An image of one pixel has no gradient at all.
        edges = np.broadcast_to(np.asarray(overlap, dtype=np.float64), image.shape)
        low, high = float(edges.min()), float(edges.max())
        if not high > low:
            return np.ones_like(image)
        return np.asarray(np.exp(self.alpha * (edges - low) / (high - low)))

    def without_targets(self, background: NDArray[np.float64]) -> SelfRepresentation:
        """The parts of an image that is background as a whole."""
        zeros = np.zeros_like(background)
        return SelfRepresentation(zeros, background, 0, 0.0, zeros)

    def split(
        self,
        image: NDArray[np.float64],
        grid: PatchMatrixGrid,
        data: NDArray[np.float64],
        threshold: float,
    ) -> SelfRepresentation:
        """Alternate over the patches; see :meth:`PatchMatrixMethod.split`."""
        scale = math.sqrt(max(image.shape))
        cost = grid.cut(self.edge_weight(image))
        cost *= self.sparsity / scale
        norm = float(np.linalg.norm(data))
        mu = 1 / threshold
        combination = Combination(data)
        noise, target, dual = np.zeros_like(data), np.zeros_like(data), np.zeros_like(data)
        sums_dual = np.zeros(len(data))
        count = 0
        blocks = [slice(at, at + _ROWS) for at in range(0, len(data), _ROWS)]
        for iteration in range(1, self.max_iter + 1):  # noqa: B007
            combination.begin(mu)
            last, count, square = count, 0, 0.0
            for rows in blocks:
                wanted = data[rows] - noise[rows]
                wanted -= target[rows]
                wanted *= mu
                wanted += dual[rows]
                background, sums = combination.step(rows, wanted, mu + sums_dual[rows])
                gap = data[rows] - background
                residual = gap + dual[rows] / mu
                noise[rows] = shrink_rows(residual - target[rows], self.noise_weight / scale / mu)
                residual -= noise[rows]
                bound = cost[rows] / mu
                np.subtract(residual, np.clip(residual, -bound, bound), out=target[rows])
                gap -= noise[rows]
                gap -= target[rows]
                count += int(np.count_nonzero(target[rows]))
                square += float(np.vdot(gap, gap))
                gap *= mu
                dual[rows] += gap
                sums_dual[rows] += mu * (1 - sums)
            relative = math.sqrt(square) / norm
            if relative < self.tolerance or (self.early_stop and abs(count - last) <= 1):
                break
            mu *= self.rho
        positive, ground, rest = (
            np.maximum(grid.mean(part), 0.0) for part in (target, combination.made, noise)
        )
        return SelfRepresentation(positive, ground, iteration, relative, rest)


class Combination:
    """The patches that combinations of patches make, and their least-squares steps.

    With ``C``, the patches with a one appended to each, as rows, a step solves
    ``(2 I + mu (I + C C')) Z = C S' + mu Z_old``, of which only ``M = Z' C`` is asked: the
    patches that the coefficients Z make, and the sums of Z. As Z starts at 0,

    ``M = S / mu + (mu M_old - (2 + mu) / mu S) / K``,  ``K = (2 + mu) I + mu C' C``,

    so that a step is one solution with K, of side p + 1. Where the patches are few,
    Woodbury's identity makes of it one with a matrix of side n, and two products.

    Parameters
    ----------
    data : (n, p) ndarray of float64
        The patches, one a row.
    """

    def __init__(self, data: NDArray[np.float64]) -> None:
        patches = np.hstack([data, np.ones((len(data), 1))])
        # Operations of either way are equal at about half as many patches as pixels.
        self._few = patches if 2 * patches.shape[0] <= patches.shape[1] else None
        self._gram = patches.T @ patches if self._few is None else patches @ patches.T
        self._made = np.zeros_like(patches)
        self._mu = 0.0
        self._factor: Any = None

    @property
    def made(self) -> NDArray[np.float64]:
        """The patches made by the last step, ``(n, p)``."""
        return self._made[:, :-1]

    def begin(self, mu: float) -> None:
        """Begin a step for all rows, with a penalty."""
        from scipy.linalg import cho_factor

        system = mu * self._gram
        system[np.diag_indices_from(system)] += 2 + mu
        self._factor = cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
        self._mu = mu

    def step(
        self, rows: slice, wanted: NDArray[np.float64], wanted_sums: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Make some of the patches anew.

        Parameters
        ----------
        rows : slice
            Which of them.
        wanted : (k, p) ndarray of float64
            Their rows of S, and
        wanted_sums : (k,) ndarray of float64
            its last column.

        Returns
        -------
        made : (k, p) ndarray of float64
        sums : (k,) ndarray of float64
            Of the coefficients of each.
        """
        from scipy.linalg import cho_solve

        mu, made = self._mu, self._made[rows]
        right = np.hstack([wanted, wanted_sums[:, None]])
        right /= mu
        made *= mu
        made -= (2 + mu) * right
        if self._few is None:
            made[...] = cho_solve(self._factor, made.T, overwrite_b=True, check_finite=False).T
        else:
            projected = (made @ self._few.T).T
            coefficients = cho_solve(self._factor, projected, overwrite_b=True, check_finite=False)
            made -= (mu * coefficients.T) @ self._few
            made /= 2 + mu
        made += right
        return made[:, :-1], made[:, -1]


def _window_sum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over 4x4 windows, one pixel before to two after, with zeros outside."""
    import cv2

    total = cv2.boxFilter(
        values, cv2.CV_64F, (4, 4), anchor=(1, 1), normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    return np.asarray(total, dtype=np.float64).reshape(values.shape)
