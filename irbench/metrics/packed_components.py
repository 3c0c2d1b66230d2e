"""Components of many images in a few arrays, and those of them that lie near each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from irbench.detections import box_centroids
from irbench.detections.boxes import filled_area, filled_first_pixel
from irbench.detections.regions import Regions, run_areas, run_centroids, run_pixels
from irbench.metrics.components import Components
from irbench.ragged_arrays import offsets_of

if TYPE_CHECKING:
    from irbench.detections.packed_detections import PackedDetections
    from irbench.ground_truth import GroundTruth

_NO_RUNS = np.zeros((0, 2), np.int32)


@dataclass(frozen=True, eq=False)
class PackedComponents:
    """The components of N images; see :class:`irbench.metrics.components.Components`.

    Attributes
    ----------
    offsets : (N + 1,) ndarray of int64
        Image ``i`` has the components ``offsets[i]:offsets[i + 1]``.
    centroids : (D, 2) ndarray of float64
    areas, first_pixels : (D,) ndarray of int64
    runs : (R, 2) ndarray of int32
        Of the regions, one component after another, and none of filled boxes; see
        :class:`irbench.detections.regions.Regions`.
    run_offsets : (D + 1,) ndarray of int64
    """

    offsets: NDArray[np.int64]
    centroids: NDArray[np.float64]
    areas: NDArray[np.int64]
    first_pixels: NDArray[np.int64]
    runs: NDArray[np.int32]
    run_offsets: NDArray[np.int64]

    @classmethod
    def of(cls, images: Iterable[Components]) -> PackedComponents:
        """Components of each image, without their pixels."""
        listed = list(images)
        none = np.zeros(0, np.int64)
        offsets = offsets_of([len(one) for one in listed])
        return cls(
            offsets,
            np.concatenate([np.zeros((0, 2)), *(one.centroids for one in listed)]),
            np.concatenate([none, *(one.areas for one in listed)]),
            np.concatenate([none, *(one.first_pixels for one in listed)]),
            _NO_RUNS,
            np.zeros(offsets[-1] + 1, np.int64),
        )

    @classmethod
    def of_regions(cls, images: Iterable[Regions]) -> PackedComponents:
        """Those that the regions of each image are."""
        listed = list(images)
        n_runs = [np.diff(one.offsets) for one in listed]
        offsets = offsets_of([len(one) for one in n_runs])
        runs = np.concatenate([_NO_RUNS, *(one.runs for one in listed)])
        run_offsets = offsets_of(np.concatenate([np.zeros(0, np.int64), *n_runs]))
        widths = np.repeat([one.shape[1] for one in listed], [len(one.runs) for one in listed])
        return cls(
            offsets,
            run_centroids(runs, run_offsets, widths.astype(np.int64)),
            run_areas(runs, run_offsets),
            runs[run_offsets[:-1], 0].astype(np.int64),
            runs,
            run_offsets,
        )

    @classmethod
    def of_detections(
        cls, found: PackedDetections, truths: Sequence[GroundTruth]
    ) -> PackedComponents:
        """Regions as they are, boxes filled, on the images of ``truths``."""
        shapes = np.array([truth.shape for truth in truths], np.int64).reshape(-1, 2)
        height, width = np.repeat(shapes, np.diff(found.offsets), axis=0).T
        in_regions = found.has_regions
        if in_regions.all():
            centroids = np.zeros((len(width), 2))
            areas, first_pixels = np.zeros((2, len(width)), np.int64)
        else:
            centroids = box_centroids(found.boxes)
            areas = filled_area(found.boxes, (height, width))
            first_pixels = filled_first_pixel(found.boxes, (height, width))
        if in_regions.any():
            widths = np.repeat(width, np.diff(found.run_offsets))
            of_regions = run_centroids(found.runs, found.run_offsets, widths)
            centroids = np.where(in_regions[:, None], of_regions, centroids)
            areas = np.where(in_regions, run_areas(found.runs, found.run_offsets), areas)
            first_pixels[in_regions] = found.runs[found.run_offsets[:-1][in_regions], 0]
        return cls(found.offsets, centroids, areas, first_pixels, found.runs, found.run_offsets)

    @classmethod
    def of_truths(cls, truths: Sequence[GroundTruth]) -> PackedComponents:
        """The targets: regions as they are, boxes filled."""
        regions = [truth.targets for truth in truths if truth.targets is not None]
        if len(regions) == len(truths):
            return cls.of_regions(regions)
        return cls.of(
            Components.from_boxes(truth.boxes, truth.shape)
            if truth.targets is None
            else Components.from_regions(truth.targets)
            for truth in truths
        )

    def __len__(self) -> int:
        return len(self.areas)

    @property
    def n_images(self) -> int:
        """Number of images, those without a component included."""
        return len(self.offsets) - 1

    def of_image(self, image: int) -> Components:
        """The components of one image."""
        own = slice(self.offsets[image], self.offsets[image + 1])
        return Components(self.centroids[own], self.areas[own], self.first_pixels[own])

    @cached_property
    def image(self) -> NDArray[np.int64]:
        """``(D,)`` image of each component."""
        return np.repeat(np.arange(self.n_images), np.diff(self.offsets))

    @property
    def pixel_keys(self) -> NDArray[np.int64]:
        """``(P,)`` pixels of each region in turn, each a number that no other image has."""
        return (np.repeat(self.image, self.areas) << 32) | run_pixels(self.runs)

    @cached_property
    def run_keys(self) -> NDArray[np.int64]:
        """``(R, 2)`` first pixel of each run and the one behind its last, by such numbers."""
        image = np.repeat(self.image, np.diff(self.run_offsets))
        first = (image << 32) | self.runs[:, 0]
        return np.stack([first, first + self.runs[:, 1]], axis=1)

    def in_raster_order(
        self, rows: NDArray[np.int64], group: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """Indices of ``rows`` by group, and in raster order of the first pixel in each.

        As :attr:`irbench.metrics.components.Components.raster_order`.

        Parameters
        ----------
        rows : (n,) ndarray of int64
        group : (n,) ndarray of int64, optional
            By default the image of each.
        """
        x, y = self.centroids[rows].T
        within = self.image[rows] if group is None else group
        return np.lexsort((rows, self.areas[rows], y, x, self.first_pixels[rows], within))


class NearPairs(NamedTuple):
    """Pairs of components of the same image."""

    found: NDArray[np.int64]
    """``(P,)`` row of the one."""
    target: NDArray[np.int64]
    """``(P,)`` row of the other."""
    distance: NDArray[np.float64]
    """``(P,)`` of their centroids, in pixels."""


def near_pairs(found: PackedComponents, targets: PackedComponents, distance_px: float) -> NearPairs:
    """The pairs whose centroids are nearer than ``distance_px``."""
    parts = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    first, n_targets = targets.offsets[found.image], np.diff(targets.offsets)[found.image]
    rows = np.arange(len(found))
    # One target of every image at a time: memory stays that of the components.
    for slot in range(int(n_targets.max(initial=0))):
        rows = rows[n_targets[rows] > slot]
        columns = first[rows] + slot
        # Most pairs are apart, which one coordinate shows for a quarter of the work.
        near = np.abs(targets.centroids[columns, 0] - found.centroids[rows, 0]) < distance_px
        some, columns = rows[near], columns[near]
        difference = targets.centroids[columns] - found.centroids[some]
        distance = np.sqrt((difference**2).sum(axis=-1))
        near = distance < distance_px
        parts.append((some[near], columns[near], distance[near]))
    return NearPairs(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def without_rivals(
    found: PackedComponents, pairs: NearPairs
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Tell the images on which a matching has a choice from the others.

    Returns
    -------
    alone : (P,) ndarray of bool
        Pairs on images where no component is in two pairs: any matching takes them all.
    contested : (n,) ndarray of int64
        The images where some component is, ascending.
    """
    several = (np.bincount(pairs.found)[pairs.found] > 1) | (
        np.bincount(pairs.target)[pairs.target] > 1
    )
    contested = np.unique(found.image[pairs.found[several]])
    return ~np.isin(found.image[pairs.found], contested), contested


def first_come(found: NDArray[np.int64], targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Match one to one, greedily: a pair stands unless an earlier one has either of its two.

    Parameters
    ----------
    found, targets : (n,) ndarray of int64

    Returns
    -------
    (m,) ndarray of int64
        Positions of the pairs that stand, ascending.

    Examples
    --------
    >>> first_come(np.array([0, 0, 1, 2]), np.array([5, 6, 5, 6])).tolist()
    [0, 3]
    """
    taken: tuple[set[int], set[int]] = set(), set()
    standing = []
    for pair, (one, other) in enumerate(zip(found.tolist(), targets.tolist(), strict=True)):
        if one not in taken[0] and other not in taken[1]:
            taken[0].add(one)
            taken[1].add(other)
            standing.append(pair)
    return np.array(standing, dtype=np.int64)
