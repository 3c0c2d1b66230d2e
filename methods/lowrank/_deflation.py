"""Singular value thresholding far below the greatest singular values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._singular_values import threshold_singular_values

_LEADING = 1e-2
"""Singular values above this share of the greatest are taken out first."""


def threshold_after_deflation(matrix: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """Lower every singular value by ``threshold``, and those below it to zero.

    A Gram matrix knows a singular value ``s`` to ``2e-16 S² / s`` of the greatest ``S``. Where
    the threshold is far below ``S``, as with the brightness of a scene in the first singular
    value, the leading ones are projected out, and the Gram matrix of what remains gives the
    others with 1e4 times smaller an error: for two symmetric products and half of a second
    eigendecomposition, several times less than a singular value decomposition.

    Parameters
    ----------
    matrix : (M, N) ndarray of float64
    threshold : float
        Positive.

    Returns
    -------
    (M, N) ndarray of float64
    """
    from scipy.linalg import eigh

    short = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    gram = short @ short.T
    # The trace is the sum of the squared singular values, nearly all of it the greatest's.
    floor = _LEADING**2 * float(np.trace(gram))
    if threshold**2 >= floor:
        return threshold_singular_values(matrix, threshold)[0]
    _, basis = eigh(
        gram,
        driver="evr",
        subset_by_value=(floor, np.inf),
        overwrite_a=True,
        check_finite=False,
    )
    parts = basis.T @ short
    rest = short - basis @ parts
    shrunk, _ = threshold_singular_values(rest, threshold)
    values = np.sqrt(np.einsum("ij,ij->i", parts, parts))
    shrunk += (basis * (1.0 - threshold / values)) @ parts
    return shrunk if short is matrix else shrunk.T
