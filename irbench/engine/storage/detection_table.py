"""Detections of images as an Arrow table, and back; arrays both ways, no object for a row."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from irbench.detections.packed_detections import DetectionsById, PackedDetections
from irbench.engine.storage.arrow_values import array_values
from irbench.engine.storage.image_records import RecordBlock

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
    indices = np.repeat(np.repeat(array_values(encoded.indices), per_image), counts)
    return pa.DictionaryArray.from_arrays(indices, encoded.dictionary)


def packed_rows(
    table: pa.Table, shapes: Mapping[str, tuple[int, int]]
) -> tuple[list[str], PackedDetections]:
    """The images of rows that are in order of image."""
    images = table["image"].combine_chunks()
    indices = array_values(images.indices)
    firsts = np.concatenate([[0], np.flatnonzero(np.diff(indices)) + 1])
    names = images.dictionary.to_pylist()
    ids = [names[place] for place in indices[firsts].tolist()]
    regions = table["region"].combine_chunks()
    has_regions = array_values(regions.is_valid())
    n_runs = np.where(has_regions, np.diff(array_values(regions.offsets)) // 2, 0)
    packed = PackedDetections(
        np.append(firsts, len(indices)),
        np.stack([array_values(table[name]) for name in ("x0", "y0", "x1", "y1")], axis=1),
        array_values(table["score"]),
        np.concatenate([[0], np.cumsum(n_runs)]),
        array_values(regions.flatten()).reshape(-1, 2),
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
