"""The accelerated proximal gradient method for robust principal component analysis."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._robust_pca import BLOCK_ELEMENTS, RobustPCA, block_slices, rank_one_parts
from ._singular_values import leading_singular_values, threshold_singular_values


@dataclass(frozen=True)
class ProximalGradient:
    """Settings of the accelerated proximal gradient method.

    It minimises ``mu (||A||_* + weight ||E||_1) + ||D - A - E||_F² / 2`` while mu
    falls from the second singular value of D. [1]_

    Attributes
    ----------
    weight : float
        Of the sparse part; lambda in the papers.
    mu_decay : float
        Factor of mu after each iteration, in (0, 1].
    mu_floor : float
        Least mu, relative to the fourth singular value of D.
    tolerance : float
        Norm of the gradient step, relative to that of (A, E), to stop at.
    max_iterations : int
    max_rank_share : float
        Stop when the rank of A exceeds this share of the shorter side of D.
    patience, card_change : int
        Stop when the rank of A has not changed for more than ``patience`` iterations and
        the number of non-zeros of E changed by less than ``card_change`` in the last one.

    References
    ----------
    .. [1] Z. Lin, A. Ganesh, J. Wright, L. Wu, M. Chen, Y. Ma, "Fast Convex
       Optimization Algorithms for Exact Recovery of a Corrupted Low-Rank Matrix",
       UIUC Technical Report UILU-ENG-09-2214, 2009.
    """

    weight: float
    mu_decay: float
    mu_floor: float
    tolerance: float
    max_iterations: int
    max_rank_share: float
    patience: int
    card_change: int


def proximal_gradient(data: NDArray[np.float64], settings: ProximalGradient) -> RobustPCA:
    """Split a matrix into a low-rank and a sparse part.

    Both parts take their gradient step from one point, so that the steps add up to D:
    the method needs the difference X = A - E alone, with

    ``G = (D + X_k + momentum (X_k - X_{k-1})) / 2``, ``A = svt(G, mu / 2)``,
    ``E = soft(D - G, weight mu / 2)``.

    The first step thresholds D / 2 with half the second singular value of D: an exact
    tie, which is decided here, as "greater than" in exact arithmetic does: rank 1.

    Parameters
    ----------
    data : (M, N) ndarray of float64
        C-contiguous; not modified. Four more matrices of this size are allocated, three
        of min(M, N) squared and one of 0.3 M N.
    settings : ProximalGradient

    Returns
    -------
    RobustPCA
    """
    leading = leading_singular_values(data, 4)
    trivial = rank_one_parts(data, leading)
    if trivial is not None:
        return trivial
    mu, least_mu = float(leading[1]), settings.mu_floor * float(leading[3])

    data = np.ascontiguousarray(data)
    point = data / 2  # G of the first step, from X = 0
    low_rank, sparse = np.empty_like(data), np.empty_like(data)
    difference = np.zeros_like(data)  # X
    most_rank = settings.max_rank_share * min(data.shape)
    t = 1.0
    rank = card = unchanged = 0
    stopped_by = "iterations"
    for iteration in range(1, settings.max_iterations + 1):
        _, kept = threshold_singular_values(point, mu / 2, out=low_rank, expected_rank=rank)
        previous_rank, rank = rank, len(kept) if iteration > 1 else 1
        previous_t, t = t, (1 + math.sqrt(1 + 4 * t * t)) / 2
        momentum = (previous_t - 1) / t
        previous_card = card
        card, energy, step = _shrink_and_advance(
            data, point, low_rank, sparse, difference, settings.weight * mu / 2, momentum
        )
        energy += float(np.sum((kept - mu / 2) ** 2))
        unchanged = unchanged + 1 if rank == previous_rank else 0
        mu = max(settings.mu_decay * mu, least_mu)

        # Both parts moved by the same, with opposite signs: hence the factor of two.
        if math.sqrt(2 * step) <= settings.tolerance * 2 * max(1.0, math.sqrt(energy)):
            stopped_by = "tolerance"
        elif rank > most_rank:
            stopped_by = "rank"
        elif unchanged > settings.patience and abs(card - previous_card) < settings.card_change:
            stopped_by = "patience"
        else:
            continue
        break
    return RobustPCA(low_rank, sparse, iteration, rank, stopped_by)


def _shrink_and_advance(
    data: NDArray[np.float64],
    point: NDArray[np.float64],
    low_rank: NDArray[np.float64],
    sparse: NDArray[np.float64],
    difference: NDArray[np.float64],
    threshold: float,
    momentum: float,
) -> tuple[int, float, float]:
    """Do all that goes entry by entry: find E, and the point of the next step.

    Overwrites ``sparse``, ``difference`` and ``point``. Works on blocks that stay in the
    cache, since every pass over whole matrices would wait for the memory.

    Returns
    -------
    card : int
        Number of non-zeros of E.
    energy : float
        Squared norm of E.
    step : float
        Squared norm of the gradient step of A less its result, which is that of E too.
    """
    card, energy, step = 0, 0.0, 0.0
    arrays = [array.reshape(-1) for array in (data, point, low_rank, sparse, difference)]
    buffer = np.empty(BLOCK_ELEMENTS)
    for block in block_slices(data.size):
        D, G, A, E, X = (array[block] for array in arrays)
        inside = buffer[: D.size]
        np.subtract(D, G, out=E)
        np.clip(E, -threshold, threshold, out=inside)
        np.subtract(E, inside, out=E)
        card += int(np.count_nonzero(E))
        energy += float(E @ E)
        # (G - A) - (D - G - E): how far both parts are from where they were looked for.
        np.subtract(G, A, out=G)
        np.subtract(G, inside, out=G)
        step += float(G @ G)
        np.multiply(X, -momentum, out=G)
        np.subtract(A, E, out=X)
        np.multiply(X, 1 + momentum, out=inside)
        np.add(G, inside, out=G)
        np.add(G, D, out=G)
        np.multiply(G, 0.5, out=G)
    return card, energy, step
