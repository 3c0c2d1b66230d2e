"""Images without end of which every metric is known exactly, and samples of them.

A superpopulation is a large but finite list of images, and a sample is drawn from it with
replacement: so the images of a sample are independent, and the metric on the whole list is what a
sample estimates, not another estimate of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from irbench.metrics.average_precision import map50
from irbench.metrics.counting import count_boxes, f1, precision, recall
from irbench.metrics.match_table import MatchTable
from irbench.metrics.operating_point import best_f1_threshold
from irbench.metrics.points import PointCounts, pd
from irbench.statistics.image_statistics import ImageStatistics

METRICS = (f1, map50, pd, precision, recall)

N_SCENES = 50_000
"""Each is an image twice: two methods see it, and either is the first as often as the other."""

_NO_TARGET = 0.05
_MORE_TARGETS = 0.4
_NO_CANDIDATE = 0.015
_EASE = 0.9
_SCATTER = 0.9
_CLUTTER_EASE = 0.3
_CLUTTER_SHAPE = 1.5
_LOOSE_BOX = -3.0


@dataclass(frozen=True)
class DetectorModel:
    """How a simulated detector scores.

    Attributes
    ----------
    title : str
    power : float
        Mean score of a target, where clutter has mean 0 and deviation 1.
    clutter : float
        Mean number of candidates an image that are no target.
    """

    title: str
    power: float
    clutter: float


class Superpopulation:
    """Images that two equally good methods have run on.

    An image has no target (1 of 20) or 1 + Poisson(0.4) of them. It has an ease, normal, that
    raises the scores of all its targets and lowers those of its clutter; the number of clutter
    candidates is Poisson of a gamma rate. So hits and false alarms of one image depend on each
    other. A target has a candidate with probability 0.985, of a score of its own; the lower it
    is, the more often its box misses IoU 0.5, though the centroid is near enough for Pd.

    The two methods share targets and eases and nothing else. Every pair of images is in the list
    in both orders, so that the two have the same truth to the last hit.

    Parameters
    ----------
    model : DetectorModel
    seed : int
    n_scenes : int
    """

    def __init__(self, model: DetectorModel, seed: int = 0, n_scenes: int = N_SCENES) -> None:
        rng = np.random.default_rng(seed)
        targets = np.where(
            rng.random(n_scenes) < _NO_TARGET, 0, 1 + rng.poisson(_MORE_TARGETS, n_scenes)
        )
        ease = rng.normal(0, 1, n_scenes)
        seen = [_candidates(rng, model, targets, ease) for _ in range(2)]
        image, score, hit, near = (
            np.concatenate(parts)
            for parts in zip(seen[0], (seen[1][0] + n_scenes, *seen[1][1:]), strict=True)
        )
        order = np.lexsort((-score, image))
        self._near = near[order]
        self.table = _table(image[order], score[order], hit[order], np.tile(targets, 2))
        self._starts = np.searchsorted(self.table.image_index, np.arange(2 * n_scenes + 1))
        threshold = best_f1_threshold(self.table).value
        assert threshold is not None
        self.threshold = threshold
        """The operating point: fixed beforehand, as one of validation images is."""

    @property
    def n_images(self) -> int:
        """Number of images of the list."""
        return self.table.n_images

    @cached_property
    def truth(self) -> dict[str, float]:
        """The metrics on the whole list."""
        found = self.statistics(np.arange(self.n_images)).values(np.ones((self.n_images, 1)))
        return {name: float(values[0]) for name, values in found.items()}

    def sample(self, rng: np.random.Generator, n: int) -> NDArray[np.int64]:
        """``(n,)`` images, drawn with replacement."""
        return rng.integers(0, self.n_images, n)

    def twins(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        """The other method on the same images."""
        return (images + self.n_images // 2) % self.n_images

    def statistics(self, images: NDArray[np.int64]) -> ImageStatistics:
        """The metrics of a sample as functions of draws: those of irbench itself."""
        starts, sizes = self._starts[images], np.diff(self._starts)[images]
        place = np.repeat(np.arange(len(images)), sizes)
        first = np.cumsum(sizes) - sizes
        rows = np.arange(len(place)) + (starts - first)[place]
        whole = self.table
        table = _table(place, whole.scores[rows], whole.hit[rows, 0], whole.n_targets[images])
        kept = place[self._near[rows] & (table.scores >= self.threshold)]
        none = np.zeros(len(images), np.int64)
        parts = {
            "table": table,
            "boxes": count_boxes(table, self.threshold),
            "points": PointCounts(
                np.bincount(kept, minlength=len(images)), table.n_targets, none, none, none, none
            ),
        }
        forms = {one.name: one.checked(parts[one.needs]) for one in METRICS}
        adding = [one.name for one in METRICS if one.adds_miss]
        return ImageStatistics(len(images), forms, adding)


Candidates = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]
"""Image and score of each, whether it hits by IoU, and whether by distance."""


def _candidates(
    rng: np.random.Generator,
    model: DetectorModel,
    targets: NDArray[np.int64],
    ease: NDArray[np.float64],
) -> Candidates:
    n_images = len(targets)
    of_target = np.repeat(np.arange(n_images), targets)
    of_target = of_target[rng.random(len(of_target)) >= _NO_CANDIDATE]
    found = model.power + _EASE * ease[of_target] + rng.normal(0, _SCATTER, len(of_target))
    fits = rng.random(len(found)) < 1 / (1 + np.exp(_LOOSE_BOX - found))
    rates = model.clutter * rng.gamma(_CLUTTER_SHAPE, 1 / _CLUTTER_SHAPE, n_images)
    of_clutter = np.repeat(np.arange(n_images), rng.poisson(rates))
    false = rng.normal(0, 1, len(of_clutter)) - _CLUTTER_EASE * ease[of_clutter]
    nothing = np.zeros(len(of_clutter), bool)
    return (
        np.concatenate([of_target, of_clutter]),
        np.concatenate([found, false]),
        np.concatenate([fits, nothing]),
        np.concatenate([np.ones(len(found), bool), nothing]),
    )


def _table(
    image: NDArray[np.int64],
    scores: NDArray[np.float64],
    hit: NDArray[np.bool_],
    n_targets: NDArray[np.int64],
) -> MatchTable:
    """Which target is hit matters to no metric, only whether one is."""
    target = np.where(hit, 0, -1).astype(np.int32)[:, None]
    return MatchTable(image, np.arange(len(image)), scores, target, n_targets, np.array([0.5]))
