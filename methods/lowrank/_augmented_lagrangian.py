"""The inexact augmented Lagrangian method for robust principal component analysis."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._robust_pca import BLOCK_ELEMENTS, RobustPCA, block_slices, rank_one_parts
from ._singular_values import leading_singular_values, threshold_singular_values


@dataclass(frozen=True)
class AugmentedLagrangian:
    """Settings of the inexact augmented Lagrangian method.

    It minimises ``||A||_* + weight ||E||_1`` with ``A + E = D``. [1]_

    Attributes
    ----------
    weight : float
        Of the sparse part; lambda in the papers.
    mu_start : float
        First penalty, relative to the inverse of the spectral norm of D.
    mu_growth : float
        Factor of the penalty after each iteration, above 1.
    mu_ceiling : float
        Greatest penalty, relative to the first.
    tolerance : float
        Norm of D - A - E, relative to that of D, to stop at.
    max_iterations : int

    References
    ----------
    .. [1] Z. Lin, M. Chen, Y. Ma, "The Augmented Lagrange Multiplier Method for Exact
       Recovery of Corrupted Low-Rank Matrices", arXiv:1009.5055, 2010, algorithm 5.
    """

    weight: float
    mu_start: float
    mu_growth: float
    mu_ceiling: float
    tolerance: float
    max_iterations: int


def augmented_lagrangian(data: NDArray[np.float64], settings: AugmentedLagrangian) -> RobustPCA:
    """Split a matrix into a low-rank and a sparse part that add up to it.

    Parameters
    ----------
    data : (M, N) ndarray of float64
        Not modified. Four more matrices of this size are allocated.
    settings : AugmentedLagrangian

    Returns
    -------
    RobustPCA
    """
    leading = leading_singular_values(data, 2)
    trivial = rank_one_parts(data, leading)
    if trivial is not None:
        return trivial
    data = np.ascontiguousarray(data)
    spectral, norm = float(leading[0]), float(np.linalg.norm(data))
    mu = settings.mu_start / spectral
    greatest_mu = mu * settings.mu_ceiling
    # The multiplier starts on the boundary of the dual feasible set, and is kept divided by mu.
    dual_norm = max(spectral, float(np.abs(data).max()) / settings.weight)
    multiplier = data / (dual_norm * mu)
    low_rank, sparse = np.zeros_like(data), np.empty_like(data)
    target = np.empty_like(data)
    iterations, rank, stopped_by = 0, 0, "iterations"
    while iterations < settings.max_iterations:
        _soften(data, low_rank, multiplier, sparse, target, settings.weight / mu)
        _, kept = threshold_singular_values(target, 1 / mu, out=low_rank, expected_rank=rank)
        iterations, rank = iterations + 1, len(kept)
        next_mu = min(mu * settings.mu_growth, greatest_mu)
        residual = _ascend(data, low_rank, multiplier, sparse, mu / next_mu)
        mu = next_mu
        if residual <= settings.tolerance * norm:
            stopped_by = "tolerance"
            break
    return RobustPCA(low_rank, sparse, iterations, rank, stopped_by)


def _soften(
    data: NDArray[np.float64],
    low_rank: NDArray[np.float64],
    multiplier: NDArray[np.float64],
    sparse: NDArray[np.float64],
    target: NDArray[np.float64],
    threshold: float,
) -> None:
    """Find E, and the matrix whose thresholding gives the next A, in cache-size blocks."""
    arrays = [array.reshape(-1) for array in (data, low_rank, multiplier, sparse, target)]
    for block in block_slices(data.size):
        D, A, Y, E, T = (array[block] for array in arrays)
        np.subtract(D, A, out=E)
        np.add(E, Y, out=E)
        np.clip(E, -threshold, threshold, out=T)
        np.subtract(E, T, out=E)
        # D - E + Y, as E takes what the clipping leaves of D - A + Y.
        np.add(T, A, out=T)


def _ascend(
    data: NDArray[np.float64],
    low_rank: NDArray[np.float64],
    multiplier: NDArray[np.float64],
    sparse: NDArray[np.float64],
    rescale: float,
) -> float:
    """Add D - A - E to the multiplier and bring it to the next mu; the norm of D - A - E."""
    arrays = [array.reshape(-1) for array in (data, low_rank, multiplier, sparse)]
    buffer = np.empty(BLOCK_ELEMENTS)
    square = 0.0
    for block in block_slices(data.size):
        D, A, Y, E = (array[block] for array in arrays)
        rest = buffer[: D.size]
        np.subtract(D, A, out=rest)
        np.subtract(rest, E, out=rest)
        square += float(rest @ rest)
        np.add(Y, rest, out=Y)
        np.multiply(Y, rescale, out=Y)
    return math.sqrt(square)
