"""PSTNN: the partial sum of the tensor nuclear norm."""

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
from ._spectral_shrinkage import partial_slice_shrinkage
from ._structure_tensor import corner_strength


class PSTNN(WeightedPatchTensorMethod):
    """Infrared patch-tensor model with the partial sum of the tensor nuclear norm.

    The patches of the image, stacked to a tensor ``D``, are split into a
    background ``B`` and a sparse, non-negative target ``T``: [1]_

    ``min |B|_PSTNN + lambda |W ⊙ T|_1  subject to  B + T = D``,

    with ``lambda = lambda_l / sqrt(max(h, w) n)``. The norm sums all but the ``N``
    largest singular values of each slice of ``B`` in the Fourier domain along the
    patches. The weight starts at 1; after each iteration it is
    ``N / ((T + epsilon) prior)``, where the prior is
    ``l1 · l1 l2 / (l1 + l2)``, of the eigenvalues ``l1 ≥ l2`` of the structure
    tensor, rescaled to [0, 1] over the image: corners and spots stay, and where the
    image is flat, ``T`` is 0. The penalty starts at ``mu`` and grows by ``rho``. The
    map is ``T``, laid back onto the image, in grey levels.

    ``N`` is the number of leading singular values of at least ``energy_ratio`` times
    the first, at least 1. Faithful to the published code, they are those of a plain
    reshape of the tensor to n rows, not of its unfolding along the patches.

    The published code stops as soon as two iterations in a row leave the same
    positive number of positive entries in ``T``, often after 2 to 20 iterations;
    ``early_stop=False`` goes on to ``tolerance``. Where patches overlap, that is
    where the last ones are shifted inwards, it lets the last patch overwrite the
    others; ``recompose="mean"`` takes their mean.

    Turning the image by 180° turns the map where patches fit without a shifted
    one, since the Fourier transform sees the order of patches up to reversal and
    rotation. Transposition changes that order, and the map a little. There is no
    exact invariance to gain or offset: ``mu`` and ``epsilon`` are in grey levels, and
    an offset adds to the largest singular value. An image of one value has the map
    0. Patches larger than the image shrink to it.

    Time O(n patch³) per iteration for the n patches. Memory: 15 MB for an image of
    256x256, 0.15 GB for 1024x1024.

    Parameters
    ----------
    patch : int
        Side of a patch, in pixels. Default 40.
    step : int
        Stride of the patches, in pixels, at most ``patch``. Default 40.
    lambda_l : float
        ``L`` in the sparsity weight. Default 0.7.
    mu : float
        First penalty, per grey level. Default 0.002.
    rho : float
        Factor of the penalty, at least 1. Default 1.05.
    energy_ratio : float
        Least ratio to the first singular value of those that are kept. Default 0.1.
    epsilon : float
        Keeps the reweighting finite, in grey levels. Default 0.01.
    sigma_gradient, sigma_window : float
        Of the two 3x3 Gaussians of the structure tensor, in pixels. Defaults 2
        and 9.
    tolerance : float
        Stops at ``|D - B - T| < tolerance |D|``. Default 1e-3.
    early_stop : bool
        Also stop when the number of positive entries repeats. Default True.
    max_iter : int
        Default 500.
    recompose : {"overwrite", "mean"}
        Default "overwrite".

    References
    ----------
    .. [1] L. Zhang, Z. Peng, "Infrared Small Target Detection Based on Partial Sum of
       the Tensor Nuclear Norm", Remote Sensing 11(4), 382, 2019,
       doi 10.3390/rs11040382.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.mgrid[:80, :80]
    >>> image = (60 + x + 60 * np.exp(-((y - 20) ** 2 + (x - 31) ** 2) / 4)).astype(np.uint8)
    >>> score_map = PSTNN().score_map(image)
    >>> [int(i) for i in np.unravel_index(score_map.argmax(), score_map.shape)]
    [20, 31]
    """

    info = MethodInfo(
        name="pstnn",
        title="PSTNN",
        group="Low-rank and Sparse Decomposition",
        year=2019,
        reference=(
            "L. Zhang, Z. Peng, Infrared Small Target Detection Based on Partial Sum of the Tensor "
            "Nuclear Norm, Remote Sensing 11(4), 382, 2019, doi 10.3390/rs11040382"
        ),
    )
    patch: int = patch_parameter(40)
    step: int = step_parameter(40)
    lambda_l: float = parameter(
        default=0.7, low=0, help="L of lambda = L / sqrt(side of a patch x number of patches)"
    )
    mu: float = parameter(
        default=0.002, low=1e-12, unit="1/grey level", help="penalty of the first iteration"
    )
    rho: float = parameter(default=1.05, low=1, help="factor of the penalty after each iteration")
    energy_ratio: float = parameter(
        default=0.1, low=0, high=1, help="singular values of this share of the first are kept whole"
    )
    epsilon: float = epsilon_parameter()
    sigma_gradient: float = sigma_gradient_parameter(2.0)
    sigma_window: float = sigma_window_parameter(9.0)
    tolerance: float = tolerance_parameter(1e-3)
    early_stop: bool = early_stop_parameter()
    max_iter: int = max_iter_parameter(500)
    recompose: Recomposition = recompose_parameter("overwrite")

    def local_prior(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """How corner-like each pixel is by the structure tensor, in [0, 1]."""
        return corner_strength(image, self.sigma_gradient, self.sigma_window)

    def split(self, data: NDArray[np.float64], prior: NDArray[np.float64]) -> Decomposition:
        """Split an ``(n, h, w)`` tensor of patches, with the patches of the prior."""
        n, h, w = data.shape
        return partial_sum_decomposition(
            data,
            prior,
            n_kept=leading_rank(data, self.energy_ratio),
            sparsity=self.lambda_l / np.sqrt(max(h, w) * n),
            mu=self.mu,
            rho=self.rho,
            epsilon=self.epsilon,
            tolerance=self.tolerance,
            early_stop=self.early_stop,
            max_iter=self.max_iter,
        )


def leading_rank(data: NDArray[np.float64], energy_ratio: float) -> int:
    """The number of singular values to keep whole, by their ratio to the first.

    Parameters
    ----------
    data : (n, h, w) ndarray of float64
    energy_ratio : float
        In [0, 1].

    Returns
    -------
    int
        At least 1; of the column-major reshape of the ``h x w x n`` tensor to ``n`` rows.
    """
    n = len(data)
    reshaped = data.transpose(0, 2, 1).reshape(-1, n)
    if reshaped.shape[0] < n:
        reshaped = reshaped.T
    # Ratios of interest are far above the 1e-8 that squares can tell.
    values = np.linalg.eigvalsh(reshaped.T @ reshaped)[::-1]
    ratios = np.sqrt(np.maximum(values, 0.0) / values[0])
    return max(1, int(np.count_nonzero(ratios >= energy_ratio)))


def partial_sum_decomposition(
    data: NDArray[np.float64],
    prior: NDArray[np.float64],
    *,
    n_kept: int,
    sparsity: float,
    mu: float,
    rho: float,
    epsilon: float,
    tolerance: float,
    early_stop: bool,
    max_iter: int,
) -> Decomposition:
    """Split a patch tensor by the alternating directions of PSTNN.

    With the multiplier ``Y`` of the paper, ``Y / mu`` after an iteration is the target
    less what it was shrunk from: it is all that an iteration hands on.

    Parameters
    ----------
    data : (n, h, w) ndarray of float64
        Not modified.
    prior : (n, h, w) ndarray of float64
        In [0, 1]; 0 lets no target be.
    n_kept : int
        Singular values of a slice that are not shrunk.
    sparsity, mu, rho, epsilon, tolerance : float
        See :class:`PSTNN`; ``sparsity`` is the paper's lambda.
    early_stop : bool
    max_iter : int

    Returns
    -------
    Decomposition
        Of tensors.
    """
    target, multiplier = np.zeros_like(data), np.zeros_like(data)
    # A prior of 0 is a cost beyond any grey level, and not infinity, which times 0 is no number.
    cost = n_kept / np.maximum(prior, 1e-200)
    weight: NDArray[np.float64] | float = 1.0
    threshold = 1.0 / mu
    n_positive = 0
    norm = float(np.linalg.norm(data))

    for iteration in range(1, max_iter + 1):  # noqa: B007
        background = partial_slice_shrinkage(data - target - multiplier, threshold, n_kept)
        remainder = data - background
        raw = remainder - multiplier
        target = np.maximum(raw - (sparsity * threshold) * weight, 0.0)
        weight = cost / (target + epsilon)

        gap = float(np.linalg.norm(remainder - target)) / norm
        last, n_positive = n_positive, int(np.count_nonzero(target))
        if gap < tolerance or (early_stop and n_positive == last > 0):
            break
        multiplier = (target - raw) / rho
        threshold /= rho
    return Decomposition(target, background, iteration, gap)
