"""The draws of a bootstrap over images: how often each image counts in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError
from irbench.ragged_arrays import inverse_permutation

N_RESAMPLES = 10_000
MISSED = 0.5
"""Targets, found by nobody, that a bootstrap adds to the sample: half a one, as Jeffreys' prior."""

BLOCK_SIZE = 64
"""Draws at a time: with 1000 images and as many targets, what is in work fits a level-2 cache."""

MOST_DRAWS = 512
"""Most draws at a time, however few the images."""


def block_size(n_images: int) -> int:
    """How many draws of so many images to make at a time: of more, a call weighs less.

    Examples
    --------
    >>> block_size(86), block_size(266), block_size(10_000)
    (512, 240, 64)
    """
    return max(BLOCK_SIZE, min(BLOCK_SIZE * 1000 // n_images, MOST_DRAWS))


@dataclass(frozen=True)
class Resamples:
    """Draws of images with replacement, as many as there are images.

    The same ids, number and seed always give the same draws; the order in which
    the images are listed changes nothing, since they are drawn in order of their
    ids. One object serves several methods, which makes their draws paired.

    Parameters
    ----------
    image_ids : sequence of str
        Distinct, at least two: one image has no spread.
    n_resamples : int
        Number of draws.
    seed : int
        Not negative.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> draws = Resamples(("a", "b", "c"), n_resamples=5)
    >>> [block.shape for block in draws.blocks(size=3)]
    [(3, 3), (3, 2)]
    >>> next(draws.blocks(size=5)).sum(axis=0).tolist()
    [3.0, 3.0, 3.0, 3.0, 3.0]
    """

    image_ids: Sequence[str]
    n_resamples: int = N_RESAMPLES
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "image_ids", tuple(self.image_ids))
        if len(self.image_ids) < 2:
            raise UsageError(
                "image_ids must hold at least two images, since one has no spread, "
                f"got {len(self.image_ids)}."
            )
        if len(set(self.image_ids)) < len(self.image_ids):
            twice = next(one for one in self.image_ids if self.image_ids.count(one) > 1)
            raise UsageError(f"image_ids must be distinct, got {twice!r} more than once.")
        if self.n_resamples < 1:
            raise UsageError(f"n_resamples must be at least 1, got {self.n_resamples}.")
        if self.seed < 0:
            raise UsageError(f"seed must not be negative, got {self.seed}.")

    @property
    def n_images(self) -> int:
        """Number of images, and of images in each draw."""
        return len(self.image_ids)

    @cached_property
    def id_ranks(self) -> NDArray[np.int64]:
        """``(n_images,)`` rank of each image in the order of ids, from 0."""
        by_id = sorted(range(self.n_images), key=self.image_ids.__getitem__)
        return inverse_permutation(np.array(by_id, dtype=np.int64))

    @cached_property
    def missed(self) -> NDArray[np.float64]:
        """``(n_resamples,)`` how often a target that no method finds is in each draw.

        A sample in which every target is found says nothing of those that are missed, which
        average precision depends on: no draw of it holds one, and all its quantiles lie above the
        truth. As a proportion has half a failure added in Jeffreys' interval [1]_, the images have
        one more, of weight :data:`MISSED`, with a target that is not found. [2]_

        References
        ----------
        .. [1] L. D. Brown, T. T. Cai and A. DasGupta, "Interval Estimation for a Binomial
           Proportion", Statistical Science 16(2), 2001.
        .. [2] P. Muliere and P. Secchi, "Bayesian Nonparametric Predictive Inference and Bootstrap
           Techniques", Ann. Inst. Statist. Math. 48(4), 1996.
        """
        generator = np.random.default_rng([self.seed, self.n_images])
        drawn = generator.binomial(self.n_images, MISSED / self.n_images, self.n_resamples)
        return drawn.astype(np.float64)

    def blocks(self, size: int = BLOCK_SIZE) -> Iterator[NDArray[np.float64]]:
        """All draws from the first, ``size`` at a time; the draws do not depend on it.

        Yields
        ------
        (n_images, n) ndarray of float64
            How often each image, in the order of ``image_ids``, counts in each of
            ``n <= size`` draws: whole numbers.
        """
        generator = np.random.default_rng(self.seed)
        n = self.n_images
        for start in range(0, self.n_resamples, size):
            n_draws = min(size, self.n_resamples - start)
            # int64: narrower ones are drawn several at a time, and a block would discard a rest.
            drawn = generator.integers(0, n, (n_draws, n), dtype=np.int64)
            drawn += n * np.arange(n_draws)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=n * n_draws).reshape(n_draws, n)
            yield np.ascontiguousarray(counts.T[self.id_ranks], dtype=np.float64)
