"""Shrinkage of singular values under a sum of logarithms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ._eigenpairs import GramEigenpairs, Matrix, gram, routines

_GREATEST_ERROR = 3e-9
"""Of a shrunk slice, in its units; beyond it a more exact way is taken.

An entry of the tensor has a hundredth of it.
"""

_TOGETHER = 1e-6
"""Relative gap of squared singular values below which a quotient of differences is rounding."""


def log_shrinkage(
    tensor: NDArray[np.float64],
    axis: int,
    threshold: float,
    offset: float,
    *,
    share: float = 1.0,
) -> NDArray[np.float64]:
    """Shrink the singular values of the Fourier slices of a tensor under a log sum.

    A singular value ``s`` becomes the greater root ``x`` of
    ``(x - s) (x + offset) + threshold = 0``, and 0 where there is none. If the axis has odd
    length k > 1, the slices of the frequencies (k - 1)/2 and (k + 1)/2 are divided by 4, as
    the published code comes to do.

    Parameters
    ----------
    tensor : (n, h, w) ndarray of float64
    axis : {0, 1, 2}
        Along which the Fourier transform is taken.
    threshold, offset : float
        Positive; ``offset`` far below the root of ``threshold``.
    share : float
        Weight of the result in what is made of it, at most 1: so much greater may its
        error be.

    Returns
    -------
    (n, h, w) ndarray of float64
        A new array.
    """
    from scipy import fft

    length = tensor.shape[axis]
    # So turned, the slices are written one after the other.
    slices = fft.rfft(np.moveaxis(tensor, axis, 0), axis=0)
    # No singular value of a slice passes whose norm does not.
    parts = slices.reshape(len(slices), -1).view(np.float64)
    least = 2 * np.sqrt(threshold) - offset
    passing = np.einsum("ij,ij->i", parts, parts) > least**2
    slices[~passing] = 0.0
    chosen = np.flatnonzero(passing)
    matrices: list[Matrix] = [slices[index].T for index in chosen]
    # The slices of the frequencies 0 and 1/2 are real.
    for place, index in enumerate(chosen):
        if 2 * index in (0, length):
            matrices[place] = np.asfortranarray(matrices[place].real)
    results = shrink_matrices(matrices, threshold, offset, _GREATEST_ERROR / share)
    for index, result in zip(chosen, results, strict=True):
        slices[index].T[...] = result
    if length % 2 and length > 1:
        slices[(length - 1) // 2] /= 4
    return np.asarray(fft.irfft(np.moveaxis(slices, 0, axis), n=length, axis=axis))


def shrink_matrices(
    matrices: Sequence[Matrix], threshold: float, offset: float, tolerance: float
) -> list[Matrix]:
    """Shrink the singular values of matrices of one shape; see :func:`log_shrinkage`.

    Of three ways, each is the first that is exact enough for a matrix: by the eigenvectors of
    its Gram matrix; by these and a correction, in first order, for their not being the singular
    vectors; and by a singular value decomposition, which takes three times as long as the first.

    Parameters
    ----------
    matrices : sequence of (M, N) ndarray of float64 or complex128
        F-contiguous.
    threshold, offset : float
    tolerance : float
        Error that a matrix may have, in its units.
    """
    if not matrices:
        return []
    results = list(matrices)
    pairs = GramEigenpairs(matrices)
    values = np.sqrt(np.maximum(pairs.values, 0.0))
    factors = _factors(values, threshold, offset)
    firsts = (values.shape[1] - np.count_nonzero(factors, axis=1)).tolist()
    errors = gram_errors(values, factors > 0, threshold)
    exact = pairs.found & (errors <= tolerance)
    for index in _places(exact):
        first = firsts[index]
        # A root of the factors on the way there, the other on the way back.
        vectors = pairs.vectors(index, first, np.sqrt(factors[index, first:]))
        results[index] = _from_coordinates(_coordinates(matrices[index], vectors), vectors)
    near = _places(pairs.found & ~exact)
    if near:
        corrected, errors = correct(
            [matrices[index] for index in near],
            [pairs.vectors(index) for index in near],
            threshold,
            offset,
        )
        for index, result, error in zip(near, corrected, errors, strict=True):
            results[index], exact[index] = result, error <= tolerance
    for index in _places(~exact):
        results[index] = shrink_by_svd(matrices[index], threshold, offset)
    return results


def correct(
    matrices: Sequence[Matrix], bases: Sequence[Matrix], threshold: float, offset: float
) -> tuple[list[Matrix], NDArray[np.float64]]:
    """Shrink matrices by orthonormal bases that are nearly their singular vectors.

    The coordinates ``C`` of a matrix in its basis have a Gram matrix ``D² + E``, ``D`` diagonal
    and ``E`` small; to them belongs ``f(D² + E) C``, with ``f`` what the shrinkage makes of an
    eigenvalue, as a factor. In first order its entries are the divided differences
    ``(f(a) - f(b)) / (a - b)`` times ``E``. [1]_ Each entry of ``E`` is known to the rounding
    of the two singular values that it lies between, and not of the squared greatest one.

    Parameters
    ----------
    matrices : sequence of (M, N) ndarray of float64 or complex128
        F-contiguous.
    bases : sequence of (m, m) ndarray of the same
        F-contiguous; of the columns where M > N, else of the rows.
    threshold, offset : float

    Returns
    -------
    results : list of (M, N) ndarray
    errors : (k,) ndarray of float64
        What the second order amounts to at most.

    References
    ----------
    .. [1] Ju. L. Daleckii, S. G. Krein, "Integration and differentiation of functions of
       Hermitian operators and applications to the theory of perturbations", AMS Translations
       (2) 47, 1965.
    """
    coordinates = [
        _coordinates(matrix, basis) for matrix, basis in zip(matrices, bases, strict=True)
    ]
    m = len(bases[0])
    small = np.array([gram(one) for one in coordinates], dtype=np.complex128)
    squares = np.einsum("kii->ki", small).real.copy()
    values = np.sqrt(squares)
    factors = _factors(values, threshold, offset)
    below = np.tril(np.ones((m, m), dtype=np.bool_), -1)
    small *= below
    gaps = squares[:, :, None] - squares[:, None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        multipliers = small * _slopes(squares, gaps, factors, threshold)
    errors = _second_order(small, values, gaps, (2 * np.sqrt(threshold) - offset) ** 2)
    multipliers += multipliers.conj().transpose(0, 2, 1)
    multipliers[:, range(m), range(m)] = factors
    results = []
    for one, basis, multiplier in zip(coordinates, bases, multipliers, strict=True):
        turned = multiplier if basis.dtype.kind == "c" else multiplier.real
        product = routines(basis).product
        mixed = product(1.0, turned, one) if _is_wide(one) else product(1.0, one, turned)
        results.append(_from_coordinates(mixed, basis))
    return results, errors


def _slopes(
    squares: NDArray[np.float64],
    gaps: NDArray[np.float64],
    factors: NDArray[np.float64],
    threshold: float,
) -> NDArray[np.float64]:
    """Divided differences of the factors, by the squares of singular values."""
    sums = factors[:, :, None] + factors[:, None, :]
    products = squares[:, :, None] * squares[:, None, :]
    together = np.abs(gaps) <= _TOGETHER * (squares[:, :, None] + squares[:, None, :])
    # By f = (1 + sqrt(1 - 4 threshold / s²)) / 2, for which the offset is as good as 0.
    among_equals = np.where(sums > 1, threshold / (products * (sums - 1)), 0.0)
    return np.where(together, among_equals, (factors[:, :, None] - factors[:, None, :]) / gaps)


def _second_order(
    small: NDArray[np.complex128],
    values: NDArray[np.float64],
    gaps: NDArray[np.float64],
    threshold: float,
) -> NDArray[np.float64]:
    """What the second order of ``E`` does to the shrunk matrices, at most.

    Parameters
    ----------
    small : (k, m, m) ndarray of complex128
        The lower triangle of ``E``.
    values : (k, m) ndarray of float64
    gaps : (k, m, m) ndarray of float64
        Of their squares.
    threshold : float
        Of a square that passes.

    Returns
    -------
    (k,) ndarray of float64
        Infinite or no number where a square is the threshold.
    """
    sizes = np.abs(small)
    sizes += sizes.transpose(0, 2, 1)
    # Within reach of each other the factor has a quotient of differences of 1 / reach at most:
    # across the threshold because it lies in [0, 1], and on one side as it is smooth there.
    margins = np.abs(values**2 - threshold)
    reach = np.maximum(np.abs(gaps), np.minimum(margins[:, :, None], margins[:, None, :]))
    with np.errstate(divide="ignore", invalid="ignore"):
        # Quotients of second order, over three squares, from those of two and two of them.
        second = (sizes / reach) @ sizes
        second += second.transpose(0, 2, 1)
        second /= reach
        second *= values[:, None, :]
    return np.asarray(np.linalg.norm(second, axis=(1, 2)))


def shrink_by_svd(matrix: Matrix, threshold: float, offset: float) -> Matrix:
    """Shrink the singular values of one matrix."""
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    shrunk = _shrunk(values, threshold, offset)
    rank = int(np.count_nonzero(shrunk))
    return np.asarray((left[:, :rank] * shrunk[:rank]) @ right[:rank])


def gram_errors(
    values: NDArray[np.float64], kept: NDArray[np.bool_], threshold: float
) -> NDArray[np.float64]:
    """What the rounding of Gram matrices does to the shrunk matrices, in first order.

    Parameters
    ----------
    values : (k, m) ndarray of float64
        Singular values by matrix, ascending.
    kept : (k, m) ndarray of bool
        Which of them pass.
    threshold : float

    Returns
    -------
    (k,) ndarray of float64
    """
    rows, n = np.arange(len(values)), values.shape[1]
    first = n - np.count_nonzero(kept, axis=1)
    passing = values[rows, np.minimum(first, n - 1)]
    failing = np.where(first > 0, values[rows, np.maximum(first - 1, 0)], 0.0)
    rounding = np.finfo(np.float64).eps * values[:, -1] ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        # A passing value comes nearer to its own by threshold / value; and between what passes
        # and what does not, the vectors turn by the rounding over the gap of the squares.
        error = threshold / (2 * passing**3) + failing / (passing**2 - failing**2)
    return np.where(first < n, rounding * error, 0.0)


def _shrunk(values: NDArray[np.float64], threshold: float, offset: float) -> NDArray[np.float64]:
    """What singular values become."""
    root = (values - offset) ** 2 - 4 * (threshold - offset * values)
    return np.where(root > 0, (values - offset + np.sqrt(np.maximum(root, 0.0))) / 2, 0.0)


def _factors(values: NDArray[np.float64], threshold: float, offset: float) -> NDArray[np.float64]:
    """What singular values are multiplied by."""
    shrunk = _shrunk(values, threshold, offset)
    return np.divide(shrunk, values, out=np.zeros_like(values), where=shrunk > 0)


def _places(chosen: NDArray[np.bool_]) -> list[int]:
    return [int(index) for index in np.flatnonzero(chosen)]


def _is_wide(matrix: Matrix) -> bool:
    return bool(matrix.shape[0] <= matrix.shape[1])


def _coordinates(matrix: Matrix, vectors: Matrix) -> Matrix:
    """Of the rows of a matrix, or of the columns of a wide one, in a basis."""
    of = routines(matrix)
    result: Matrix = (
        of.product(1.0, vectors, matrix, trans_a=of.adjoint)
        if _is_wide(matrix)
        else of.product(1.0, matrix, vectors)
    )
    return result


def _from_coordinates(coordinates: Matrix, vectors: Matrix) -> Matrix:
    """The matrix of given coordinates in a basis, by columns if it is wide."""
    of = routines(coordinates)
    result: Matrix = (
        of.product(1.0, vectors, coordinates)
        if _is_wide(coordinates)
        else of.product(1.0, coordinates, vectors, trans_b=of.adjoint)
    )
    return result
