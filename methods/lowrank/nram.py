"""NRAM: nonconvex rank approximation minimisation."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from irbench.detector import MethodInfo
from irbench.parameters import parameter

from ._block_lanczos import Triplets, leading_triplets
from ._followed_triplets import followed_triplets
from ._patch_tensor import Decomposition, Recomposition
from ._patch_tensor_method import (
    PatchTensorMethod,
    max_iter_parameter,
    patch_parameter,
    recompose_parameter,
    step_parameter,
    tolerance_parameter,
)
from ._robust_pca import row_blocks

_RANK_ROUNDS = 100
_RANK_CHANGE = 1e-6
"""The fixed-point rounds of the singular values end at this squared step, as published."""

_WEIGHT_FLOOR = 0.04
"""Added to the magnitude in the weight of an entry, as published."""

_GRAM_LIMIT = 1e-6
"""Threshold, relative to the greatest singular value, below which a Gram matrix is no use."""


_POWER_ROUNDS = 20
_POWER_CHANGE = 1e-14
"""Rounds, and the change of an entry of a unit vector that ends them."""


class NRAM(PatchTensorMethod):
    """Nonconvex rank approximation minimisation with an l2,1 norm for strong edges.

    The patches of the image, scaled to [0, 1] together, are the columns of a matrix
    ``D = L + S + E``: background, targets, and whole patches with edges. [1]_

    ``min |L|_gamma + lambda |S|_(w,1) + beta |E|_(2,1)  subject to  L + S + E = D``,

    where the gamma norm sums ``(1 + gamma) s / (gamma + s)`` over the singular values,
    ``lambda = 1 / sqrt(k)`` and ``beta = 3 / sqrt(k)`` for the shorter side k of D, and the
    weight of an entry is ``sqrt(k) / 2.5 / (|S| + 0.04)``. The map is ``S`` laid back onto
    the image, in units of the image's range.

    The published code differs from the paper in two respects, which are kept. In the step
    of S, the threshold of negative entries lacks the division by the penalty mu, so that
    practically only bright targets survive; ``signed=True`` divides both. And the last
    patch over a pixel overwrites the others, so that a map may be 0 although S is not;
    ``recompose="mean"`` takes their mean.

    Gain and offset do not change the map. An image of one value has the map 0. Patches
    larger than the image shrink to it, which is ours.

    With n patches of p pixels an iteration costs O(n p r) for the r singular values that pass,
    25 to 330 of 2304 on images of 512x512, and O(n p min(n, p)) where they are many at first;
    there are 7 to 27. Memory: about eight matrices of n p float64, 80 MB for an image of
    256x256, 1.7 GB for 1024x1024.

    Parameters
    ----------
    patch : int
        Side of a patch, in pixels. Default 50.
    step : int
        Stride of the patches, in pixels, at most ``patch``. Default 10.
    sparsity : float
        lambda times sqrt(k). Default 1.
    edge_weight : float
        beta times sqrt(k). Default 3.
    weight_divisor : float
        sqrt(k) over this is the numerator of the weights. Default 2.5.
    gamma : float
        Of the rank surrogate. Default 0.002.
    mu_scale : float
        First penalty over the root of the longer side of D. Default 3.
    rho : float
        Factor of the penalty after each iteration. Default 1.1.
    signed : bool
        Treat negative entries of S as positive ones, as the paper does. Default False.
    tolerance : float
        Stops at ``|D - L - S - E| < tolerance |D|``. Default 1e-7.
    max_iter : int
        Default 1000.
    recompose : {"overwrite", "mean"}
        Default "overwrite".

    References
    ----------
    .. [1] L. Zhang, L. Peng, T. Zhang, S. Cao, Z. Peng, "Infrared Small Target Detection via
       Non-Convex Rank Approximation Minimization Joint l2,1 Norm", Remote Sensing 10(11),
       1821, 2018, doi 10.3390/rs10111821.
    """

    info = MethodInfo(
        name="nram",
        title="NRAM",
        group="Low-rank and Sparse Decomposition",
        year=2018,
        default=False,
        extended=True,
        reference=(
            "L. Zhang, L. Peng, T. Zhang, S. Cao, Z. Peng, Infrared Small Target Detection via "
            "Non-Convex Rank Approximation Minimization Joint l2,1 Norm, Remote Sensing 10(11), "
            "1821, 2018, doi 10.3390/rs10111821"
        ),
    )
    patch: int = patch_parameter(50)
    step: int = step_parameter(10)
    sparsity: float = parameter(default=1.0, low=0.0, help="lambda times the root of D's side")
    edge_weight: float = parameter(default=3.0, low=0.0, help="beta times the root of D's side")
    weight_divisor: float = parameter(
        default=2.5, low=1e-6, help="the root of D's side over this weighs the entries"
    )
    gamma: float = parameter(default=0.002, low=1e-9, help="of the rank surrogate")
    mu_scale: float = parameter(
        default=3.0, low=1e-9, help="first penalty over the root of D's longer side"
    )
    rho: float = parameter(default=1.1, low=1.001, help="factor of the penalty per iteration")
    signed: bool = parameter(
        default=False, help="also divide the threshold of negative entries by the penalty"
    )
    tolerance: float = tolerance_parameter(1e-7)
    max_iter: int = max_iter_parameter(1000)
    recompose: Recomposition = recompose_parameter("overwrite")

    def decompose(self, image: NDArray[np.float64]) -> Decomposition:
        """Split an ``(H, W)`` image; both parts in units of its range, the target signed."""
        if image.min() == image.max():
            return Decomposition(np.zeros_like(image), np.zeros_like(image), 0, 0.0)
        grid = self.grid(image)
        tensor = grid.gather(image)
        data = tensor.reshape(len(tensor), -1)
        data -= data.min()
        data /= data.max()
        shape = tensor.shape
        return self._split(data).map(
            lambda matrix: grid.recompose(matrix.reshape(shape), self.recompose)
        )

    def _split(self, data: NDArray[np.float64]) -> Decomposition:
        """Alternate over the ``(n_patches, pixels)`` matrix."""
        root = math.sqrt(min(data.shape))
        mu = self.mu_scale * math.sqrt(max(data.shape))
        norm = float(np.linalg.norm(data))
        sparse, edges, dual = np.zeros_like(data), np.zeros_like(data), np.zeros_like(data)
        # What the low-rank part is shrunk from.
        rest = data.copy()
        low_rank: Triplets | None = None
        # The multiplier is kept divided by the penalty, as it is used.
        for iteration in range(1, self.max_iter + 1):  # noqa: B007
            low_rank = gamma_shrinkage(rest, low_rank, self.gamma, mu)
            left, right = low_rank.left * low_rank.values, low_rank.right
            square = 0.0
            for rows in row_blocks(data.shape):
                shifted = data[rows] - dual[rows]
                shifted -= left[rows] @ right
                sparse[rows] = self._sparse(shifted - edges[rows], root, mu)
                shifted -= sparse[rows]
                edges[rows] = shrink_rows(shifted, self.edge_weight / root / mu)
                gap = shifted
                gap += dual[rows]
                gap -= edges[rows]
                square += float(np.vdot(gap, gap))
                dual[rows] -= gap
                dual[rows] /= self.rho
                np.subtract(data[rows], dual[rows], out=gap)
                gap -= sparse[rows]
                np.subtract(gap, edges[rows], out=rest[rows])
            residual = math.sqrt(square) / norm
            if residual < self.tolerance:
                break
            mu *= self.rho
        background = np.matmul(left, right, out=rest)
        background += edges
        return Decomposition(sparse, background, iteration, residual)

    def _sparse(self, values: NDArray[np.float64], root: float, mu: float) -> NDArray[np.float64]:
        """Shrink each entry by its own weight."""
        # lambda times the weight of the paper.
        weight = np.abs(values)
        weight += _WEIGHT_FLOOR
        np.divide(self.sparsity / self.weight_divisor, weight, out=weight)
        positive = np.maximum(values - weight / mu, 0.0)
        if self.signed:
            weight /= mu
        weight += values
        return np.asarray(np.add(positive, np.minimum(weight, 0.0), out=positive))


def shrink_rows(matrix: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """Lower the Euclidean norm of every row by a threshold, and to 0 below it."""
    norms = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
    factors = np.zeros_like(norms)
    np.divide(norms - threshold, norms, out=factors, where=norms > threshold)
    return np.asarray(matrix * factors[:, None])


def gamma_shrinkage(
    matrix: NDArray[np.float64], start: Triplets | None, gamma: float, mu: float
) -> Triplets:
    """One step of the low-rank part, by the difference of convex functions.

    Parameters
    ----------
    matrix : (M, N) ndarray of float64
    start : Triplets or None
        Of the low-rank part of the step before. None is 0.
    gamma, mu : float
        Positive.

    Returns
    -------
    Triplets
        Those of the low-rank part, of positive singular values.
    """
    if matrix.shape[0] > matrix.shape[1]:
        turned = start and Triplets(start.right.T, start.values, start.left.T)
        left, values, right = gamma_shrinkage(matrix.T, turned, gamma, mu)
        return Triplets(right.T, values, left.T)
    # Where the step before has 0, a value passes above this threshold only. All others stay 0.
    threshold = (1 + gamma) / gamma / mu
    triplets = None
    if start is not None:
        triplets = followed_triplets(matrix, start.left, threshold)
    old = np.zeros(0) if start is None else start.values
    if triplets is None:
        triplets = leading_triplets(matrix, threshold, at_least=len(old))
    if triplets is None:
        return _shrunk_completely(matrix, old, gamma, mu)
    left, singular, right = triplets
    values = _shrunk(singular, old, gamma, mu)
    rank = int(np.count_nonzero(values))
    return Triplets(left[:, :rank], values[:rank], right[:rank])


def _shrunk_completely(
    short: NDArray[np.float64], start: NDArray[np.float64], gamma: float, mu: float
) -> Triplets:
    """The step of a wide matrix from all of its singular values."""
    singular, vectors = _left_vectors(short)
    kept = _shrunk(singular, start, gamma, mu) > 0
    if kept.any() and singular[kept].min() <= _GRAM_LIMIT * singular[0]:
        left, singular, right = np.linalg.svd(short, full_matrices=False)
    else:
        # The small eigenvalues have lost half their digits; the decomposition of the few rows
        # that are kept has not.
        basis = vectors[:, kept]
        rotation, singular, right = np.linalg.svd(basis.T @ short, full_matrices=False)
        left = basis @ rotation
    values = _shrunk(singular, start, gamma, mu)
    rank = int(np.count_nonzero(values))
    return Triplets(left[:, :rank], values[:rank], right[:rank])


def _left_vectors(
    short: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Singular values, descending, and left singular vectors of a wide matrix.

    From its Gram matrix, whose rounding, relative to the square of the greatest singular value,
    would drown the others: an image's patches have one that is five to seventy times the next
    on the twelve images with maps of the authors' code: their mean. It is taken out first, by power
    iteration, which then converges in few rounds.
    """
    leading = short.sum(axis=1)
    leading /= float(np.linalg.norm(leading)) or 1.0
    found = False
    for _ in range(_POWER_ROUNDS):
        projection = leading @ short
        length = float(np.linalg.norm(projection))
        update = short @ projection / (length**2 or 1.0)
        found = bool(np.abs(update - leading).max() < _POWER_CHANGE) and length > 0
        leading = update / (float(np.linalg.norm(update)) or 1.0)
        if found:
            break
    rest = short - np.outer(leading, leading @ short) if found else short
    squares, vectors = np.linalg.eigh(rest @ rest.T)
    singular = np.sqrt(np.maximum(squares[::-1], 0.0))
    vectors = vectors[:, ::-1]
    if found:
        # The last is the direction that was taken out.
        singular = np.concatenate([[length], singular[:-1]])
        vectors = np.column_stack([leading, vectors[:, :-1]])
    return singular, vectors


def _shrunk(
    singular: NDArray[np.float64], start: NDArray[np.float64], gamma: float, mu: float
) -> NDArray[np.float64]:
    """Fixed point of the shrinkage of descending singular values, from those of the step before.

    Of these, all beyond the given ones are 0.
    """
    values = np.zeros_like(singular)
    values[: len(start)] = start[: len(singular)]
    for _ in range(_RANK_ROUNDS):
        old = values
        values = np.maximum(singular - (1 + gamma) * gamma / (gamma + old) ** 2 / mu, 0.0)
        if ((values - old) ** 2).sum() < _RANK_CHANGE:
            break
    return values
