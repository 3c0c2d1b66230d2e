"""Shrinkage of singular values, of matrices and of the frontal slices of a tensor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Eigenvalues of a Gram matrix are squares: below this fraction of the largest singular
# value, too few of their digits are left, and a singular value decomposition is due.
_GRAM_LIMIT = 1e-6

# Up to this size LAPACK's all-in-one driver beats its three steps called one by one.
_SMALL = 64


def clip_singular_values(
    matrix: NDArray[np.float64], ceiling: float, *, out: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Lower every singular value above a ceiling to it.

    This is the matrix less its singular value thresholding,
    ``M - U max(S - ceiling, 0) V'``, from the eigenvectors of the smaller Gram
    matrix. Time O(m² n) for an ``m x n`` matrix with m ≤ n, without a singular
    value decomposition of it.

    Parameters
    ----------
    matrix : (M, N) ndarray of float64
    ceiling : float
        Non-negative.
    out : (M, N) ndarray of float64, optional
        C-contiguous memory for the result; must not overlap ``matrix``.

    Returns
    -------
    (M, N) ndarray of float64
        ``out``, or a new array. Its error is that of a singular value decomposition, a few
        units in the last place of the largest singular value, for the singular
        vectors far above the ceiling; for those near it, larger by the ratio of
        the two, at most by 1e6.
    """
    if out is None:
        out = np.empty(matrix.shape)
    tall = matrix.shape[0] > matrix.shape[1]
    short = matrix.T if tall else matrix
    m, n = short.shape
    values, vectors = _eigenpairs_above(short @ short.T, ceiling**2)
    if values.size == 0:
        out[...] = matrix
        return out
    largest = np.sqrt(values[-1])
    if ceiling <= _GRAM_LIMIT * largest:
        u, s, vh = np.linalg.svd(matrix, full_matrices=False)
        return np.matmul(u * np.minimum(s, ceiling), vh, out=out)
    removed = 1.0 - ceiling / np.sqrt(values)
    rank = len(values)
    # Multiplications of the thin products against those of one dense multiplier.
    if 4 * rank * n <= (rank + 2 * n) * m:
        if tall:
            np.matmul(matrix @ vectors, (vectors * removed).T, out=out)
        else:
            np.matmul(vectors * removed, vectors.T @ matrix, out=out)
        return np.subtract(matrix, out, out=out)
    root = vectors * np.sqrt(removed)
    multiplier = root @ root.T
    np.negative(multiplier, out=multiplier)
    multiplier[np.diag_indices(m)] += 1.0
    # Symmetric: from either side, so that the result is written row by row.
    return np.matmul(*((matrix, multiplier) if tall else (multiplier, matrix)), out=out)


def partial_slice_shrinkage(
    tensor: NDArray[np.float64], threshold: float, n_kept: int
) -> NDArray[np.float64]:
    """Shrink the singular values of the Fourier slices of a tensor, but the largest ones.

    The tensor is transformed along its first axis; of each slice the ``n_kept``
    largest singular values stay and the others lose ``threshold``, down to 0. It
    is the proximal operator of the partial sum of the tensor nuclear norm.

    Parameters
    ----------
    tensor : (n, h, w) ndarray of float64
    threshold : float
        Non-negative.
    n_kept : int

    Returns
    -------
    (n, h, w) ndarray of float64
    """
    from scipy import fft

    # The other half of the slices are complex conjugates of these.
    slices = fft.rfft(tensor, axis=0)
    u, s, vh = np.linalg.svd(slices, full_matrices=False)
    s[:, n_kept:] = np.maximum(s[:, n_kept:] - threshold, 0.0)
    # Singular values descend: what no slice has left over is a common tail.
    rank = int(np.count_nonzero(s.any(axis=0)))
    shrunk = (u[:, :, :rank] * s[:, None, :rank]) @ vh[:, :rank]
    return np.asarray(fft.irfft(shrunk, n=tensor.shape[0], axis=0))


def _eigenpairs_above(
    gram: NDArray[np.float64], floor: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eigenvalues above a positive floor, ascending, and their eigenvectors as columns."""
    if len(gram) <= _SMALL:
        values, vectors = np.linalg.eigh(gram)
        first = int(np.searchsorted(values, floor, side="right"))
        return values[first:], vectors[:, first:]
    from scipy.linalg import eigh_tridiagonal, lapack

    # LAPACK's drivers transform all eigenvectors back, or find a part of them slowly.
    # Step by step, only those that are wanted pay for the way back.
    size = len(gram)
    block = int(lapack.dsytrd_lwork(size, lower=1)[0])
    reflectors, diagonal, off_diagonal, tau, _ = lapack.dsytrd(
        gram.T, lower=1, lwork=block, overwrite_a=1
    )
    values, vectors = eigh_tridiagonal(diagonal, off_diagonal, check_finite=False)
    values, vectors = values.astype(np.float64, copy=False), vectors.astype(np.float64, copy=False)
    first = int(np.searchsorted(values, floor, side="right"))
    vectors = vectors[:, first:]
    if vectors.shape[1] == 0:
        return values[first:], vectors
    # The reflectors leave the first coordinate alone: those of a QR decomposition of size - 1.
    vectors[1:], _, _ = lapack.dormqr(
        "L", "N", reflectors[1:, :-1], tau, vectors[1:], 64 * vectors.shape[1]
    )
    return values[first:], vectors
