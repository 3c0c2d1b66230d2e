"""Mean of the largest values in a square window around each pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from irbench.filters.flat import FloatArray
from irbench.filters.selection_network import largest_program
from irbench.filters.straight_line import Program

# Entries worked on at a time. The scratch planes of a block should stay in the cache of a core, and
# a block should be long beside the overhead of a call and the seam that is computed twice.
_BLOCK = 32768

_UFUNCS: dict[str, np.ufunc] = {"maximum": np.maximum, "minimum": np.minimum, "add": np.add}


def means_of_largest(
    flat: FloatArray, size: int, pitch: int, counts: Sequence[int]
) -> list[FloatArray]:
    """Means of the ``count`` largest values of each window, for several counts at once.

    The work is that of one selection network, see :mod:`irbench.filters.selection_network`:
    of the order of ``size + count log(count) log(size)`` operations per entry. Means are exact on
    equal values: rounding never takes them out of the range of what they average.

    Parameters
    ----------
    flat : (N,) ndarray of float64
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
    workspace = np.empty((program.n_planes - 1, min(n_entries, _BLOCK) + extent))
    for start in range(0, n_entries, _BLOCK):
        stop = min(start + _BLOCK, n_entries)
        planes = [flat[start : stop + extent], *workspace[:, : stop - start + extent]]
        _run(program, planes, pitch)
        for mean, count, result in zip(means, counts, program.results, strict=True):
            total, lower, upper = (
                planes[plane][dy * pitch + dx :][: stop - start] for plane, dy, dx in result
            )
            block = mean[start:stop]
            np.multiply(total, 1 / count, out=block)
            np.maximum(block, lower, out=block)
            np.minimum(block, upper, out=block)
    return means


def _run(program: Program, planes: list[FloatArray], pitch: int) -> None:
    n_entries = planes[0].size
    for operation, target, first, second, (reach_y, reach_x) in program.steps:
        length = n_entries - reach_y * pitch - reach_x
        left, right = first.dy * pitch + first.dx, second.dy * pitch + second.dx
        _UFUNCS[operation](
            planes[first.plane][left : left + length],
            planes[second.plane][right : right + length],
            out=planes[target][:length],
        )
