"""Shrinkage of singular values under a sum of logarithms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GRAM_RANGE = 200.0
"""Norm of a slice, over the least singular value that passes, that a Gram matrix is trusted with.

The relative error of that value is 2e-16 times its square.
"""


def log_shrinkage(
    tensor: NDArray[np.float64], axis: int, threshold: float, offset: float
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
    # No singular value of a slice passes whose norm does not.
    least = 2 * np.sqrt(threshold) - offset
    energy = np.einsum("kij,kij->k", slices.real, slices.real)
    energy += np.einsum("kij,kij->k", slices.imag, slices.imag)
    shrunk = np.zeros_like(slices)
    graded = energy > (_GRAM_RANGE * least) ** 2
    chosen = np.flatnonzero((energy > least**2) & ~graded)
    if chosen.size:
        shrunk[chosen] = _shrink_by_gram(slices[chosen], threshold, offset)
    for index in np.flatnonzero(graded):
        shrunk[index] = _shrink_by_svd(slices[index], threshold, offset)
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
) -> NDArray[np.complex128]:
    """Shrink the singular values of one matrix."""
    # The slices of the frequencies 0 and 1/2 are real.
    real = matrix if matrix.imag.any() else matrix.real
    left, values, right = np.linalg.svd(real, full_matrices=False)
    shrunk = _shrunk(values, threshold, offset)
    rank = int(np.count_nonzero(shrunk))
    return np.asarray((left[:, :rank] * shrunk[:rank]) @ right[:rank])


def _shrink_by_gram(
    slices: NDArray[np.complex128], threshold: float, offset: float
) -> NDArray[np.complex128]:
    """Shrink the singular values of matrices that are at least as wide as high."""
    gram = slices @ slices.conj().transpose(0, 2, 1)
    squares, vectors = np.linalg.eigh(gram)
    values = np.sqrt(np.maximum(squares, 0.0))
    shrunk = _shrunk(values, threshold, offset)
    kept = shrunk > 0
    factors = np.divide(shrunk, values, out=np.zeros_like(values), where=kept)
    # Eigenvalues ascend: what no slice keeps is a common head.
    first = int(np.argmax(kept.any(axis=0))) if kept.any() else kept.shape[1]
    basis = vectors[:, :, first:]
    scaled = basis * factors[:, None, first:]
    return np.asarray(scaled @ (basis.conj().transpose(0, 2, 1) @ slices))
