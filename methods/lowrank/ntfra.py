"""NTFRA: nonconvex tensor fibred rank approximation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from irbench.detector import MethodInfo
from irbench.parameters import parameter

from ._log_shrinkage import log_shrinkage
from ._patch_tensor import Decomposition, Recomposition
from ._patch_tensor_method import (
    WeightedPatchTensorMethod,
    epsilon_parameter,
    patch_parameter,
    recompose_parameter,
    sigma_gradient_parameter,
    sigma_window_parameter,
    step_parameter,
)
from ._structure_tensor import corner_strength
from .pstnn import leading_rank

_FIRST_PENALTY = 1e-4
"""Of ``B + T = D``, as published: 1 / omega of the other terms as well."""


class NTFRA(WeightedPatchTensorMethod):
    """Nonconvex tensor fibred rank approximation, with a log sum of singular values.

    The patches of the image, stacked to a tensor ``D``, are split into a background ``B``
    and a sparse, non-negative target ``T``: [1]_

    ``min |B|_LogTFNN + lambda |W ⊙ T|_1 + beta TV(B)  subject to  B + T = D``,

    where the log norm of the singular values of the Fourier slices is taken along each of the
    three modes, with weights proportional to 1, 1 and ``theta``, and TV is a hypertotal
    variation. ``lambda = varpi / sqrt(max(n, h) w)``. The weight is
    ``N / ((T + 0.01) prior)`` after the first round, with prior and ``N`` as in
    :class:`~irbench.methods.lowrank.pstnn.PSTNN`. The map is ``T`` laid back onto the image,
    in grey levels.

    **The published code differs from the paper**, and is followed: the multipliers of the
    three modes are updated by the differences of the total variation's variable, not by the
    low-rank tensors; the total variation's linear system counts the third mode twice and the
    second not at all, and closes its differences cyclically with another tensor's last slice;
    and if the length of a mode is odd, the middle pair of Fourier slices comes back damped
    by 4. Nearly every run ends after all 20 rounds, before ``B + T = D`` holds.
    Where patches overlap, that is where the last ones are shifted inwards, the last patch
    overwrites the others; ``recompose="mean"`` takes their mean. Where the image is exactly
    flat, ``T`` is 0.

    There is no exact invariance to gain or offset. An image of one value has the map 0.
    Patches larger than the image shrink to it.

    Time O(n patch³) per round for the n patches. Memory: about 25 tensors, 20 MB for an image
    of 256x256, 0.4 GB for 1024x1024.

    Parameters
    ----------
    patch : int
        Side of a patch, in pixels. Default 40.
    step : int
        Stride of the patches, in pixels, at most ``patch``. Default 40.
    varpi : float
        Of lambda. Default 0.15.
    theta : float
        Weight of the mode of the patches, of the others' 1. Default 1e-5.
    omega : float
        Threshold of the log sum in the first round, in squared grey levels. Default 1e4.
    rho : float
        Factor of the penalties after each round, at least 1. Default 1.2.
    tv_penalty : float
        Of the total variation; the published code keeps it fixed. Default 1.2.
    energy_ratio : float
        Least ratio to the first singular value of those that N counts. Default 0.1.
    log_offset : float
        Added to a singular value in its logarithm. Default 1e-6.
    epsilon : float
        Keeps the reweighting finite, in grey levels. Default 0.01.
    sigma_gradient, sigma_window : float
        Of the two 3x3 Gaussians of the structure tensor, in pixels. Defaults 2 and 9.
    tolerance : float
        Stops when ``B`` changes by less than this share of itself. Default 1e-4.
    max_iter : int
        Default 20.
    recompose : {"overwrite", "mean"}
        Default "overwrite".

    References
    ----------
    .. [1] X. Kong, C. Yang, S. Cao, C. Li, Z. Peng, "Infrared Small Target Detection via
       Nonconvex Tensor Fibered Rank Approximation", IEEE Transactions on Geoscience and
       Remote Sensing 60, 2022, doi 10.1109/TGRS.2021.3068465.
    """

    info = MethodInfo(
        name="ntfra",
        title="NTFRA",
        group="Low-rank and Sparse Decomposition",
        year=2022,
        default=False,
        extended=True,
        reference=(
            "X. Kong, C. Yang, S. Cao, C. Li, Z. Peng, Infrared Small Target Detection via "
            "Nonconvex Tensor Fibered Rank Approximation, IEEE Transactions on Geoscience and "
            "Remote Sensing 60, 2022, doi 10.1109/TGRS.2021.3068465"
        ),
        note="as the published code computes it, which differs from the paper",
    )
    patch: int = patch_parameter(40)
    step: int = step_parameter(40)
    varpi: float = parameter(default=0.15, low=0.0, help="of lambda = varpi / sqrt(max(n, h) w)")
    theta: float = parameter(
        default=1e-5, low=1e-12, help="weight of the mode of the patches, of the others' 1"
    )
    omega: float = parameter(
        default=1e4, low=1e-6, unit="grey levels²", help="threshold of the log sum at first"
    )
    rho: float = parameter(default=1.2, low=1, help="factor of the penalties after each round")
    tv_penalty: float = parameter(default=1.2, low=1e-6, help="penalty of the total variation")
    energy_ratio: float = parameter(
        default=0.1, low=0, high=1, help="singular values of this share of the first are counted"
    )
    log_offset: float = parameter(
        default=1e-6, low=1e-12, help="added to a singular value in its logarithm"
    )
    epsilon: float = epsilon_parameter()
    sigma_gradient: float = sigma_gradient_parameter(2.0)
    sigma_window: float = sigma_window_parameter(9.0)
    tolerance: float = parameter(default=1e-4, low=0, help="stop at this relative change")
    max_iter: int = parameter(default=20, low=1, help="rounds at most")
    recompose: Recomposition = recompose_parameter("overwrite")

    def local_prior(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """How corner-like each pixel is by the structure tensor, in [0, 1]."""
        return corner_strength(image, self.sigma_gradient, self.sigma_window)

    def split(self, data: NDArray[np.float64], prior: NDArray[np.float64]) -> Decomposition:
        """Split an ``(n, h, w)`` tensor of patches, with the patches of the prior."""
        n, h, w = data.shape
        shares = np.array([1.0, 1.0, self.theta]) / (2 + self.theta)
        mus, beta = shares / self.omega, _FIRST_PENALTY
        sparsity = self.varpi / np.sqrt(max(n, h) * w)
        # A prior of 0 is a cost beyond any grey level, and not infinity.
        cost = leading_rank(data, self.energy_ratio) / np.maximum(prior, 1e-200)
        weight = np.ones_like(data)
        background, target, work = (np.zeros_like(data) for _ in range(3))
        # All duals are kept divided by their penalties, which grow by one factor.
        dual = np.zeros_like(data)
        mode_duals = [np.zeros_like(data) for _ in _AXES]
        variation = _TotalVariation(data, self.tv_penalty)
        norm = float(np.linalg.norm(data))
        # Weights of a mean, the same in all rounds.
        data_share, *mode_shares = [float(mu / (beta + mus.sum())) for mu in (beta, *mus)]
        for iteration in range(1, self.max_iter + 1):  # noqa: B007
            threshold = float(shares[0] / mus[0])
            mean = data - target
            mean += dual
            mean *= data_share
            for axis, share, mode_dual in zip(_AXES, mode_shares, mode_duals, strict=True):
                np.add(background, mode_dual, out=work)
                low_rank = log_shrinkage(work, axis, threshold, self.log_offset, share=share)
                low_rank -= mode_dual
                low_rank *= share
                mean += low_rank
            previous, background = background, mean
            gap = data - background
            weight *= sparsity / beta
            np.add(gap, dual, out=target)
            target -= weight
            np.maximum(target, 0.0, out=target)
            np.add(target, self.epsilon, out=weight)
            np.divide(cost, weight, out=weight)
            differences = variation.step(background, beta)
            size = float(np.linalg.norm(previous))
            previous -= background
            gap -= target
            if float(np.linalg.norm(previous)) < self.tolerance * size:
                break
            dual += gap
            dual *= 1 / self.rho
            for mode_dual, difference in zip(mode_duals, differences, strict=True):
                mode_dual += background
                mode_dual -= difference
                mode_dual *= 1 / self.rho
            beta *= self.rho
            mus *= self.rho
        return Decomposition(target, background, iteration, float(np.linalg.norm(gap)) / norm)


_AXES = (1, 2, 0)
"""Rows, columns and patches of an ``(n, h, w)`` tensor: modes 1, 2 and 3 of the paper."""

_SYSTEM_AXES = (1, 0)
"""Those that the linear system of the total variation couples."""


class _TotalVariation:
    """The variables of the total variation, as the published code moves them.

    Parameters
    ----------
    data : (n, h, w) ndarray of float64
    penalty : float
        Called r in the equations.
    """

    def __init__(self, data: NDArray[np.float64], penalty: float) -> None:
        self._data, self._penalty = data, penalty
        self._smooth = np.zeros_like(data)
        # The duals are kept divided by the penalty; both start at 1 undivided.
        self._dual = np.full_like(data, 1 / penalty)
        # Of each axis, the variable plus its dual, and the dual.
        self._sums = [np.full_like(data, 1 + 1 / penalty) for _ in _AXES]
        self._sum_duals = [np.full_like(data, 1 / penalty) for _ in _AXES]
        self._work, self._differences = np.empty_like(data), [np.empty_like(data) for _ in _AXES]
        n, h, _ = data.shape
        # The system has no differences along the columns: they need no Fourier transform.
        patches = 4 * np.sin(np.pi * np.arange(n // 2 + 1) / n) ** 2
        rows = 4 * np.sin(np.pi * np.arange(h) / h) ** 2
        self._system = 1 / (1 + rows[None, :, None] + 2 * patches[:, None, None])

    def step(self, background: NDArray[np.float64], beta: float) -> list[NDArray[np.float64]]:
        """Follow the background; the differences along rows, columns and patches.

        They are overwritten by the next step.
        """
        from scipy import fft

        work, differences = self._work, self._differences
        right = background - self._dual
        for axis, total in zip(_AXES, self._sums, strict=True):
            right += _difference(total, axis, self._smooth, work)
        spectrum = fft.rfftn(right, axes=_SYSTEM_AXES)
        spectrum *= self._system
        self._smooth = fft.irfftn(
            spectrum, s=[right.shape[axis] for axis in _SYSTEM_AXES], axes=_SYSTEM_AXES
        )
        self._dual -= background
        self._dual += self._smooth
        for axis, total, dual, difference in zip(
            _AXES, self._sums, self._sum_duals, differences, strict=True
        ):
            _difference(self._smooth, axis, self._data, difference)
            # The next variable is v = max(difference - dual - c, 0), and the next dual
            # dual + v - difference, which is max(dual - difference, -c).
            rest = np.subtract(dual, difference, out=total)
            np.maximum(rest, -beta / self._penalty, out=dual)
            np.subtract(dual, rest, out=total)
            total += dual
        return differences


def _difference(
    tensor: NDArray[np.float64],
    axis: int,
    closing: NDArray[np.float64],
    out: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Forward differences; the last slice is the first less the last of ``closing``."""
    to, of = np.moveaxis(out, axis, 0), np.moveaxis(tensor, axis, 0)
    np.subtract(of[1:], of[:-1], out=to[:-1])
    ends = np.moveaxis(closing, axis, 0)
    np.subtract(ends[0], ends[-1], out=to[-1])
    return out
