"""RIPT: the reweighted infrared patch-tensor model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irbench.detector import MethodInfo
from irbench.parameters import parameter

from ._patch_tensor import Decomposition, Recomposition
from ._patch_tensor_method import (
    WeightedPatchTensorMethod,
    early_stop_parameter,
    epsilon_parameter,
    max_iter_parameter,
    patch_parameter,
    recompose_parameter,
    sigma_gradient_parameter,
    sigma_window_parameter,
    step_parameter,
    tolerance_parameter,
)
from ._robust_pca import row_blocks
from ._spectral_shrinkage import clip_singular_values
from ._structure_tensor import rescale_to_unit, structure_tensor_eigenvalues


class RIPT(WeightedPatchTensorMethod):
    """Reweighted infrared patch-tensor model with nonlocal and local priors.

    The patches of the image, stacked to a tensor ``D``, are split into a
    background ``B``, whose three unfoldings have low rank, and a sparse,
    non-negative target ``T``: [1]_

    ``min sum_i |B_(i)|_* + lambda |W ⊙ T|_1  subject to  B + T = D``,

    with ``lambda = lambda_l / sqrt(min(n, h, w))``. The weight starts as the local
    prior ``exp(stretch (l1 - l2))``, of the eigenvalues ``l1 ≥ l2`` of the
    structure tensor, ``l1 - l2`` rescaled to [0, 1] over the image: straight
    edges cost more than spots. After each iteration it is that prior over
    ``T + epsilon``. The alternating directions start with the penalty
    ``mu = mu_scale · std(D)``, divided by ``rho`` after each iteration. The map is
    ``T``, laid back onto the image, in grey levels.

    The published solver stops as soon as two iterations in a row leave the same
    number of positive entries in ``T``, which is after 3 to 10 iterations, long
    before ``B + T = D`` holds; ``early_stop=False`` goes on to ``tolerance``. The
    published code also knows a recomposition in which the last patch over a pixel
    overwrites the others: ``recompose="overwrite"``.

    Transposing the image transposes the map, and so does flipping it where patches
    fit without the shifted last one. There is no exact invariance to gain or
    offset: ``epsilon`` is in grey levels, and an offset adds to the largest singular
    value. An image of one value has the map 0. Patches larger than the image
    shrink to it.

    Time O(n h w min(n, h w)) per iteration for the n patches. Memory: about twelve
    tensors of n h w float64, 60 MB for an image of 256x256, 0.9 GB for 1024x1024.

    Parameters
    ----------
    patch : int
        Side of a patch, in pixels. Default 30.
    step : int
        Stride of the patches, in pixels, at most ``patch``. Default 10.
    lambda_l : float
        ``L`` in the sparsity weight. Default 0.7.
    mu_scale : float
        First penalty, in standard deviations of the patch tensor. Default 5.
    rho : float
        Divisor of the penalty, at least 1. Default 1.5.
    stretch : float
        Exponent of the local prior (``h`` of the paper). Default 1.
    epsilon : float
        Keeps the reweighting finite, in grey levels. Default 0.01.
    sigma_gradient, sigma_window : float
        Of the two 3x3 Gaussians of the structure tensor, in pixels. Defaults
        1.2 and 2.
    tolerance : float
        Stops at ``|D - B - T| < tolerance |D|``. Default 1e-7.
    early_stop : bool
        Also stop when the number of positive entries repeats. Default True.
    max_iter : int
        Default 100.
    recompose : {"mean", "overwrite"}
        Default "mean".

    References
    ----------
    .. [1] Y. Dai, Y. Wu, "Reweighted Infrared Patch-Tensor Model With Both Nonlocal
       and Local Priors for Single-Frame Small Target Detection", IEEE JSTARS 10(8),
       2017, doi 10.1109/JSTARS.2017.2700023, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.mgrid[:48, :48]
    >>> image = (60 + x + 60 * np.exp(-((y - 20) ** 2 + (x - 31) ** 2) / 4)).astype(np.uint8)
    >>> score_map = RIPT().score_map(image)
    >>> [int(i) for i in np.unravel_index(score_map.argmax(), score_map.shape)]
    [20, 31]
    """

    info = MethodInfo(
        name="ript",
        title="RIPT",
        group="Low-rank and Sparse Decomposition",
        year=2017,
        reference=(
            "Y. Dai, Y. Wu, Reweighted Infrared Patch-Tensor Model With Both Nonlocal and Local "
            "Priors for Single-Frame Small Target Detection, IEEE JSTARS 10(8), 2017, "
            "doi 10.1109/JSTARS.2017.2700023"
        ),
    )
    patch: int = patch_parameter(30)
    step: int = step_parameter(10)
    lambda_l: float = parameter(
        default=0.7, low=0, help="L of lambda = L / sqrt(smallest side of the tensor)"
    )
    mu_scale: float = parameter(
        default=5.0, low=0, unit="std of the tensor", help="penalty of the first iteration"
    )
    rho: float = parameter(default=1.5, low=1, help="divisor of the penalty after each iteration")
    stretch: float = parameter(default=1.0, low=0, high=100, help="exponent h of the local prior")
    epsilon: float = epsilon_parameter()
    sigma_gradient: float = sigma_gradient_parameter(1.2)
    sigma_window: float = sigma_window_parameter(2.0)
    tolerance: float = tolerance_parameter(1e-7)
    early_stop: bool = early_stop_parameter()
    max_iter: int = max_iter_parameter(100)
    recompose: Recomposition = recompose_parameter("mean")

    def local_prior(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weight of each pixel by the structure tensor, in [1, exp(stretch)]."""
        largest, smallest = structure_tensor_eigenvalues(
            image, self.sigma_gradient, self.sigma_window
        )
        return np.asarray(np.exp(self.stretch * rescale_to_unit(largest - smallest)))

    def split(self, data: NDArray[np.float64], prior: NDArray[np.float64]) -> Decomposition:
        """Split an ``(n, h, w)`` tensor of patches, with the patches of the prior."""
        return reweighted_patch_tensor(
            data,
            prior,
            sparsity=self.lambda_l / np.sqrt(min(data.shape)),
            mu=self.mu_scale * float(data.std(ddof=1)),
            rho=self.rho,
            epsilon=self.epsilon,
            tolerance=self.tolerance,
            early_stop=self.early_stop,
            max_iter=self.max_iter,
        )


def reweighted_patch_tensor(
    data: NDArray[np.float64],
    prior: NDArray[np.float64],
    *,
    sparsity: float,
    mu: float,
    rho: float,
    epsilon: float,
    tolerance: float,
    early_stop: bool,
    max_iter: int,
) -> Decomposition:
    """Split a patch tensor by the alternating directions of RIPT.

    With the multipliers ``Y_i`` of the paper, an iteration shrinks
    ``P_i = D + mu Y_i - T_old`` to ``B_i`` and keeps ``R_i = P_i - B_i``. The update of
    the multipliers is then ``mu Y_i = R_i + T_old - T``, so that the ``R_i`` and the
    targets are all that an iteration hands on.

    Parameters
    ----------
    data : (n, h, w) ndarray of float64
        Not modified.
    prior : (n, h, w) ndarray of float64
        Positive weights.
    sparsity, mu, rho, epsilon, tolerance : float
        See :class:`RIPT`; ``sparsity`` is the paper's lambda.
    early_stop : bool
    max_iter : int

    Returns
    -------
    Decomposition
        Of tensors.
    """
    n, h, w = data.shape
    norm = float(np.linalg.norm(data))
    n_positive = data.size
    target, previous, multiplier, raw = (np.zeros_like(data) for _ in range(4))
    weight = prior.copy()
    # The P_i, each unfolded to a matrix with its mode as one side: over rows, columns, patches.
    parts = [np.empty((n * w, h)), np.empty((n * h, w)), np.empty((n, h * w))]
    shapes = (n, w, h), (n, h, w), (n, h, w)
    for part, shape, axes in zip(parts, shapes, _FOLDING, strict=True):
        part.reshape(shape)[...] = data.transpose(axes)
    spare = np.empty(data.size)
    # Patches that are worked on together; their few arrays stay in cache.
    blocks = row_blocks(data.shape)

    for iteration in range(1, max_iter + 1):  # noqa: B007
        # From here on, the R_i.
        for index, part in enumerate(parts):
            parts[index] = clip_singular_values(part, mu, out=spare.reshape(part.shape))
            spare = part.reshape(-1)
        over_rows, over_columns, over_patches = (
            part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)
        )
        previous, target = target, previous
        last, n_positive, square = n_positive, 0, 0.0
        for block in blocks:
            # The mean of D + mu Y_i - B_i is what the target is shrunk from.
            mean = np.add(over_rows[block].transpose(_SWAPPED), over_columns[block], out=raw[block])
            mean += over_patches[block]
            mean *= 1 / 3
            mean += previous[block]
            cost = weight[block]
            cost *= mu * sparsity / 3
            positive = np.subtract(mean, cost, out=target[block])
            np.maximum(positive, 0, out=positive)
            np.add(positive, epsilon, out=cost)
            np.divide(prior[block], cost, out=cost)
            # Less the target, it is the mean of mu Y_i, whose update is D - mean(B_i) - T.
            mean -= positive
            gap = multiplier[block]
            gap *= -1 / rho
            gap += mean
            square += float(np.vdot(gap, gap))
            n_positive += int(np.count_nonzero(positive))
        multiplier, raw = raw, multiplier
        residual_norm = float(np.sqrt(square)) / norm
        if residual_norm < tolerance or (early_stop and n_positive == last):
            break
        for block in blocks:
            # What the P_i have in common: D - T + (T_old - T) / rho.
            base = previous[block]
            base -= target[block]
            base *= 1 / rho
            base -= target[block]
            base += data[block]
            for residual, axes in zip(
                (over_rows, over_columns, over_patches), _FOLDING, strict=True
            ):
                folded = residual[block]
                folded *= 1 / rho
                folded += base.transpose(axes)
        mu /= rho
    return Decomposition(target, data - target - raw, iteration, residual_norm)


_SWAPPED = (0, 2, 1)
_FOLDING = (_SWAPPED, (0, 1, 2), (0, 1, 2))
"""Axes of the patch tensor by which each mode is unfolded."""
