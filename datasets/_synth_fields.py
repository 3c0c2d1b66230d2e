"""Correlated random fields and blurs, in arithmetic that rounds alike everywhere.

See :mod:`._synth_stream` for why: no libm, no FFT, no BLAS, no reductions of
floats. What is summed is summed tap by tap.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ._synth_stream import Floats, Stream, ordered_sum

# Mean over all phases of the sum of squared cubic B-spline weights.
_SPLINE_POWER = 151 / 315


def exp_neg(x: Floats | float) -> Floats:
    """``exp(-x)`` for ``x >= 0`` by 20 squarings of ``1 - x / 2**20``; to 5 digits at ``x = 4``."""
    power = np.maximum(1.0 - np.asarray(x, dtype=np.float64) * 2.0**-20, 0.0)
    for _ in range(20):
        power = power * power
    return power


def smoothstep(x: Floats) -> Floats:
    """0 below 0, 1 above 1, ``x² (3 - 2x)`` between."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def order_statistics(values: Floats, *fractions: float) -> list[float]:
    """The values below which these fractions of all values lie; no interpolation."""
    indices = [min(int(fraction * values.size), values.size - 1) for fraction in fractions]
    ordered = np.partition(values, indices, axis=None)
    return [float(ordered[index]) for index in indices]


def coordinates(shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """Rows ``(H, 1)`` and columns ``(1, W)`` of an image's pixels."""
    rows, columns = (np.arange(length, dtype=np.float64) for length in shape)
    return rows[:, None], columns[None, :]


def value_noise(stream: Stream, shape: tuple[int, int], cells: tuple[float, float]) -> Floats:
    """Smooth noise: cubic B-splines on a lattice of nearly normal numbers.

    Parameters
    ----------
    stream : Stream
    shape : (int, int)
        Height and width, in pixels.
    cells : (float, float)
        Height and width of a cell of the lattice, in pixels.

    Returns
    -------
    (H, W) ndarray of float64
        Mean 0; standard deviation 1, over all phases of the lattice.
    """
    return _transposed_noise(stream, shape, cells).T.copy()


def _transposed_noise(stream: Stream, shape: tuple[int, int], cells: tuple[float, float]) -> Floats:
    """:func:`value_noise` before its last transposition."""
    sizes = [int(length / cell) + 5 for length, cell in zip(shape, cells, strict=True)]
    lattice = stream.normals(*sizes) / _SPLINE_POWER
    phases = stream.uniforms(2)
    rows = _spline(lattice, shape[0], cells[0], float(phases[0]))
    return _spline(rows.T.copy(), shape[1], cells[1], float(phases[1]))


def _spline(lattice: Floats, length: int, cell: float, phase: float) -> Floats:
    """Interpolate along the first axis."""
    position = phase + np.arange(length) / cell
    start = np.floor(position)
    t = (position - start)[:, None]
    index = start.astype(np.int64)
    s = 1.0 - t
    weights = (
        s * s * s / 6.0,
        (t * t * (3.0 * t - 6.0) + 4.0) / 6.0,
        (s * s * (3.0 * s - 6.0) + 4.0) / 6.0,
        t * t * t / 6.0,
    )
    total = np.zeros((length, lattice.shape[1]))
    for tap, weight in enumerate(weights):
        term = lattice[index + tap]
        term *= weight
        total += term
    return total


def fractal_noise(
    stream: Stream,
    shape: tuple[int, int],
    cell: float,
    roughness: float,
    stretch: float = 1.0,
    finest: float = 2.0,
) -> Floats:
    """Octaves of :func:`value_noise`, each of half the cell and ``roughness`` the amplitude.

    Parameters
    ----------
    stream : Stream
    shape : (int, int)
        Height and width, in pixels.
    cell : float
        Height of the coarsest lattice's cells, in pixels: about the size of the
        largest features.
    roughness : float
        In (0, 1): 0.4 is smooth, 0.7 is rough.
    stretch : float
        How much wider than high the features are.
    finest : float
        No octave has smaller cells than this, in pixels, but the coarsest.

    Returns
    -------
    (H, W) ndarray of float64
        Mean 0, standard deviation 1, over the ensemble.
    """
    total = _transposed_noise(stream, shape, (cell, cell * stretch))
    amplitude, power = roughness, 1.0
    while cell >= 2.0 * finest:
        cell = cell / 2.0
        total += amplitude * _transposed_noise(stream, shape, (cell, cell * stretch))
        power += amplitude * amplitude
        amplitude *= roughness
    return (total / math.sqrt(power)).T.copy()


def sample(field: Floats, rows: Floats, columns: Floats) -> Floats:
    """The field at fractional positions, bilinear; outside, its nearest pixel.

    Parameters
    ----------
    field : (h, w) ndarray of float64
    rows, columns : ndarray of float64
        Broadcast against each other.
    """
    height, width = field.shape
    rows, columns = np.broadcast_arrays(rows, columns)
    y, x = np.clip(rows, 0.0, height - 1.001), np.clip(columns, 0.0, width - 1.001)
    top, left = np.floor(y), np.floor(x)
    dy, dx = y - top, x - left
    corner = top.astype(np.int64) * width + left.astype(np.int64)
    flat = field.ravel()
    upper = flat[corner] + dx * (flat[corner + 1] - flat[corner])
    lower = flat[corner + width] + dx * (flat[corner + width + 1] - flat[corner + width])
    return np.asarray(upper + dy * (lower - upper))


def gaussian_taps(sigma: float, spacing: float = 1.0) -> list[float]:
    """Weights of a Gaussian at multiples of ``spacing`` within 3.5 sigma; their sum is 1."""
    radius = int(3.5 * sigma / spacing) + 1
    offsets = [index * spacing / sigma for index in range(-radius, radius + 1)]
    weights = [float(exp_neg(0.5 * offset * offset)) for offset in offsets]
    total = ordered_sum(weights)
    return [weight / total for weight in weights]


def correlate_rows(padded: Floats, taps: list[float], step: int = 1) -> Floats:
    """Weighted sums of ``len(taps)`` successive rows, for every ``step``-th start."""
    length = (len(padded) - len(taps)) // step + 1
    total = np.zeros((length, *padded.shape[1:]))
    for tap, weight in enumerate(taps):
        total += weight * padded[tap : tap + (length - 1) * step + 1 : step]
    return total


def blur(image: Floats, sigma: float) -> Floats:
    """Gaussian blur; the edge pixels repeat outside."""
    taps = gaussian_taps(sigma)
    padded = np.pad(image, len(taps) // 2, mode="edge")
    return np.ascontiguousarray(correlate_rows(correlate_rows(padded, taps).T, taps).T)


def dilate(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask and the 8 neighbours of its pixels."""
    wide = mask.copy()
    wide[1:] |= mask[:-1]
    wide[:-1] |= mask[1:]
    high = wide.copy()
    high[:, 1:] |= wide[:, :-1]
    high[:, :-1] |= wide[:, 1:]
    return high
