"""Detections of many images in a few arrays, instead of some objects for each image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from irbench.detections import Detections
from irbench.errors import DetectionsError
from irbench.regions import Regions

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
        See :class:`irbench.regions.Regions`.
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

    def check(self) -> None:
        """Refuse what an image's :class:`Detections` would refuse, for all images at once.

        Raises
        ------
        DetectionsError
        """
        Detections(self.boxes, self.scores)
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
    empty : mapping of str to (int, int), optional
        Height and width of images that have no detections, but from a method with regions.
    """

    def __init__(
        self,
        ids: Sequence[str],
        packed: PackedDetections,
        empty: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        self.packed = packed
        self._positions = {name: position for position, name in enumerate(ids)}
        self._empty = {
            name: shape for name, shape in (empty or {}).items() if name not in self._positions
        }

    def with_empty(self, shapes: Mapping[str, tuple[int, int]]) -> DetectionsById:
        """The same, with an empty entry for each of ``shapes`` that has none."""
        return DetectionsById(list(self._positions), self.packed, shapes)

    def __getitem__(self, name: str) -> Detections:
        if name in self._empty:
            return Detections.empty(self._empty[name])
        return self.packed[self._positions[name]]

    def __contains__(self, name: object) -> bool:
        return name in self._positions or name in self._empty

    def __iter__(self) -> Iterator[str]:
        return chain(self._positions, self._empty)

    def __len__(self) -> int:
        return len(self._positions) + len(self._empty)


def _pack(images: Sequence[Detections]) -> PackedDetections:
    regions = [one.regions for one in images]
    # A detection without a region counts no run.
    n_runs = [
        np.zeros(len(one), np.int64) if one.regions is None else np.diff(one.regions.offsets)
        for one in images
    ]
    shapes = [(-1, -1) if one is None else one.shape for one in regions]
    return PackedDetections(
        _offsets([len(one) for one in images]),
        np.concatenate([np.zeros((0, 4), np.float32), *(one.boxes for one in images)]),
        np.concatenate([np.zeros(0, np.float32), *(one.scores for one in images)]),
        _offsets(np.concatenate([np.zeros(0, np.int64), *n_runs])),
        np.concatenate([np.zeros((0, 2), np.int32), *(one.runs for one in regions if one)]),
        np.array(shapes, np.int32).reshape(-1, 2),
    )


def _offsets(counts: Any) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.asarray(counts, dtype=np.int64))])


def _join_offsets(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return _offsets(np.concatenate([np.diff(part) for part in parts]))
