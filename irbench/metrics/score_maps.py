"""Score maps made comparable between images, and the fixed bins that their pixels fall in.

Pixels of many images can only be pooled on a common scale, and pooling must not keep
the pixels. So each map is brought to a scale of its own image, and counted in 4096 bins
that never change. The bins are uniform in a piecewise linear logarithm, the leading bits
of a 32-bit float: fine where the background lies, relative for what stands out, exactly
monotone, and the same on every machine, which a computed logarithm is not.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError

Binning = Literal["standardised/1", "unit/1"]

N_BINS = 4096

# 128 bins from one power of two to the next.
_BITS_PER_OCTAVE = 7
_OCTAVE = 1 << _BITS_PER_OCTAVE
_SHIFT = np.finfo(np.float32).nmant - _BITS_PER_OCTAVE
_EXPONENT_BIAS = 127

# Standardised values: |z| + 2^-8 up to 2^3 below the mean, up to 2^13 above it.
_SMALLEST = np.float32(2**-8)
_ZERO_BIN = (8 + 3) * _OCTAVE
# Values in [0, 1]: from 2^-32.
_UNIT_OCTAVES = N_BINS // _OCTAVE

# Above this a map would overflow in its variance, as in the conversion of maps.
_LARGE = 1e100


def clean_map(score_map: NDArray[Any]) -> NDArray[np.float64]:
    """The map as the conversion to detections sees it: negative and non-finite values are 0.

    Parameters
    ----------
    score_map : (H, W) ndarray
        A method's raw output.

    Returns
    -------
    (H, W) ndarray of float64
        Finite and at least 0. Divided by its maximum where that exceeds 1e100; what is
        made of a clean map here does not depend on its gain.

    Raises
    ------
    UsageError
        For another number of dimensions.
    """
    if score_map.ndim != 2:
        raise UsageError(f"score_map must have shape (H, W), got {score_map.shape}.")
    values = np.asarray(score_map, dtype=np.float64)
    # Most maps are clean; of one with NaN neither comparison holds.
    if not (values.min(initial=0.0) >= 0 and values.max(initial=0.0) <= _LARGE):
        values = np.where(np.isfinite(values) & (values > 0), values, 0.0)
        largest = values.max()
        values = values / largest if largest > _LARGE else values
    return values


def standardise(cleaned: NDArray[np.float64]) -> NDArray[np.float32]:
    """``(map - mean) / std`` of one image; 0 everywhere where the map is constant.

    The scores of ``components/1`` are these values at the peaks.

    Parameters
    ----------
    cleaned : (H, W) ndarray of float64
        Of :func:`clean_map`.

    Returns
    -------
    (H, W) ndarray of float32
        In standard deviations; none exceeds ``sqrt(H W - 1)``.
    """
    if cleaned.size == 0:
        return np.zeros(cleaned.shape, dtype=np.float32)
    # Relative to one pixel: a constant must give 0, not the rounding error of its mean.
    centred = cleaned - cleaned[0, 0]
    centred -= centred.mean()
    flat = centred.ravel()
    std = math.sqrt(float(flat @ flat) / flat.size)
    if std == 0.0:
        return np.zeros(cleaned.shape, dtype=np.float32)
    centred /= std
    return np.asarray(centred, dtype=np.float32)


def normalise(cleaned: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(map - min) / (max - min)`` of one image; 0 everywhere where the map is constant.

    Parameters
    ----------
    cleaned : (H, W) ndarray of float64
        Of :func:`clean_map`.

    Returns
    -------
    (H, W) ndarray of float64
        In [0, 1].
    """
    low, high = (cleaned.min(), cleaned.max()) if cleaned.size else (0.0, 0.0)
    # A subnormal range would overflow in the division.
    if high - low < np.finfo(np.float64).tiny:
        return np.zeros_like(cleaned)
    values = cleaned - low
    values /= high - low
    return values


def bin_values(values: NDArray[Any], binning: Binning) -> NDArray[np.int32]:
    """The bin of each value.

    Parameters
    ----------
    values : ndarray of float
        Finite.
    binning : {"standardised/1", "unit/1"}
        ``standardised/1`` takes standardised values: with ``L`` the base-2 logarithm made
        linear between powers of two, a bin is 1/128 of ``sign(z) (L(|z| + 1/256) + 8)``,
        from z = -8 to 8192: at most ``(|z| + 1/256) / 128`` wide. ``unit/1`` takes values
        in [0, 1]: 1/128 of ``L(u)`` from 2^-32 to 1; a bin is at most ``u / 128`` wide.
        Both end bins take what lies beyond.

    Returns
    -------
    ndarray of int32
        0 to 4095; the bin of the larger of two values is never the smaller.

    Examples
    --------
    >>> import numpy as np
    >>> bin_values(np.array([-9.0, -0.001, 0.0, 1.0, 1e6]), "standardised/1").tolist()
    [0, 1375, 1408, 2432, 4095]
    """
    if binning == "unit/1":
        steps = _steps(np.asarray(values, dtype=np.float32))
        steps += _UNIT_OCTAVES * _OCTAVE
        return _clip(steps)
    # Adding 0 turns -0 into 0.
    single = np.asarray(values, dtype=np.float32) + np.float32(0)
    negative = single.view(np.int32) >> 31
    np.abs(single, out=single)
    single += _SMALLEST
    steps = _steps(single)
    steps += 8 * _OCTAVE
    # From below 0 the steps count downwards: `steps ^ -1` is -1 - steps.
    steps ^= negative
    steps += _ZERO_BIN
    return _clip(steps)


def bin_edges(binning: Binning) -> NDArray[np.float64]:
    """The values that part the bins.

    Returns
    -------
    (4097,) ndarray of float64
        Ascending; bin ``b`` reaches from ``edges[b]`` to ``edges[b + 1]``. Of the two, the
        one nearer to 0 belongs to it. The ends are infinite for ``standardised/1``, 0 and 1
        for ``unit/1``.
    """
    if binning == "unit/1":
        edges = _power(np.arange(N_BINS + 1) - _UNIT_OCTAVES * _OCTAVE)
        edges[0] = 0.0
        return edges
    steps = np.arange(N_BINS + 1) - _ZERO_BIN
    edges = np.sign(steps) * (_power(np.abs(steps) - 8 * _OCTAVE) - float(_SMALLEST))
    edges[[0, -1]] = -np.inf, np.inf
    return edges


def _steps(values: NDArray[np.float32]) -> NDArray[np.int32]:
    """Whole 128ths of the piecewise linear logarithm; very negative for 0."""
    # The bits of a positive float, exponent before mantissa, ascend with it.
    steps = values.view(np.int32) >> _SHIFT
    steps -= _EXPONENT_BIAS << _BITS_PER_OCTAVE
    return steps


def _clip(bins: NDArray[np.int32]) -> NDArray[np.int32]:
    # Twice as fast as np.clip.
    np.maximum(bins, 0, out=bins)
    return np.minimum(bins, N_BINS - 1, out=bins)


def _power(steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """The inverse of :func:`_steps`: where a step begins."""
    octave, part = np.divmod(steps, _OCTAVE)
    return np.asarray(np.ldexp(1 + part / _OCTAVE, octave))
