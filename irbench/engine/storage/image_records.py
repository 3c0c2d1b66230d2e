"""What is recorded of images: one by one, many in a few arrays, and as rows of an Arrow table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from irbench.detections import Detections
from irbench.detections.packed_detections import DetectionsById, PackedDetections
from irbench.metrics.map_statistics import MapStatistics

DETECTIONS_SCHEMA = pa.schema(
    [
        ("split", pa.dictionary(pa.int32(), pa.string())),
        ("image", pa.dictionary(pa.int32(), pa.string())),
        ("extent", pa.float64()),
        *((name, pa.float32()) for name in ("x0", "y0", "x1", "y1", "score")),
        *((name, pa.float64()) for name in ("centroid_x", "centroid_y", "area")),
        # Start and length of each run in raster order, one after the other; null for boxes.
        ("region", pa.list_(pa.int32())),
    ]
)
READ_COLUMNS = ["split", "image", "extent", "x0", "y0", "x1", "y1", "score", "region"]
"""What is needed to make detections again; the others are for readers of the file."""


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


def detection_table(block: RecordBlock) -> pa.Table:
    """The rows of a block of entries, one per detection, in their order."""
    packed, per_image = block.found, [len(extents) for extents in block.extents]
    counts = np.diff(packed.offsets)
    extents = np.array([one for image in block.extents for one in image], dtype=np.float64)
    runs = pa.ListArray.from_arrays(
        # The offset of a list that is null is null; the last one closes the last list.
        pa.array(2 * packed.run_offsets, pa.int32(), mask=np.append(~packed.has_regions, False)),
        pa.array(packed.runs.ravel()),
    )
    centroids = packed.centroids
    arrays = [
        _repeated(block.splits, per_image, counts),
        _repeated(block.images, per_image, counts),
        # None has become NaN, and becomes null.
        pa.array(np.repeat(extents, counts), from_pandas=True),
        *(pa.array(np.ascontiguousarray(packed.boxes[:, side])) for side in range(4)),
        pa.array(packed.scores),
        *(pa.array(np.ascontiguousarray(centroids[:, axis])) for axis in range(2)),
        pa.array(packed.areas),
        runs,
    ]
    return pa.Table.from_arrays(arrays, schema=DETECTIONS_SCHEMA)


def _repeated(
    names: Sequence[str], per_image: Sequence[int], counts: NDArray[np.int64]
) -> pa.DictionaryArray:
    encoded = pa.array(names, pa.string()).dictionary_encode()
    indices = np.repeat(np.repeat(encoded.indices.to_numpy(), per_image), counts)
    return pa.DictionaryArray.from_arrays(indices, encoded.dictionary)


def packed_rows(
    table: pa.Table, shapes: Mapping[str, tuple[int, int]]
) -> tuple[list[str], PackedDetections]:
    """The images of rows that are in order of image."""
    images = table["image"].combine_chunks()
    indices = images.indices.to_numpy()
    firsts = np.concatenate([[0], np.flatnonzero(np.diff(indices)) + 1])
    ids = images.dictionary.take(pa.array(indices[firsts])).to_pylist()
    regions = table["region"].combine_chunks()
    has_regions = regions.is_valid().to_numpy(zero_copy_only=False)
    n_runs = np.where(has_regions, np.diff(regions.offsets.to_numpy()) // 2, 0)
    packed = PackedDetections(
        np.append(firsts, len(indices)),
        np.stack([table[name].to_numpy() for name in ("x0", "y0", "x1", "y1")], axis=1),
        table["score"].to_numpy(),
        np.concatenate([[0], np.cumsum(n_runs)]),
        regions.flatten().to_numpy().reshape(-1, 2),
        np.array(
            [
                shapes[name] if with_region else (-1, -1)
                for name, with_region in zip(ids, has_regions[firsts], strict=True)
            ],
            np.int32,
        ).reshape(-1, 2),
    )
    return ids, packed


def by_id(ids: Sequence[str], packed: PackedDetections) -> DetectionsById:
    """Join neighbours of one image, which a row group may have cut."""
    is_first = np.array([i == 0 or ids[i] != ids[i - 1] for i in range(len(ids))], bool)
    starts = np.flatnonzero(is_first)
    joined = dataclasses.replace(
        packed,
        offsets=np.append(packed.offsets[starts], packed.offsets[-1]),
        shapes=packed.shapes[starts],
    )
    return DetectionsById([ids[start] for start in starts.tolist()], joined)
