"""What the solvers of robust principal component analysis have in common."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RANK_ONE = 1e-13
"""Second singular value, relative to the first, up to which a matrix has rank one."""

BLOCK_ELEMENTS = 1 << 15
"""Elements that entrywise work takes at a time: a few blocks of float64 fit the L2 cache."""


@dataclass(frozen=True, eq=False)
class RobustPCA:
    """A matrix taken apart into a low-rank and a sparse one.

    Attributes
    ----------
    low_rank, sparse : (M, N) ndarray of float64
    iterations : int
    rank : int
        Of ``low_rank``.
    stopped_by : str
        ``"tolerance"``, ``"rank"`` (too high), ``"patience"`` (rank and sparsity at
        rest), ``"iterations"`` or ``"rank-one"`` (nothing to do).
    """

    low_rank: NDArray[np.float64]
    sparse: NDArray[np.float64]
    iterations: int
    rank: int
    stopped_by: str


def block_slices(size: int) -> Iterator[slice]:
    """Cut a flat array of ``size`` elements into blocks of :data:`BLOCK_ELEMENTS`."""
    for start in range(0, size, BLOCK_ELEMENTS):
        yield slice(start, min(start + BLOCK_ELEMENTS, size))


def row_blocks(shape: tuple[int, ...]) -> list[slice]:
    """Cut the rows of an array into blocks of about :data:`BLOCK_ELEMENTS` elements."""
    step = max(1, BLOCK_ELEMENTS * shape[0] // max(1, math.prod(shape)))
    return [slice(start, start + step) for start in range(0, shape[0], step)]


def rank_one_parts(data: NDArray[np.float64], leading: NDArray[np.float64]) -> RobustPCA | None:
    """The result for a matrix of rank one or zero: all background.

    The model has nothing to say of it: one row that repeats itself is as low in rank as
    can be, and the thresholds of the solvers, which start at the second singular value,
    would be rounding errors.

    Parameters
    ----------
    data : (M, N) ndarray of float64
    leading : (K,) ndarray of float64
        Its greatest singular values, descending, K at least 2.

    Returns
    -------
    RobustPCA or None
        None for a matrix of higher rank.
    """
    if leading[1] > _RANK_ONE * leading[0]:
        return None
    return RobustPCA(data.copy(), np.zeros_like(data), 0, int(leading[0] > 0), "rank-one")
