"""Mean of the largest values in a square window around each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.filters.flat import FloatArray, LevelArray, narrowed
from irbench.filters.selection_network import largest_program
from irbench.filters.straight_line import Program

# Bytes of a plane worked on at a time. The scratch planes of a block should stay in the cache of a
# core, and a block should be long beside the overhead of a call and the seam computed twice.
_BLOCK_BYTES = 1 << 18

_EXTREMA: dict[str, np.ufunc] = {"maximum": np.maximum, "minimum": np.minimum}


def means_of_largest(
    flat: LevelArray, size: int, pitch: int, counts: Sequence[int]
) -> list[FloatArray]:
    """Means of the ``count`` largest values of each window, for several counts at once.

    The work is that of one selection network, see :mod:`irbench.filters.selection_network`:
    of the order of ``size + count log(count) log(size)`` operations per entry. Means are exact on
    equal values: rounding never takes them out of the range of what they average.

    Parameters
    ----------
    flat : (N,) ndarray of float64 or uint8
        The plane of a :class:`irbench.filters.flat.FlatImage`, without NaN.
    size : int
        Side of the square window in pixels, at least 1.
    pitch : int
        See :class:`irbench.filters.flat.FlatImage`.
    counts : sequence of int
        Each 1 to ``size ** 2``.

    Returns
    -------
    list of (N - (size - 1) (pitch + 1),) ndarray of float64
        One for each count; windows are anchored at their upper left corner.

    Raises
    ------
    ValueError
        For a count that the window does not hold.
    """
    program = largest_program(size, tuple(counts))
    extent = (size - 1) * (pitch + 1)
    n_entries = flat.size - extent
    means = [np.empty(n_entries) for _ in counts]
    levels = narrowed(flat)
    n_block = _BLOCK_BYTES // levels.itemsize
    workspace = _Workspace(program, levels.dtype, max(counts), min(n_entries, n_block) + extent)
    for start in range(0, n_entries, n_block):
        stop = min(start + n_block, n_entries)
        planes = workspace.run(levels[start : stop + extent], pitch)
        for mean, count, result in zip(means, counts, program.results, strict=True):
            total, lower, upper = (
                planes[plane][dy * pitch + dx :][: stop - start] for plane, dy, dx in result
            )
            block = mean[start:stop]
            np.multiply(total, 1 / count, out=block, dtype=np.float64)
            np.maximum(block, lower, out=block)
            np.minimum(block, upper, out=block)
    return means


class _Workspace:
    """The scratch planes of a program: some for values, and wider ones for sums of bytes."""

    def __init__(self, program: Program, dtype: np.dtype[Any], n_most: int, size: int) -> None:
        self._program = program
        self._values = self._sums = np.empty((program.n_planes, size), dtype)
        if dtype == np.uint8:
            wide = np.min_scalar_type(np.iinfo(dtype).max * n_most)
            self._sums = np.empty((program.n_planes, size), wide)

    def run(self, flat: NDArray[Any], pitch: int) -> list[NDArray[Any]]:
        """Run the program on a part of a plane, and return what every plane holds then."""
        # Where the memory of a plane is used anew, whatever for, what it held last is the plane.
        planes: list[NDArray[Any]] = [flat] * self._program.n_planes
        values, sums = self._values, self._sums
        for operation, target, first, second, (reach_y, reach_x) in self._program.steps:
            length = flat.size - reach_y * pitch - reach_x
            left, right = first.dy * pitch + first.dx, second.dy * pitch + second.dx
            one = planes[first.plane][left : left + length]
            other = planes[second.plane][right : right + length]
            if operation == "add":
                out = sums[target, :length]
                planes[target] = np.add(one, other, out=out, dtype=sums.dtype)
            else:
                planes[target] = _EXTREMA[operation](one, other, out=values[target, :length])
        return planes
