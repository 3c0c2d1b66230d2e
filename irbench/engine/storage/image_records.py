"""What is recorded of images, one by one and many in a few arrays.

Without Arrow, which a worker does not need: its import takes time, and starts threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice

from irbench.detections import Detections
from irbench.detections.packed_detections import PackedDetections
from irbench.metrics.map_statistics import MapStatistics


@dataclass(frozen=True)
class StageTimes:
    """Milliseconds that an image took, by stage."""

    pre_ms: float
    compute_ms: float
    post_ms: float


@dataclass(frozen=True)
class TimingOutcome:
    """What the timing pass measured, image by image.

    Attributes
    ----------
    times : dict of str to StageTimes
    peak_memory_bytes : int or None
    waited_share : float or None
        Of the pass, for which it waited for a processor that other programs had, 0 to 1; None
        where the system does not count. See :mod:`irbench.process.processor_wait`.
    """

    times: dict[str, StageTimes]
    peak_memory_bytes: int | None
    waited_share: float | None = None


@dataclass(frozen=True, eq=False)
class ImageRecord:
    """What is recorded of one image.

    Attributes
    ----------
    split, image : str
    found : dict of (float or None) to Detections
        By extent; None where the conversion has none. Empty for a failed image.
    times : StageTimes or None
    error : str
        Empty for an image that is done.
    map_statistics : MapStatistics or None
        Of the method's score map, on the tested split of data with masks.
    """

    split: str
    image: str
    found: dict[float | None, Detections]
    times: StageTimes | None = None
    error: str = ""
    map_statistics: MapStatistics | None = None


BLOCK_IMAGES = 256
"""Images of a block; so many are in memory at one time."""


@dataclass(frozen=True, eq=False)
class RecordBlock:
    """The entries of N images, in their order.

    Attributes
    ----------
    splits, images : list of str
    extents : list of tuple of (float or None)
        For which an image has detections; none for one that failed.
    found : PackedDetections
        Of the first image at each of its extents, then of the second.
    times : list of (StageTimes or None)
    errors : list of str
    map_statistics : list of (MapStatistics or None)
    """

    splits: list[str]
    images: list[str]
    extents: list[tuple[float | None, ...]]
    found: PackedDetections
    times: list[StageTimes | None]
    errors: list[str]
    map_statistics: list[MapStatistics | None]

    @classmethod
    def of(cls, entries: Sequence[ImageRecord]) -> RecordBlock:
        """A block of entries that are objects."""
        return cls(
            [one.split for one in entries],
            [one.image for one in entries],
            [tuple(one.found) for one in entries],
            PackedDetections.of(chain.from_iterable(one.found.values() for one in entries)),
            [one.times for one in entries],
            [one.error for one in entries],
            [one.map_statistics for one in entries],
        )

    @classmethod
    def concatenate(cls, blocks: Sequence[RecordBlock]) -> RecordBlock:
        """The entries of all blocks, one block after the other."""
        return cls(
            [split for one in blocks for split in one.splits],
            [image for one in blocks for image in one.images],
            [extents for one in blocks for extents in one.extents],
            PackedDetections.concatenate([one.found for one in blocks]),
            [times for one in blocks for times in one.times],
            [error for one in blocks for error in one.errors],
            [measured for one in blocks for measured in one.map_statistics],
        )

    def at_extent(self, extent: float | None) -> PackedDetections:
        """What was found at one extent, image by image; nothing where an image has none."""
        return self.found.take(
            [
                first + extents.index(extent) if extent in extents else -1
                for first, extents in zip(self._firsts(), self.extents, strict=True)
            ]
        )

    def entry(self, position: int) -> ImageRecord:
        """One entry as an object."""
        first = list(self._firsts())[position]
        extents = self.extents[position]
        found = self.found[first : first + len(extents)]
        return ImageRecord(
            self.splits[position],
            self.images[position],
            dict(zip(extents, found, strict=True)),
            self.times[position],
            self.errors[position],
            self.map_statistics[position],
        )

    def __len__(self) -> int:
        return len(self.images)

    def _firsts(self) -> Iterable[int]:
        """Where in ``found`` each image begins."""
        return accumulate(map(len, self.extents[:-1]), initial=0) if self.extents else ()


def blocks_of(entries: Iterable[ImageRecord]) -> Iterator[RecordBlock]:
    """Entries as blocks, drawn some at a time."""
    remaining = iter(entries)
    while group := list(islice(remaining, BLOCK_IMAGES)):
        yield RecordBlock.of(group)
