"""Draws of images, and the sums over them that metrics are made of.

A metric is one function of how often each image counts. Its value is that with every image once;
a bootstrap passes many draws at a time, a breakdown 0 or 1, and no detection is matched again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError
from irbench.metrics.value import check_weights

Values = NDArray[np.float64]
"""``(n_draws,)`` values of a metric, NaN where undefined."""

_MANY_DRAWS = 16
"""From so many on, compiled code is worth its import."""

_LARGEST_COUNT = 2.0**32
"""Of an image; a million of them still sum to less than what a float holds exactly, 2**53."""


class Draws:
    """How often each image counts in each of several draws.

    Parameters
    ----------
    weights : (n_images, n_draws) ndarray of float64
        Finite and not negative.
    missed : (n_draws,) ndarray of float64, optional
        Targets, in no image, that no method finds: what a bootstrap assumes of average precision;
        see :attr:`irbench.statistics.resamples.Resamples.missed`. By default none.

    Raises
    ------
    UsageError
    """

    def __init__(
        self, weights: NDArray[np.float64], missed: NDArray[np.float64] | None = None
    ) -> None:
        if weights.ndim != 2:
            raise UsageError(f"weights must have shape (n_images, n_draws), got {weights.shape}.")
        # A form that wrote into them would change what the next one is given.
        self.weights = weights.view()
        self.weights.flags.writeable = False
        self.missed = np.zeros(self.n_draws) if missed is None else missed
        if self.missed.shape != (self.n_draws,):
            raise UsageError(
                f"missed must have shape ({self.n_draws},), as many as weights has draws, "
                f"got {self.missed.shape}."
            )
        self._made: dict[Hashable, Any] = {}
        # The missed targets of these draws and of their variants, which share the list.
        self._all_missed, self._variant = [self.missed], 0

    @classmethod
    def single(cls, n_images: int, weights: NDArray[Any] | None = None) -> Draws:
        """One draw of ``n_images``: ``(n_images,)`` weights, or every image once."""
        checked = check_weights(weights, n_images)
        return cls(np.ones((n_images, 1)) if checked is None else checked[:, None])

    def with_missed(self, missed: NDArray[np.float64]) -> Draws:
        """A variant of these draws with ``(n_draws,)`` missed targets; :meth:`once` serves both."""
        draws = Draws(self.weights, missed)
        draws._made, draws._all_missed = self._made, self._all_missed
        draws._variant = len(self._all_missed)
        self._all_missed.append(draws.missed)
        return draws

    @property
    def n_images(self) -> int:
        """Number of images."""
        return len(self.weights)

    @property
    def n_draws(self) -> int:
        """Number of draws."""
        return int(self.weights.shape[1])

    @property
    def by_draw(self) -> NDArray[np.float64]:
        """``(n_draws, n_images)`` weights, those of a draw one beside the other."""
        by_draw: NDArray[np.float64] = self.once(
            "by draw", lambda: np.ascontiguousarray(self.weights.T)
        )
        return by_draw

    def sums(self, counts: NDArray[Any]) -> Values:
        """``(n_draws,)`` sums of ``(n_images,)`` counts."""
        return np.asarray(counts.astype(np.float64) @ self.weights)

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What ``make`` returns, made once for all metrics that ask for it by one key."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def once_for_all_missed(
        self,
        keys: Sequence[Hashable],
        make: Callable[[list[Any], NDArray[np.float64]], NDArray[np.float64]],
    ) -> list[Values]:
        """Values that depend on :attr:`missed`, each made once for all metrics that ask for it.

        They are made together for these draws and for all variants that :meth:`with_missed` has
        returned so far: most draws have the same missed targets in each, and so the same values.

        Parameters
        ----------
        keys : sequence of hashable
            Of each result.
        make : callable
            From ``m`` keys and ``(n, n_draws)`` missed targets to ``(m, n, n_draws)`` values.

        Returns
        -------
        list of (n_draws,) ndarray of float64
            By key, those of these draws' own missed targets.
        """
        made: list[list[Values]] = [self.once(("for all missed", key), list) for key in keys]
        for n_made in {len(one) for one in made} - {len(self._all_missed)}:
            lacking = [index for index, one in enumerate(made) if len(one) == n_made]
            new = make([keys[index] for index in lacking], np.stack(self._all_missed[n_made:]))
            for index, values in zip(lacking, new, strict=True):
                made[index].extend(values)
        return [one[self._variant] for one in made]


Form = Callable[[Draws], Values]
"""A metric of given counts as a function of draws."""


def compiled_forms(n_draws: int) -> Any:
    """:mod:`irbench.metrics.compiled_forms`; None for few draws, or where numba cannot compile."""
    return _compiled_forms() if n_draws >= _MANY_DRAWS else None


@cache
def _compiled_forms() -> Any:
    try:
        return import_module("irbench.metrics.compiled_forms")
    except ImportError:
        return None


@dataclass(frozen=True, eq=False)
class Ratio:
    """One sum over images divided by another.

    Parameters
    ----------
    numerator, denominator : (n_images,) ndarray
    required : (n_images,) ndarray, optional
        The ratio is undefined where this sums to 0; by default the denominator.

    Examples
    --------
    >>> import numpy as np
    >>> draws = Draws(np.array([[1.0, 0.0], [1.0, 2.0]]))
    >>> Ratio(np.array([1, 1]), np.array([4, 1]))(draws).tolist()
    [0.4, 1.0]
    """

    numerator: NDArray[Any]
    denominator: NDArray[Any]
    required: NDArray[Any] | None = None

    def __call__(self, draws: Draws) -> Values:
        """The ratio in each draw, NaN where undefined."""
        denominator = draws.sums(self.denominator)
        required = denominator if self.required is None else draws.sums(self.required)
        return divided(draws.sums(self.numerator), denominator, required)


class WholeRatios:
    """The values of several ratios of whole counts, by one matrix product for all their sums.

    Ratios with other counts are left out. Sums of whole numbers are exact in any order, so that
    the values are those of each ratio alone to the last bit.

    Parameters
    ----------
    n_images : int
    ratios : mapping of str to Ratio

    Examples
    --------
    >>> hits, targets, overlap = np.array([1, 1]), np.array([4, 1]), np.array([0.5, 0.25])
    >>> ratios = WholeRatios(2, {"pd": Ratio(hits, targets), "iou": Ratio(overlap, targets)})
    >>> {name: ratio.tolist() for name, ratio in ratios(Draws(np.array([[1.0], [2.0]]))).items()}
    {'pd': [0.5]}
    """

    def __init__(self, n_images: int, ratios: Mapping[str, Ratio]) -> None:
        rows: dict[bytes, int] = {}
        sums_of: dict[str, list[int]] = {}
        for name, one in ratios.items():
            required = one.denominator if one.required is None else one.required
            parts = (one.numerator, one.denominator, required)
            if all(_are_whole(part, n_images) for part in parts):
                texts = [part.astype(np.float64).tobytes() for part in parts]
                sums_of[name] = [rows.setdefault(text, len(rows)) for text in texts]
        self._names = tuple(sums_of)
        self._parts = np.array(list(sums_of.values()), dtype=np.int64).reshape(-1, 3).T
        self._counts = np.frombuffer(b"".join(rows)).reshape(len(rows), n_images)

    def __call__(self, draws: Draws) -> dict[str, Values]:
        """Each ratio in each draw, NaN where undefined."""
        sums = self._counts @ draws.weights
        found = divided(*(sums[part] for part in self._parts))
        return dict(zip(self._names, found, strict=True))


def _are_whole(counts: Any, n_images: int) -> bool:
    # What a plug-in gives may be anything: the ratio itself says what is wrong with it.
    if type(counts) is not np.ndarray or counts.shape != (n_images,):
        return False
    if counts.dtype.kind not in "biuf":
        return False
    # Not NaN, nor so great that a sum of many could be inexact.
    return bool(((counts == np.rint(counts)) & (np.abs(counts) < _LARGEST_COUNT)).all())


def divided(
    numerator: NDArray[np.float64],
    denominator: NDArray[np.float64],
    required: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """``numerator / denominator``, NaN where ``required``, by default the denominator, is 0."""
    ratio = np.full(denominator.shape, np.nan)
    where = (denominator if required is None else required) > 0
    np.divide(numerator, denominator, out=ratio, where=where)
    return ratio
