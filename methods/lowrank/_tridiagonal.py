"""Eigenpairs of small symmetric tridiagonal matrices, by compiled rotations."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from irbench.process.compiling import compiled

_ROUNDING = float(np.finfo(np.float64).eps) ** 2
_MOST_SWEEPS = 50


@compiled
def diagonalise(
    diagonals: NDArray[np.float64],
    neighbours: NDArray[np.float64],
    rows: NDArray[np.float64],
    found: NDArray[np.bool_],
) -> None:
    """Bring matrices to their diagonals, by the implicit QL algorithm with Wilkinson's shift.

    Parameters
    ----------
    diagonals : (k, m) ndarray of float64
        Of the matrices; overwritten with their eigenvalues, in no order.
    neighbours : (k, m) ndarray of float64
        Entries beside the diagonal, of which the last is 0; overwritten.
    rows : (k, m, m) ndarray of float64
        Receives the eigenvectors, as rows in the order of the eigenvalues.
    found : (k,) ndarray of bool
        Receives whether all eigenvalues were found.
    """
    for index in range(len(diagonals)):
        d, e, vectors = diagonals[index], neighbours[index], rows[index]
        m = len(d)
        vectors[:] = 0.0
        # The sweeps go upwards, and converge soonest where the smallest entries are first.
        reverse = abs(d[0]) > abs(d[m - 1])
        if reverse:
            d[:] = d[::-1].copy()
            e[: m - 1] = e[: m - 1][::-1].copy()
        for i in range(m):
            vectors[i, m - 1 - i if reverse else i] = 1.0
        found[index] = True
        for first in range(m):
            sweeps = 0
            while True:
                last = first
                while last < m - 1:
                    if e[last] * e[last] <= _ROUNDING * abs(d[last]) * abs(d[last + 1]):
                        break
                    last += 1
                if last == first:
                    break
                sweeps += 1
                if sweeps > _MOST_SWEEPS:
                    found[index] = False
                    break
                _sweep(d, e, vectors, first, last)


@compiled
def _sweep(
    d: NDArray[np.float64],
    e: NDArray[np.float64],
    vectors: NDArray[np.float64],
    first: int,
    last: int,
) -> None:
    """One QL step on a block without a zero beside its diagonal."""
    half = (d[first + 1] - d[first]) / (2.0 * e[first])
    shift = d[first] - e[first] / (half + math.copysign(math.sqrt(half * half + 1.0), half))
    bulge, sine, cosine, taken = d[last] - shift, 1.0, 1.0, 0.0
    for i in range(last - 1, first - 1, -1):
        outer, inner = sine * e[i], cosine * e[i]
        length = math.sqrt(outer * outer + bulge * bulge)
        e[i + 1] = length
        if length == 0.0:
            # The block falls apart here.
            d[i + 1] -= taken
            e[last] = 0.0
            return
        scale = 1.0 / length
        sine, cosine = outer * scale, bulge * scale
        rest = d[i + 1] - taken
        turned = (d[i] - rest) * sine + 2.0 * cosine * inner
        taken = sine * turned
        d[i + 1] = rest + taken
        bulge = cosine * turned - inner
        upper, lower = vectors[i], vectors[i + 1]
        for j in range(len(d)):
            x, y = upper[j], lower[j]
            upper[j] = cosine * x - sine * y
            lower[j] = sine * x + cosine * y
    d[first] -= taken
    e[first] = bulge
    e[last] = 0.0
