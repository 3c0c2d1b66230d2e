"""Running sums and extrema on flattened images, by doubling.

The sum over eight neighbours is the sum over four plus the same four places on,
and so forth: about ``log2(n)`` passes instead of ``n``. Unlike a running sum
that adds the entering and subtracts the leaving value, every window is summed
in the same order and on its own. So equal windows have equal sums to the last
bit, nothing drifts along a row, and a flat area has exactly no contrast.

All functions take the plane of a :class:`irbench.filters.flat.FlatImage` and
return values for the window that *starts* at each entry; the result is shorter by the
extent of the window.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from irbench.filters.flat import FloatArray


def running_sum(flat: FloatArray, size: int, stride: int) -> FloatArray:
    """Sums over ``size`` entries ``stride`` apart.

    Parameters
    ----------
    flat : (N,) ndarray of float64
    size : int
        Number of entries in the window, at least 1.
    stride : int
        Distance between them: 1 along a row, the pitch along a column.

    Returns
    -------
    (N - (size - 1) stride,) ndarray of float64
        ``result[i] = flat[i] + flat[i + stride] + …``; the input itself for size 1.
    """
    # Windows of 1, 2, 4 … entries; those in the binary expansion of `size` are put end to end.
    block, length = flat, 1
    total, covered = None, 0
    while True:
        if size & length:
            total = block if total is None else _join(np.add, total, block, covered * stride)
            covered += length
        if covered == size:
            assert total is not None
            return total
        block = _join(np.add, block, block, length * stride)
        length *= 2


def running_max(flat: FloatArray, size: int, stride: int) -> FloatArray:
    """Maxima over ``size`` entries ``stride`` apart; see :func:`running_sum`."""
    return _running_extremum(np.maximum, flat, size, stride)


def running_min(flat: FloatArray, size: int, stride: int) -> FloatArray:
    """Minima over ``size`` entries ``stride`` apart; see :func:`running_sum`."""
    return _running_extremum(np.minimum, flat, size, stride)


def box_sum(flat: FloatArray, size: int, pitch: int) -> FloatArray:
    """Sums over squares of ``size`` pixels a side, anchored at their upper left corner.

    Parameters
    ----------
    flat : (N,) ndarray of float64
    size : int
        Side of the square in pixels, at least 1.
    pitch : int
        See :class:`irbench.filters.flat.FlatImage`.

    Returns
    -------
    (N - (size - 1) (pitch + 1),) ndarray of float64
    """
    return running_sum(running_sum(flat, size, 1), size, pitch)


def box_count(marked: NDArray[np.bool_], size: int, pitch: int) -> NDArray[np.integer[Any]]:
    """How many entries of each square are true; parameters as for :func:`box_sum`.

    Returns
    -------
    (N - (size - 1) (pitch + 1),) ndarray of unsigned int
        Of as few bits as ``size ** 2`` needs: passes over bytes take an eighth of the time.
    """
    flags: Any = marked.astype(np.min_scalar_type(size**2))
    return cast("NDArray[np.integer[Any]]", box_sum(flags, size, pitch))


def box_max(flat: FloatArray, size: int, pitch: int) -> FloatArray:
    """Maxima over squares of ``size`` pixels a side; see :func:`box_sum`."""
    return running_max(running_max(flat, size, 1), size, pitch)


def box_min(flat: FloatArray, size: int, pitch: int) -> FloatArray:
    """Minima over squares of ``size`` pixels a side; see :func:`box_sum`."""
    return running_min(running_min(flat, size, 1), size, pitch)


def binomial_3x3(flat: FloatArray, pitch: int) -> FloatArray:
    """Gaussian smoothing with the kernel ``[1 2 1; 2 4 2; 1 2 1] / 16``.

    Parameters
    ----------
    flat : (N,) ndarray of float64
    pitch : int
        See :class:`irbench.filters.flat.FlatImage`.

    Returns
    -------
    (N - 2 (pitch + 1),) ndarray of float64
        Anchored at the upper left corner of the 3x3 window. Exactly ``c`` where
        all nine pixels are ``c``.
    """
    smooth = flat
    for stride in (1, pitch):
        outer = _join(np.add, smooth, smooth, 2 * stride)
        centre = 2.0 * smooth[stride : stride + outer.size]
        smooth = np.add(outer, centre, out=centre)
    smooth *= 1 / 16
    return smooth


def _running_extremum(
    extremum: Callable[..., Any], flat: FloatArray, size: int, stride: int
) -> FloatArray:
    result, length = flat, 1
    while length < size:
        # The last two blocks may overlap: no entry counts twice in an extremum.
        step = min(length, size - length)
        result = _join(extremum, result, result, step * stride)
        length += step
    return result


def _join(
    operation: Callable[..., Any], first: FloatArray, second: FloatArray, offset: int
) -> FloatArray:
    """Combine ``first[i]`` with ``second[i + offset]``, as far as both reach."""
    length = min(first.size, second.size - offset)
    joined: FloatArray = operation(first[:length], second[offset : offset + length])
    return joined
