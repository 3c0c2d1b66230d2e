"""Detections of many images in a few arrays, instead of some objects for each image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from irbench.detections.image_detections import Detections, box_areas, box_centroids
from irbench.detections.regions import Regions, run_areas, run_centroids
from irbench.errors import DetectionsError
from irbench.ragged_arrays import offsets_of, ranges

_CHUNK = 1024


@dataclass(frozen=True, eq=False)
class PackedDetections(Sequence[Detections]):
    """The detections of N images, made into objects only when they are asked for.

    Attributes
    ----------
    offsets : (N + 1,) ndarray of int64
        Image ``i`` has the detections ``offsets[i]:offsets[i + 1]``.
    boxes : (D, 4) ndarray of float32
    scores : (D,) ndarray of float32
    run_offsets : (D + 1,) ndarray of int64
        Detection ``d`` has the runs ``run_offsets[d]:run_offsets[d + 1]``.
    runs : (R, 2) ndarray of int32
        See :class:`irbench.detections.regions.Regions`.
    shapes : (N, 2) ndarray of int32
        Height and width; -1 for an image whose detections have no regions.
    """

    offsets: NDArray[np.int64]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    run_offsets: NDArray[np.int64]
    runs: NDArray[np.int32]
    shapes: NDArray[np.int32]

    @classmethod
    def of(cls, images: Iterable[Detections]) -> PackedDetections:
        """Pack detections, image by image."""
        packed, pending = [], []
        for one in images:
            pending.append(one)
            if len(pending) == _CHUNK:
                packed.append(_pack(pending))
                pending = []
        return cls.concatenate([*packed, _pack(pending)])

    @classmethod
    def packed(cls, images: Sequence[Detections]) -> PackedDetections:
        """Those of ``images``, which may be packed already."""
        return images if isinstance(images, cls) else cls.of(images)

    @classmethod
    def concatenate(cls, parts: Sequence[PackedDetections]) -> PackedDetections:
        """The images of all parts, one part after the other; of no part, no image."""
        if not parts:
            return _pack([])
        return cls(
            _join_offsets([one.offsets for one in parts]),
            np.concatenate([one.boxes for one in parts]),
            np.concatenate([one.scores for one in parts]),
            _join_offsets([one.run_offsets for one in parts]),
            np.concatenate([one.runs for one in parts]),
            np.concatenate([one.shapes for one in parts]),
        )

    def check_sizes(self) -> None:
        """Refuse arrays whose sizes do not fit each other.

        Raises
        ------
        DetectionsError
        """
        _check_offsets("offsets", self.offsets, len(self.shapes), len(self.boxes))
        _check_offsets("run_offsets", self.run_offsets, len(self.boxes), len(self.runs))

    def check(self) -> None:
        """Refuse what an image's :class:`Detections` would refuse, for all images at once.

        Raises
        ------
        DetectionsError
        """
        self.check_sizes()
        Detections(self.boxes, self.scores)
        sides = self.shapes.astype(np.int64)
        with_regions = (sides > 0).all(axis=1) & (sides.prod(axis=1) < 2**31)
        if not (with_regions | (sides == -1).all(axis=1)).all():
            raise DetectionsError("every shape must be a height and a width, or (-1, -1).")
        n_runs = np.diff(self.run_offsets)
        image_of_box = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        height, width = self.shapes[image_of_box].astype(np.int64).T
        if ((n_runs == 0) != (height < 0)).any():
            raise DetectionsError("every detection of an image has a region, or none has.")
        starts, lengths = self.runs.astype(np.int64).T
        n_pixels, width = np.repeat(height * width, n_runs), np.repeat(width, n_runs)
        bad = (starts < 0) | (lengths < 1) | (starts + lengths > n_pixels)
        if (bad | (starts // width != (starts + lengths - 1) // width)).any():
            raise DetectionsError("every run of a region must be within one row of its image.")

    @property
    def boxes_per_image(self) -> list[NDArray[np.float32]]:
        """The boxes of each image, as views: N arrays of shape ``(n, 4)``."""
        return np.split(self.boxes, self.offsets[1:])[: len(self)]

    @property
    def scores_per_image(self) -> list[NDArray[np.float32]]:
        """The scores of each image, as views: N arrays of shape ``(n,)``."""
        return np.split(self.scores, self.offsets[1:])[: len(self)]

    @property
    def has_regions(self) -> NDArray[np.bool_]:
        """``(D,)``: whether a detection has a region."""
        return np.repeat(self.shapes[:, 0] >= 0, np.diff(self.offsets))

    @property
    def centroids(self) -> NDArray[np.float64]:
        """``(D, 2)``; see :attr:`irbench.detections.Detections.centroids`."""
        counts = np.diff(self.offsets)
        widths = np.repeat(np.repeat(self.shapes[:, 1], counts), np.diff(self.run_offsets))
        of_regions = run_centroids(self.runs, self.run_offsets, widths.astype(np.int64))
        return np.where(self.has_regions[:, None], of_regions, box_centroids(self.boxes))

    @property
    def areas(self) -> NDArray[np.float64]:
        """``(D,)``; see :attr:`irbench.detections.Detections.areas`."""
        of_regions = run_areas(self.runs, self.run_offsets)
        return np.where(self.has_regions, of_regions, box_areas(self.boxes))

    def above(self, threshold: float) -> PackedDetections:
        """Of each image those with ``score >= threshold``; see :meth:`Detections.above`."""
        # In double precision, as there.
        is_kept = self.scores.astype(np.float64) >= threshold
        offsets = offsets_of(is_kept)[self.offsets]
        return self._with_rows(np.flatnonzero(is_kept), offsets, self.shapes)

    def take(self, positions: Sequence[int]) -> PackedDetections:
        """The chosen images, in the order of ``positions``; -1 stands for one without any.

        Parameters
        ----------
        positions : sequence of int
            From -1 to N - 1.
        """
        # The last image is the one that -1 stands for.
        counts = np.append(np.diff(self.offsets), 0)
        shapes = np.append(self.shapes, [[-1, -1]], axis=0).astype(np.int32, copy=False)
        chosen = np.asarray(positions, dtype=np.int64)
        rows = ranges(self.offsets[chosen], counts[chosen])
        return self._with_rows(rows, offsets_of(counts[chosen]), shapes[chosen])

    def _with_rows(
        self, rows: NDArray[np.int64], offsets: NDArray[np.int64], shapes: NDArray[np.int32]
    ) -> PackedDetections:
        """Some of the detections, as those of images with ``offsets`` and ``shapes``."""
        n_runs = np.diff(self.run_offsets)[rows]
        return PackedDetections(
            offsets,
            self.boxes[rows],
            self.scores[rows],
            offsets_of(n_runs),
            self.runs[ranges(self.run_offsets[rows], n_runs)],
            shapes,
        )

    def __len__(self) -> int:
        return len(self.shapes)

    @overload
    def __getitem__(self, index: int) -> Detections: ...
    @overload
    def __getitem__(self, index: slice) -> list[Detections]: ...
    def __getitem__(self, index: int | slice) -> Detections | list[Detections]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        first, end = self.offsets[position], self.offsets[position + 1]
        regions = None
        height, width = self.shapes[position].tolist()
        if height >= 0:
            offsets = self.run_offsets[first : end + 1]
            runs = self.runs[offsets[0] : offsets[-1]]
            regions = Regions(runs, offsets - offsets[0], (height, width))
        return Detections(self.boxes[first:end], self.scores[first:end], regions)


class DetectionsById(Mapping[str, Detections]):
    """Packed detections by the id of the image.

    Parameters
    ----------
    ids : sequence of str
    packed : PackedDetections
        In the order of ``ids``.
    """

    def __init__(self, ids: Sequence[str], packed: PackedDetections) -> None:
        self.packed = packed
        self._positions = {name: position for position, name in enumerate(ids)}

    def __getitem__(self, name: str) -> Detections:
        return self.packed[self._positions[name]]

    def __contains__(self, name: object) -> bool:
        return name in self._positions

    def __iter__(self) -> Iterator[str]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)


def _pack(images: Sequence[Detections]) -> PackedDetections:
    regions = [one.regions for one in images]
    # A detection without a region counts no run.
    n_runs = [
        np.zeros(len(one), np.int64) if one.regions is None else np.diff(one.regions.offsets)
        for one in images
    ]
    shapes = [(-1, -1) if one is None else one.shape for one in regions]
    return PackedDetections(
        offsets_of([len(one) for one in images]),
        np.concatenate([np.zeros((0, 4), np.float32), *(one.boxes for one in images)]),
        np.concatenate([np.zeros(0, np.float32), *(one.scores for one in images)]),
        offsets_of(np.concatenate([np.zeros(0, np.int64), *n_runs])),
        np.concatenate([np.zeros((0, 2), np.int32), *(one.runs for one in regions if one)]),
        np.array(shapes, np.int32).reshape(-1, 2),
    )


def _join_offsets(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return offsets_of(np.concatenate([np.diff(part) for part in parts]))


def _check_offsets(name: str, offsets: NDArray[np.int64], n: int, end: int) -> None:
    good = offsets.shape == (n + 1,) and offsets[0] == 0 and offsets[-1] == end
    if not good or (np.diff(offsets) < 0).any():
        raise DetectionsError(
            f"{name} must be {n + 1} numbers that rise from 0 to {end}, got {offsets}."
        )
