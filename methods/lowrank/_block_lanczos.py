"""The leading singular triplets of a large matrix, without a decomposition of all of it.

A block Lanczos bidiagonalisation [1]_ with full reorthogonalisation: a few hundred products
with vectors do the work of a Gram matrix and its complete eigendecomposition. It works on
the matrix and not on its Gram matrix, so that small singular values keep their digits.

What it finds depends on the vectors that it starts from: of forty equal singular values, a
start of sixteen vectors shows sixteen. So what is left, when the triplets that were found are taken
out, is probed by k steps from b other random vectors: Lanczos from one of them underestimates
the greatest of d eigenvalues by a share of e with a probability of at most
``1.648 sqrt(d) exp(-sqrt(e) (2 k - 1))`` [2]_, whatever the matrix, and from all of them with
the b-th power of that.

References
----------
.. [1] G. H. Golub, F. T. Luk, M. L. Overton, "A Block Lanczos Method for Computing the Singular
   Values and Corresponding Singular Vectors of a Matrix", ACM Transactions on Mathematical
   Software 7(2), 1981, doi 10.1145/355945.355946.
.. [2] J. Kuczyński, H. Woźniakowski, "Estimating the Largest Eigenvalue by the Power and Lanczos
   Algorithms with a Random Start", SIAM J. Matrix Analysis and Applications 13(4), 1992,
   doi 10.1137/0613066.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_BLOCK = 16
"""Vectors that a product takes at a time: with fewer, reading the matrix is most of it."""

_GREATEST_SHARE = 0.25
"""Of the shorter side, the vectors beyond which a complete decomposition is as fast."""

_SPARE = 3.0
"""Vectors to search for each that is wanted: with fewer, a start is of no use."""

_FIRST_LOOK = 6
_GROWTH = 1.2
"""Steps before the first look at what has converged, and from one look to the next."""

_CONVERGED = 2.0**-52
"""Residual of a triplet, relative to the greatest singular value."""

_EXHAUSTED = 1e-12
"""What a step adds, relative to the greatest singular value, at which nothing is left."""

_PROBES = 8
_PROBE_STEPS = 12
"""Vectors and steps that probe what is left."""

_RISK = 1e-12
"""Probability that they do not show a singular value that was missed."""


class Triplets(NamedTuple):
    """Singular triplets of ``left @ diag(values) @ right``, values descending.

    Attributes
    ----------
    left : (M, R) ndarray of float64
    values : (R,) ndarray of float64
    right : (R, N) ndarray of float64
    """

    left: NDArray[np.float64]
    values: NDArray[np.float64]
    right: NDArray[np.float64]


def leading_triplets(
    matrix: NDArray[np.float64], floor: float, at_least: int = 0
) -> Triplets | None:
    """The singular triplets above a floor, and at least the ``at_least`` greatest.

    Parameters
    ----------
    matrix : (M, N) ndarray of float64
        C-contiguous, or the transpose of a matrix that is.
    floor : float
        Positive.
    at_least : int

    Returns
    -------
    Triplets or None
        Their error is that of a complete singular value decomposition. None where they are
        so many, or the next singular values so near, that a complete decomposition is
        faster, or where the matrix has the rank of a few blocks.
    """
    most = int(_GREATEST_SHARE * min(matrix.shape)) // _BLOCK
    if most < _FIRST_LOOK or _SPARE * at_least > most * _BLOCK:
        return None
    generator = np.random.default_rng(0)
    search = _Search(matrix, None, generator.standard_normal((_BLOCK, matrix.shape[1])), most)
    look = max(_FIRST_LOOK, math.ceil(2 * at_least / _BLOCK))
    for n_steps in range(1, most + 1):
        if not search.step():
            return None
        if n_steps < min(look, most):
            continue
        look = math.ceil(_GROWTH * n_steps)
        found, residuals = search.triplets()
        wanted = max(at_least, int(np.count_nonzero(found.values > floor)))
        if _SPARE * wanted > most * _BLOCK:
            return None
        converged = residuals[:wanted] <= _CONVERGED * found.values[0]
        if not converged.all() or wanted == len(residuals):
            continue
        least = min(floor, float(found.values[wanted - 1])) if wanted else floor
        # Others need not have converged to be taken out: by their residuals together, at most,
        # the singular values of the parts differ from the matrix's.
        together = np.sqrt(np.cumsum(residuals**2))
        n_known = int(np.searchsorted(together, (least - float(found.values[wanted])) / 2))
        if n_known < max(wanted, 1):
            continue
        known = search.combined(found, n_known)
        probes = generator.standard_normal((_PROBES, matrix.shape[1]))
        if _rest_is_below(least - float(together[n_known - 1]), matrix, known, probes):
            return Triplets(known.left[:, :wanted], known.values[:wanted], known.right[:wanted])
    return None


def _rest_is_below(
    ceiling: float, matrix: NDArray[np.float64], known: Triplets, probes: NDArray[np.float64]
) -> bool:
    """Whether a matrix without known triplets has no singular value above a ceiling."""
    search = _Search(matrix, known, probes, _PROBE_STEPS)
    exponent = math.log(1.648 * math.sqrt(matrix.shape[1])) - math.log(_RISK) / _PROBES
    for n_steps in range(1, _PROBE_STEPS + 1):
        if not search.step():
            return False
        # The square root of e.
        root = exponent / (2 * n_steps - 1)
        if root < 1 and search.greatest() <= ceiling * math.sqrt(1 - root**2):
            return True
    return False


class _Search:
    """Krylov spaces of a matrix, orthogonal to known singular vectors.

    Bases are kept as rows: ``A V' = U' B`` and ``A' U' = V' B' + V_next' C``, with the band
    matrix B and the triangle C that couples the last block to the next.

    Parameters
    ----------
    matrix : (M, N) ndarray of float64
    known : Triplets or None
    start : (b, N) ndarray of float64
        Overwritten.
    most : int
        Steps at most.
    """

    def __init__(
        self,
        matrix: NDArray[np.float64],
        known: Triplets | None,
        start: NDArray[np.float64],
        most: int,
    ) -> None:
        self._matrix, self._block = matrix, len(start)
        self._n_known = 0 if known is None else len(known.values)
        size = self._n_known + most * self._block
        self._lefts = np.empty((size, matrix.shape[0]))
        self._rights = np.empty((size + self._block, matrix.shape[1]))
        if known is not None:
            self._lefts[: self._n_known] = known.left.T
            self._rights[: self._n_known] = known.right
        self._band = np.zeros((most * self._block, most * self._block))
        self._coupling = np.zeros((self._block, self._block))
        self._size, self._scale = 0, 0.0
        _append(self._rights, self._n_known, start)

    def step(self) -> bool:
        """Extend the spaces by a block; False where the matrix has nothing to extend them by."""
        first, end = self._size, self._size + self._block
        from_row, to_row = self._n_known + first, self._n_known + end
        if first:
            self._band[first - self._block : first, first:end] = self._coupling.T
        images = self._rights[from_row:to_row] @ self._matrix.T
        diagonal = _append(self._lefts, from_row, images)
        self._band[first:end, first:end] = diagonal
        images = self._lefts[from_row:to_row] @ self._matrix
        self._coupling = _append(self._rights, to_row, images)
        self._size = end
        self._scale = max(self._scale, float(np.abs(diagonal).max()))
        added = min(float(np.abs(np.diag(new)).min()) for new in (diagonal, self._coupling))
        return added > _EXHAUSTED * self._scale

    def greatest(self) -> float:
        """The greatest singular value in the spaces."""
        return float(np.linalg.norm(self._band[: self._size, : self._size], 2))

    def triplets(self) -> tuple[Triplets, NDArray[np.float64]]:
        """Triplets of the band matrix; and the residuals that the matrix's have."""
        found = Triplets(*np.linalg.svd(self._band[: self._size, : self._size]))
        return found, np.linalg.norm(self._coupling @ found.left[-self._block :], axis=0)

    def combined(self, found: Triplets, count: int) -> Triplets:
        """The first triplets of the matrix, from those of the band matrix."""
        rows = slice(self._n_known, self._n_known + self._size)
        return Triplets(
            self._lefts[rows].T @ found.left[:, :count],
            found.values[:count],
            found.right[:count] @ self._rights[rows],
        )


def _append(
    basis: NDArray[np.float64], count: int, block: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Extend the first ``count`` orthonormal rows of a basis by those of a block.

    Returns the triangle F of ``block = projection + F' @ new rows``.
    """
    from scipy.linalg import qr

    known = basis[:count]
    factor: NDArray[np.float64] = np.eye(len(block))
    # Twice: the second time corrects what the rounding of the first has left.
    for _ in range(2):
        block -= (block @ known.T) @ known
        orthonormal, triangle = qr(block.T, mode="economic", overwrite_a=True, check_finite=False)
        block = np.asarray(orthonormal.T, dtype=np.float64)
        factor = np.asarray(triangle @ factor, dtype=np.float64)
    basis[count : count + len(block)] = block
    return factor
