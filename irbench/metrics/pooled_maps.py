"""Score maps of any number of images in little memory, their pixels added up as they come.

The values of a row are those of all images, each once, and need the pooled histograms alone. Kept
image by image, as a bootstrap asks for them, the histograms take up to 50 kB an image: gigabytes
for 100,000 images. Counts of pixels are whole numbers, so that their sums do not depend on the
order, and the values are those of :meth:`irbench.metrics.map_statistics.MapCounts.of` to the bit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, KeysView, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import DetectionsError, UsageError
from irbench.ground_truth import GroundTruth
from irbench.metrics.clutter_suppression import Gains
from irbench.metrics.map_statistics import (
    MapCounts,
    MapStatistics,
    constant_map,
    the_binning,
)
from irbench.metrics.pixel_roc import Histogram, OccupiedBins, RocCounts
from irbench.metrics.roc_3d import Roc3dCounts
from irbench.metrics.score_maps import N_BINS, Binning
from irbench.metrics.weighted import Draws, Values
from irbench.ragged_arrays import inverse_permutation, offsets_of

_BLOCK_IMAGES = 256


@dataclass(frozen=True, eq=False)
class PooledRoc(RocCounts):
    """The pixels of all images, as though the first had them all.

    So it has the values of draws in which all images count alike, and refuses other draws.
    """

    def won_pairs(self, draws: Draws) -> Values:
        """``(n_draws,)`` numerators of the area under the pooled curve.

        Raises
        ------
        UsageError
            If images count differently.
        """
        if (draws.weights != draws.weights[:1]).any():
            raise UsageError(
                "the score maps of all images were pooled, which holds no value of other draws of "
                "images; give the statistics of each image (MapCounts.of)."
            )
        return super().won_pairs(draws)


class PooledMaps:
    """Adds up the score maps of many images, for values of the whole set.

    Of each image a few numbers are kept, whatever its size.
    """

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}
        self._binnings: set[Binning] = set()
        # Target and background pixels; of the maps as they are compared, and of normalised ones.
        self._pixels = np.zeros((4, N_BINS))
        self._numbers: list[NDArray[np.float64]] = []
        self._gains: list[Gains] = []

    def keys(self) -> KeysView[str]:
        """The ids of the images."""
        return self._positions.keys()

    def add(self, ids: Sequence[str], images: Sequence[MapStatistics]) -> None:
        """Add some more images, for all of which memory is needed at one time.

        Raises
        ------
        ValueError
            For an image that is there already.
        """
        if not ids:
            return
        for name in ids:
            if name in self._positions:
                raise ValueError(f"the image {name!r} stands there twice")
            self._positions[name] = len(self._positions)
        self._binnings |= {one.binning for one in images}
        histograms = [list(_histograms(one)) for one in images]
        for total, some in zip(self._pixels, zip(*histograms, strict=True), strict=True):
            bins, counts = (
                np.concatenate([getattr(one, name) for one in some]) for name in ("bins", "counts")
            )
            total += np.bincount(bins, weights=counts, minlength=N_BINS)
        normalised = [one.normalised for one in images]
        self._numbers.append(
            np.array(
                [
                    (
                        one.target_sum,
                        one.background_sum,
                        one.histograms.target.total,
                        one.histograms.background.total,
                    )
                    for one in normalised
                ]
            )
        )
        self._gains.append(Gains.of([one.contrasts for one in images]))

    def counts(self, truths: Sequence[GroundTruth]) -> MapCounts:
        """The counts of ``truths``, in their order; an image without a map has one of 0 everywhere.

        Parameters
        ----------
        truths : sequence of GroundTruth
            With masks; all images that were added are among them.

        Raises
        ------
        DetectionsError
            If an image that was added is not.
        UsageError
            If some maps are probabilities and others are not.
        """
        check_images(self.keys(), truths)
        binning = the_binning(self._binnings)
        lacking = [one for one in truths if one.id not in self._positions]
        for first in range(0, len(lacking), _BLOCK_IMAGES):
            some = lacking[first : first + _BLOCK_IMAGES]
            self.add([one.id for one in some], list(_constant_maps(some, binning)))
        n = len(truths)
        order = np.array([self._positions[one.id] for one in truths], np.int64)
        numbers = np.concatenate([np.zeros((0, 4)), *self._numbers])[order]
        as_they_are, normalised = (
            PooledRoc(n, _pooled(target), _pooled(background))
            for target, background in (self._pixels[:2], self._pixels[2:])
        )
        target_sums, background_sums = (np.ascontiguousarray(numbers[:, i]) for i in (0, 1))
        n_target, n_background = (numbers[:, i].astype(np.int64) for i in (2, 3))
        return MapCounts(
            binning,
            as_they_are,
            Roc3dCounts(normalised, target_sums, background_sums, n_target, n_background),
            _ordered(self._gains, order),
        )


def check_images(ids: KeysView[str], truths: Sequence[GroundTruth]) -> None:
    """Refuse score maps of images that are not among ``truths``.

    Raises
    ------
    DetectionsError
    """
    strangers = sorted(ids - {truth.id for truth in truths})
    if strangers:
        raise DetectionsError(
            f"score maps must be of images of the dataset; {len(strangers)} are not, "
            f"such as {strangers[0]!r}."
        )


def _constant_maps(truths: Sequence[GroundTruth], binning: Binning) -> Iterator[MapStatistics]:
    for truth in truths:
        assert truth.targets is not None
        yield constant_map(truth.shape, truth.targets, binning)


def _histograms(one: MapStatistics) -> Iterator[Histogram]:
    for pair in (one.histograms, one.normalised.histograms):
        yield from (pair.target, pair.background)


def _pooled(pixels: NDArray[np.float64]) -> OccupiedBins:
    bins = np.flatnonzero(pixels)
    return np.zeros(len(bins), np.int64), bins, pixels[bins]


def _ordered(blocks: Sequence[Gains], order: NDArray[np.int64]) -> Gains:
    """The gains of several blocks of images, their targets in another order of the images."""
    starts = offsets_of([one.n_images for one in blocks])
    position = inverse_permutation(order)

    def joined(name: str, kind: Any) -> NDArray[Any]:
        return np.concatenate([np.zeros(0, kind), *(getattr(one, name) for one in blocks)])

    added = [one.images + start for one, start in zip(blocks, starts.tolist(), strict=False)]
    images = position[np.concatenate([np.zeros(0, np.int64), *added])]
    by_image = np.argsort(images, kind="stable")
    values = {
        one.name: joined(one.name, bool if one.name == "erased" else np.float64)[by_image]
        for one in dataclasses.fields(Gains)
        if one.name not in ("n_images", "images")
    }
    return Gains(len(order), images[by_image], **values)
