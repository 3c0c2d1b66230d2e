"""Leading singular triplets of a matrix near to one whose triplets are known."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ._block_lanczos import Triplets

_GREATEST_SHARE = 0.3
"""Of the shorter side, the triplets beyond which a complete decomposition is as fast."""

_ROUNDS = 6
"""Products with the matrix or its transpose, at most."""

_CONVERGED = 1e-14
"""Norm of the residuals of all triplets together, relative to the matrix's: rounding is 2e-15."""

_ROUNDING = 1e-13
"""Share of the square of a matrix's norm down to which a part of it is known as a difference."""

_SKEW = 0.7
"""Cosine of rows with what those before them leave, below which they are made orthogonal twice."""


def followed_triplets(
    matrix: NDArray[np.float64], start: NDArray[np.float64], floor: float
) -> Triplets | None:
    """As many singular triplets as are known of a near matrix, if no other is above a floor.

    Subspace iteration. It converges by the ratio of the next singular value to the last in
    each product with the matrix or its transpose; and the norm of what is left bounds all of
    the other singular values.

    Parameters
    ----------
    matrix : (M, N) ndarray of float64
    start : (M, R) ndarray of float64
        Left singular vectors of the near matrix, by descending singular value.
    floor : float

    Returns
    -------
    Triplets or None
        The R greatest of the matrix, descending, with the error of a complete decomposition.
        None where they have not converged soon, or another singular value may lie above the
        floor or the last of these.
    """
    rank = start.shape[1]
    if not 0 < rank <= _GREATEST_SHARE * min(matrix.shape):
        return None
    square = float(np.vdot(matrix, matrix))
    # Bases are kept as rows. They are of the two sides in turn.
    basis, there, back = np.ascontiguousarray(start.T), matrix, matrix.T
    images = basis @ there
    for turn in range(_ROUNDS):
        try:
            other, factor = _orthonormal(images)
        except np.linalg.LinAlgError:
            return None
        images = other @ back
        # Of A' basis' = other' F, what A other' - basis' F' is.
        residual = float(np.linalg.norm(images - factor @ basis))
        rest = math.sqrt(max(square - float(np.vdot(images, images)), _ROUNDING * square))
        least = float(np.linalg.norm(images[-1]))
        if rest + residual >= min(floor, least):
            # What the start has missed shows at once.
            if turn > 1:
                return None
        elif residual * rest <= _CONVERGED * math.sqrt(square) * least:
            return _rotated(other, images, back is matrix)
        basis, there, back = other, back, there
    return None


def _rotated(
    basis: NDArray[np.float64], images: NDArray[np.float64], of_left: bool
) -> Triplets | None:
    """Triplets from a basis and its images, of the left side or of the right."""
    try:
        other, factor = _orthonormal(images)
    except np.linalg.LinAlgError:
        return None
    # A basis' = other' F.
    inner, values, rotation = np.linalg.svd(factor)
    ours, theirs = rotation @ basis, other.T @ inner
    return Triplets(ours.T, values, theirs.T) if of_left else Triplets(theirs, values, ours)


def _orthonormal(
    rows: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Orthonormal rows Q and the upper triangle F of ``rows = F' Q``.

    By Cholesky's factorisation, which does for rows that are nearly orthogonal already.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the rows are not independent.
    """
    from scipy.linalg import cholesky, solve_triangular

    factor = np.eye(len(rows))
    while True:
        gram = rows @ rows.T
        lengths = np.sqrt(gram.diagonal())
        if not lengths.all():
            raise np.linalg.LinAlgError("A row is zero.")
        gram /= np.outer(lengths, lengths)
        triangle = cholesky(gram, overwrite_a=True, check_finite=False)
        upper = triangle * lengths
        rows = solve_triangular(upper, rows, trans="T", check_finite=False)
        factor = upper @ factor
        if triangle.diagonal().min() > _SKEW:
            return rows, factor
