"""Random numbers that are the same on every machine and with every version of numpy.

Only ``PCG64.random_raw`` is drawn from: of a ``PCG64`` numpy guarantees that a seed
has the same integers for ever, of a ``Generator`` it does not. Everything after the
bits is integer arithmetic or one correctly rounded IEEE 754 operation at a time: no
libm, whose last bit differs between machines, and no sum whose order is left to the
library.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The standard deviation of a sum of 8 independent bytes, in units of one: sqrt(8 (256² - 1) / 12).
_BYTES_MEAN = 8 * 255 / 2
_BYTES_STD = math.sqrt(43690)


def ordered_sum(values: Iterable[float]) -> float:
    """The sum from left to right; the built-in one compensates from Python 3.12 on."""
    total = 0.0
    for value in values:
        total += value
    return total


class Stream:
    """A reproducible source of random numbers, named by a key.

    Parameters
    ----------
    *key : str
        Words that name the stream. Two keys have independent streams; the same
        key has the same stream for ever.
    """

    def __init__(self, *key: str) -> None:
        self._key = key
        digest = hashlib.sha256("/".join(key).encode()).digest()
        self._bits = np.random.PCG64(int.from_bytes(digest, "big"))

    def child(self, name: str) -> Stream:
        """An independent stream, whatever was drawn from this one."""
        return Stream(*self._key, name)

    def uniforms(self, *shape: int) -> Floats:
        """Uniform numbers in [0, 1), multiples of 2⁻⁵³."""
        return np.asarray((self._raw(*shape) >> np.uint64(11)) * 2.0**-53)

    def normals(self, *shape: int) -> Floats:
        """Nearly normal numbers of mean 0 and standard deviation 1.

        The standardised sum of 8 uniform bytes: excess kurtosis -0.15, steps of
        1/209, never beyond ±4.9.
        """
        octets = self._raw(*shape)[..., None].view(np.uint8)
        total = octets.sum(axis=-1, dtype=np.int64)
        return np.asarray((total - _BYTES_MEAN) / _BYTES_STD)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """One number in [low, high)."""
        return low + (high - low) * float(self.uniforms(1)[0])

    def normal(self) -> float:
        """One nearly normal number; see :meth:`normals`."""
        return float(self.normals(1)[0])

    def integer(self, low: int, high: int) -> int:
        """One integer from ``low`` to ``high``, both included."""
        return low + int(self.uniform() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.uniform() < probability

    def choose(self, weights: Mapping[str, float]) -> str:
        """One of the names, with probability proportional to its weight."""
        left = self.uniform() * ordered_sum(weights.values())
        for name, weight in weights.items():
            left -= weight
            if left < 0:
                return name
        # Rounding may leave a last bit of the sum.
        return list(weights)[-1]

    def direction(self) -> tuple[float, float]:
        """Cosine and sine of a uniformly drawn angle, without cosine and sine."""
        while True:
            x, y = self.uniform(-1, 1), self.uniform(-1, 1)
            squared = x * x + y * y
            if 0.01 < squared <= 1:
                length = math.sqrt(squared)
                return x / length, y / length

    def _raw(self, *shape: int) -> NDArray[np.uint64]:
        count = 1
        for length in shape:
            count *= length
        return np.asarray(self._bits.random_raw(count), dtype=np.uint64).reshape(shape)
