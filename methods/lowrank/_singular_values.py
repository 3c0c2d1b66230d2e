"""Singular value thresholding through the Gram matrix of the shorter side.

The proximal operator of the nuclear norm [1]_ needs only the singular values above
the threshold and the singular vectors of the shorter side, so that one symmetric
product and one symmetric eigendecomposition do the work of the SVD of a matrix
that is far longer than wide. Squaring loses half of the digits of the small singular
values: where that could matter, a QR decomposition takes the place of the product.

References
----------
.. [1] J.-F. Cai, E. J. Candès, Z. Shen, "A Singular Value Thresholding Algorithm for
   Matrix Completion", SIAM J. Optimization 20(4), 2010, doi 10.1137/080738970,
   Theorem 2.1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GRAM_RANGE = 1e-5
"""Smallest singular value, relative to the norm, that the Gram matrix is trusted with.

Its eigenvalues carry errors of a few times 2.2e-16 of the largest, so here the relative
error of a singular value is 1e-5, and 1e-10 of the norm.
"""

_PARTIAL_SHARE = 0.1
"""Share of the eigenvectors below which LAPACK's partial driver beats the complete one."""


def leading_singular_values(matrix: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The greatest singular values of a matrix.

    Parameters
    ----------
    matrix : (M, N) ndarray of float64
    count : int

    Returns
    -------
    (count,) ndarray of float64
        Descending; filled up with zeros beyond ``min(M, N)``.
    """
    from scipy.linalg import eigvalsh, qr, svdvals

    short = _wide(matrix)
    n = short.shape[0]
    found = min(count, n)
    gram = short @ short.T
    squares = eigvalsh(gram, subset_by_index=(n - found, n - 1), check_finite=False)
    leading = np.zeros(count)
    if squares[0] > _GRAM_RANGE**2 * np.trace(gram):
        leading[:found] = np.sqrt(squares[::-1])
    else:
        triangle = qr(short.T, mode="r", check_finite=False)[0][:n]
        leading[:found] = svdvals(triangle, check_finite=False)[:found]
    return leading


def threshold_singular_values(
    matrix: NDArray[np.float64],
    threshold: float,
    *,
    out: NDArray[np.float64] | None = None,
    expected_rank: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower every singular value by ``threshold``, and those below it to zero.

    Parameters
    ----------
    matrix : (M, N) ndarray of float64
    threshold : float
        Non-negative.
    out : (M, N) ndarray of float64, optional
        C-contiguous memory for the result; must not overlap ``matrix``.
    expected_rank : int, optional
        A guess of the rank of the result. It chooses between a partial and a complete
        eigendecomposition, and changes no more than the rounding.

    Returns
    -------
    shrunk : (M, N) ndarray of float64
    kept : (R,) ndarray of float64
        Descending singular values of ``matrix`` that are greater than ``threshold``;
        R is the rank of ``shrunk``.
    """
    if out is None:
        out = np.empty_like(matrix, order="C")
    vectors, kept = _vectors_above(_wide(matrix), threshold, expected_rank)
    if kept.size == 0:
        out[...] = 0.0
        return out, kept
    factors = 1.0 - threshold / kept
    short, rank = vectors.shape
    long = matrix.size // short
    # Operations of the two ways: a square projector first, or thin factors.
    if short * (rank + 2 * long) < 4 * rank * long:
        scaled = vectors * np.sqrt(factors)
        projector = scaled @ scaled.T
        if short == matrix.shape[0]:
            np.matmul(projector, matrix, out=out)
        else:
            np.matmul(matrix, projector, out=out)
    elif short == matrix.shape[0]:
        np.matmul(vectors * factors, vectors.T @ matrix, out=out)
    else:
        np.matmul(matrix @ vectors, (vectors * factors).T, out=out)
    return out, kept


def _wide(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """A view of a matrix, or of its transpose, that is at least as wide as high."""
    return matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T


def _vectors_above(
    short: NDArray[np.float64], threshold: float, expected_rank: int | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Left singular vectors of a matrix of few rows, and values, above a threshold."""
    from scipy.linalg import eigh, qr, svd

    n = short.shape[0]
    gram = short @ short.T
    # The trace is the squared Frobenius norm, at least the greatest singular value squared.
    if not threshold > _GRAM_RANGE * np.sqrt(np.trace(gram)):
        triangle = qr(short.T, mode="r", check_finite=False)[0][:n]
        left, values, _ = svd(triangle.T, check_finite=False)
        rank = int(np.count_nonzero(values > threshold))
        return left[:, :rank], values[:rank]
    if expected_rank is not None and expected_rank < _PARTIAL_SHARE * n:
        squares, vectors = eigh(
            gram,
            driver="evr",
            subset_by_value=(threshold**2, np.inf),
            overwrite_a=True,
            check_finite=False,
        )
    else:
        squares, vectors = eigh(gram, driver="evd", overwrite_a=True, check_finite=False)
    # LAPACK's order is ascending.
    rank = int(np.count_nonzero(squares > threshold**2))
    first = len(squares) - rank
    return vectors[:, first:][:, ::-1], np.sqrt(squares[first:][::-1])
