"""Shifted reads and selection networks on preallocated memory, for the floors of filters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from _floor_model import FloatArray

from irbench.filters.selection_network import largest_program

# Values of a block whose scratch planes stay in the cache of a core.
_BLOCK = 1 << 15

_UFUNCS: dict[str, np.ufunc] = {"maximum": np.maximum, "minimum": np.minimum, "add": np.add}


class ShiftablePlane:
    """An array of the image's size that can be read shifted, as one row of numbers.

    There is room before and behind it. So a shift is an offset, every pass has exactly
    one entry a pixel, and rows run into one another near the border.

    Parameters
    ----------
    image : (H, W) ndarray of float64
        Its values fill the plane and the room: no uninitialised memory is ever read,
        whose subnormal numbers would be slow.
    reach : int
        Greatest shift in rows and in columns.
    """

    def __init__(self, image: FloatArray, reach: int) -> None:
        self._pitch = image.shape[1]
        self._room = reach * (self._pitch + 1)
        self._buffer: FloatArray = np.resize(image, image.size + 2 * self._room)
        self.flat: FloatArray = self.shifted(0, 0)
        self.flat[:] = image.ravel()
        self.plane: FloatArray = self.flat.reshape(image.shape)

    def shifted(self, dy: int, dx: int, beyond: int = 0) -> FloatArray:
        """The entries ``dy`` rows down and ``dx`` columns right of each, ``(H W + beyond,)``."""
        start = self._room + dy * self._pitch + dx
        return self._buffer[start : self._buffer.size - 2 * self._room + start + beyond]


def largest_means(
    source: ShiftablePlane, size: int, counts: Sequence[int]
) -> tuple[Callable[[], None], list[FloatArray]]:
    """Prepare the selection of the largest values of a window.

    Parameters
    ----------
    source : ShiftablePlane
        With a reach of at least ``size``.
    size : int
        Side of the window, odd.
    counts : sequence of int
        Ascending.

    Returns
    -------
    run : callable
        Calls the minima, maxima and sums of the network, and nothing else.
    means : list of (H, W) ndarray of float64
        For each count, the mean of so many largest values, centred; what ``run`` fills.
    """
    program = largest_program(size, tuple(counts))
    shape = source.plane.shape
    width = shape[-1]
    half, extent = size // 2, (size - 1) * (width + 1)
    padded = source.shifted(-half, -half, beyond=extent)
    means = [source.flat.copy() for _ in counts]
    scratch = np.ones((program.n_planes - 1, min(_BLOCK, source.flat.size) + extent))
    calls: list[tuple[np.ufunc, Any, Any, FloatArray]] = []
    for start in range(0, source.flat.size, _BLOCK):
        stop = min(start + _BLOCK, source.flat.size)
        n_entries = stop - start + extent
        planes = [padded[start : start + n_entries], *scratch[:, :n_entries]]
        for operation, target, one, other, (reach_y, reach_x) in program.steps:
            length = n_entries - reach_y * width - reach_x
            left = planes[one.plane][one.dy * width + one.dx :][:length]
            right = planes[other.plane][other.dy * width + other.dx :][:length]
            calls.append((_UFUNCS[operation], left, right, planes[target][:length]))
        for mean, count, result in zip(means, counts, program.results, strict=True):
            total = planes[result.total.plane][result.total.dy * width + result.total.dx :]
            calls.append((np.multiply, total[: stop - start], 1 / count, mean[start:stop]))

    def run() -> None:
        for ufunc, one, other, out in calls:
            ufunc(one, other, out=out)

    return run, [mean.reshape(shape) for mean in means]
