"""Shrinkage of singular values under a sum of logarithms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GRAM_ERROR = 3e-9
"""Error of a shrunk slice, in its units, up to which its Gram matrix is trusted.

An entry of the tensor has a hundredth of it.
"""


def log_shrinkage(
    tensor: NDArray[np.float64],
    axis: int,
    threshold: float,
    offset: float,
    *,
    share: float = 1.0,
    distrusted: NDArray[np.bool_] | None = None,
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
    distrusted : (k // 2 + 1,) ndarray of bool, optional
        Slices whose Gram matrix is not worth a trial, by frequency. It is brought up to date
        for a call with a tensor much like this one.

    Returns
    -------
    (n, h, w) ndarray of float64
        A new array.
    """
    from scipy import fft

    spectrum = fft.rfft(tensor, axis=axis)
    slices = np.moveaxis(spectrum, axis, 0)
    if slices.shape[1] > slices.shape[2]:
        slices = slices.transpose(0, 2, 1)
    slices = np.ascontiguousarray(slices)
    # No singular value of a slice passes whose norm does not.
    least = 2 * np.sqrt(threshold) - offset
    norms = np.linalg.norm(slices.reshape(len(slices), -1), axis=1)
    passing = norms > least
    shrunk = slices if passing.all() else np.zeros_like(slices)
    if distrusted is None:
        distrusted = np.zeros(len(slices), dtype=bool)
    tolerance = _GRAM_ERROR / share
    by_gram = np.flatnonzero(passing & ~distrusted)
    by_svd = list(np.flatnonzero(passing & distrusted))
    if by_gram.size:
        trial, errors = _shrink_by_gram(slices[by_gram], threshold, offset)
        trusted = errors <= tolerance
        shrunk[by_gram[trusted]] = trial[trusted]
        by_svd += list(by_gram[~trusted])
    for index in by_svd:
        shrunk[index], error = _shrink_by_svd(slices[index], threshold, offset)
        distrusted[index] = error > tolerance
    length = tensor.shape[axis]
    if length % 2 and length > 1:
        shrunk[(length - 1) // 2] /= 4
    if shrunk.shape[1:] != np.moveaxis(spectrum, axis, 0).shape[1:]:
        shrunk = shrunk.transpose(0, 2, 1)
    return np.asarray(fft.irfft(np.moveaxis(shrunk, 0, axis), n=length, axis=axis))


def _shrunk(values: NDArray[np.float64], threshold: float, offset: float) -> NDArray[np.float64]:
    """What singular values become."""
    root = (values - offset) ** 2 - 4 * (threshold - offset * values)
    return np.where(root > 0, (values - offset + np.sqrt(np.maximum(root, 0.0))) / 2, 0.0)


def _shrink_by_svd(
    matrix: NDArray[np.complex128], threshold: float, offset: float
) -> tuple[NDArray[np.complex128], float]:
    """Shrink the singular values of one matrix; and what error a Gram matrix would have made."""
    # The slices of the frequencies 0 and 1/2 are real.
    real = matrix if matrix.imag.any() else matrix.real
    left, values, right = np.linalg.svd(real, full_matrices=False)
    shrunk = _shrunk(values, threshold, offset)
    kept = shrunk > 0
    rank = int(np.count_nonzero(kept))
    error = _gram_error(values[None, ::-1], kept[None, ::-1], threshold)
    return np.asarray((left[:, :rank] * shrunk[:rank]) @ right[:rank]), float(error[0])


def _shrink_by_gram(
    slices: NDArray[np.complex128], threshold: float, offset: float
) -> tuple[NDArray[np.complex128], NDArray[np.float64]]:
    """Shrink the singular values of matrices at least as wide as high; and the errors."""
    squares, conjugates = np.linalg.eigh(_conjugate_gram(slices), UPLO="U")
    values = np.sqrt(np.maximum(squares, 0.0))
    shrunk = _shrunk(values, threshold, offset)
    kept = shrunk > 0
    factors = np.divide(shrunk, values, out=np.zeros_like(values), where=kept)
    # Eigenvalues ascend: what no slice keeps is a common head.
    first = int(np.argmax(kept.any(axis=0))) if kept.any() else kept.shape[1]
    conjugates = conjugates[:, :, first:]
    coordinates = conjugates.transpose(0, 2, 1) @ slices
    basis = conjugates.conj()
    basis *= factors[:, None, first:]
    return np.asarray(basis @ coordinates), _gram_error(values, kept, threshold)


def _conjugate_gram(slices: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Conjugates of the Gram matrices of the rows, of which the upper triangles are filled."""
    from scipy.linalg.blas import zherk

    grams = np.empty((*slices.shape[:2], slices.shape[1]), dtype=np.complex128)
    for gram, matrix in zip(grams, slices, strict=True):
        gram[...] = zherk(1.0, matrix.T, trans=2)
    return grams


def _gram_error(
    values: NDArray[np.float64], kept: NDArray[np.bool_], threshold: float
) -> NDArray[np.float64]:
    """What the rounding of Gram matrices does to the shrunk matrices, in first order.

    Parameters
    ----------
    values : (k, m) ndarray of float64
        Singular values by slice, ascending.
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
