"""Eigenpairs of small Gram matrices, of whose vectors only those that are wanted are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64] | NDArray[np.complex128]

_MOST_COMPILED = 128
"""Size of a matrix up to which rotating beats LAPACK's dividing and conquering."""


@dataclass(frozen=True)
class Routines:
    """Of BLAS and LAPACK, for real or for complex matrices.

    Attributes
    ----------
    product : callable
        ``gemm``.
    gram : callable
        ``syrk`` or ``herk``.
    reduce, reflect : callable
        ``sytrd`` and ``ormqr``, or ``hetrd`` and ``unmqr``.
    adjoint : {1, 2}
        How ``product`` and ``gram`` are asked for the conjugate transpose.
    """

    product: Callable[..., Any]
    gram: Callable[..., Any]
    reduce: Callable[..., Any]
    reflect: Callable[..., Any]
    adjoint: int


class GramEigenpairs:
    """Eigenpairs of ``A* A`` of matrices at least as high as wide, else of ``A A*``.

    LAPACK reduces the Gram matrices to tridiagonal ones, as in its drivers. Compiled rotations
    bring those to their diagonals, in half the time of LAPACK's routines for it at a size of 40,
    and only the vectors that are asked for are led back. Without numba LAPACK does it all, with
    the same result but for rounding.

    Parameters
    ----------
    matrices : sequence of (M, N) ndarray of float64 or complex128
        F-contiguous, of one shape. With m = min(M, N).

    Attributes
    ----------
    values : (k, m) ndarray of float64
        Ascending. Those below the rounding of the greatest may be negative.
    found : (k,) ndarray of bool
        False where the algorithm did not converge.
    """

    def __init__(self, matrices: Sequence[Matrix]) -> None:
        n, m = len(matrices), min(matrices[0].shape)
        self._matrices = matrices
        self._reflections: list[tuple[Matrix, Matrix]] = []
        values, neighbours = np.empty((n, m)), np.zeros((n, m))
        for index, matrix in enumerate(matrices):
            of = routines(matrix)
            reflectors, values[index], neighbours[index, :-1], factors, _ = of.reduce(
                gram(matrix), lower=1, lwork=m, overwrite_a=1
            )
            self._reflections.append((reflectors, factors))
        self._rows, self.found = np.empty((n, m, m)), np.empty(n, dtype=np.bool_)
        _diagonalise(m)(values, neighbours, self._rows, self.found)
        self._order = np.argsort(values, axis=1)
        self.values = np.take_along_axis(values, self._order, axis=1)

    def vectors(
        self, index: int, first: int = 0, lengths: NDArray[np.float64] | None = None
    ) -> Matrix:
        """The eigenvectors of one Gram matrix from a place on: F-contiguous columns.

        Parameters
        ----------
        index : int
            Of the matrix.
        first : int
            Of the vectors, in the order of their values.
        lengths : (m - first,) ndarray of float64, optional
            What the vectors are multiplied by.
        """
        reflectors, factors = self._reflections[index]
        rows = self._rows[index, self._order[index, first:]]
        if lengths is not None:
            rows *= lengths[:, None]
        m = len(reflectors)
        vectors: Matrix = rows.T.astype(reflectors.dtype, order="F")
        if m > 1 and len(rows):
            # The reflectors leave the first coordinate alone: those of a QR decomposition of
            # size m - 1, which lies in place with a leading dimension of m.
            shifted = reflectors.ravel(order="K")[1 : 1 + m * (m - 1)]
            vectors[1:], _, _ = routines(reflectors).reflect(
                "L", "N", shifted.reshape((m, m - 1), order="F"), factors, vectors[1:], len(rows)
            )
        return vectors


def routines(matrix: Matrix) -> Routines:
    """Those for the numbers of a matrix."""
    return _complex_routines() if matrix.dtype.kind == "c" else _real_routines()


def gram(matrix: Matrix) -> Matrix:
    """The smaller Gram matrix of an F-contiguous matrix, of which the lower triangle is filled."""
    of = routines(matrix)
    high = matrix.shape[0] > matrix.shape[1]
    result: Matrix = of.gram(1.0, matrix, trans=of.adjoint if high else 0, lower=1)
    return result


@cache
def _real_routines() -> Routines:
    from scipy.linalg import blas, lapack

    return Routines(blas.dgemm, blas.dsyrk, lapack.dsytrd, lapack.dormqr, 1)


@cache
def _complex_routines() -> Routines:
    from scipy.linalg import blas, lapack

    return Routines(blas.zgemm, blas.zherk, lapack.zhetrd, lapack.zunmqr, 2)


def _diagonalise(size: int) -> Callable[..., None]:
    """The faster form for matrices of a size."""
    return _compiled_form() if size <= _MOST_COMPILED else _diagonalise_by_lapack


@cache
def _compiled_form() -> Callable[..., None]:
    """The compiled form, or the other where there is no numba that can compile."""
    try:
        from ._tridiagonal import diagonalise
    except ImportError:
        return _diagonalise_by_lapack
    return diagonalise


def _diagonalise_by_lapack(
    diagonals: NDArray[np.float64],
    neighbours: NDArray[np.float64],
    rows: NDArray[np.float64],
    found: NDArray[np.bool_],
) -> None:
    """See :func:`~._tridiagonal.diagonalise`."""
    from scipy.linalg.lapack import dstevd

    for index, (diagonal, beside) in enumerate(zip(diagonals, neighbours, strict=True)):
        # SciPy wants one number at least beside the diagonal.
        diagonal[...], vectors, info = dstevd(diagonal, beside[: max(1, len(beside) - 1)])
        rows[index] = vectors.T
        found[index] = info == 0
