"""Detections, ground truth and timings of a run as Parquet files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from irbench.atomic import replacing
from irbench.detections.packed_detections import DetectionsById, PackedDetections
from irbench.detections.regions import Regions
from irbench.engine.storage.arrow_values import arrow_scalar
from irbench.engine.storage.detection_table import (
    DETECTIONS_SCHEMA,
    READ_COLUMNS,
    by_id,
    detection_table,
    packed_rows,
)
from irbench.engine.storage.file_checks import check_columns, check_numbers
from irbench.engine.storage.image_records import (
    ImageRecord,
    RecordBlock,
    StageTimes,
    TimingOutcome,
    blocks_of,
)
from irbench.ground_truth import GroundTruth

WriteRecords = Callable[[RecordBlock], None]

_RUNS = pa.list_(pa.int32())
_ROW_GROUP = 512
"""Images of a row group, an image at two extents being two; so many are read at once."""

IMAGES_SCHEMA = pa.schema(
    [
        ("split", pa.string()),
        ("image", pa.string()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("boxes", pa.list_(pa.float32())),
        ("regions", pa.list_(_RUNS)),
        ("ignored", pa.list_(pa.float32())),
    ]
)
TIMINGS_SCHEMA = pa.schema(
    [
        ("purpose", pa.string()),
        ("split", pa.string()),
        ("image", pa.string()),
        ("pre_ms", pa.float64()),
        ("compute_ms", pa.float64()),
        ("post_ms", pa.float64()),
        ("error", pa.string()),
    ]
)


@contextmanager
def detections_writer(path: Path) -> Iterator[WriteRecords]:
    """Give a function that writes entries; ``path`` is replaced when the block ends well."""
    with replacing(path) as temporary, pq.ParquetWriter(temporary, DETECTIONS_SCHEMA) as writer:

        def write(entries: RecordBlock) -> None:
            table = detection_table(entries)
            starts = entries.found.offsets[:-1:_ROW_GROUP].tolist()
            for start, end in pairwise([*starts, len(table)]):
                writer.write_table(table.slice(start, end - start))

        yield write


def write_detections(path: Path, entries: Iterable[ImageRecord]) -> None:
    """Write the detections of a method, in the order of ``entries``.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    entries : iterable of ImageRecord
        Drawn some at a time, so that memory stays bounded.
    """
    write_all(entries, detections_writer(path))


def write_all(
    entries: Iterable[ImageRecord], *writers: AbstractContextManager[WriteRecords]
) -> None:
    """Write entries to several files in one pass over them; see :func:`write_blocks`."""
    write_blocks(blocks_of(entries), *writers)


def write_blocks(
    blocks: Iterable[RecordBlock], *writers: AbstractContextManager[WriteRecords]
) -> None:
    """Write blocks of entries to several files in one pass over them.

    Parameters
    ----------
    blocks : iterable of RecordBlock
        Drawn one at a time, so that memory stays bounded.
    *writers : context manager
        Each gives a function that writes a block.
    """
    with ExitStack() as stack:
        write = [stack.enter_context(writer) for writer in writers]
        for block in blocks:
            for one in write:
                one(block)


def read_detections(
    path: Path, split: str, extent: float | None, shapes: Mapping[str, tuple[int, int]]
) -> DetectionsById:
    """Read what a method found on a split at one extent.

    The file is read a row group at a time and kept as arrays; an image's detections become
    an object when they are asked for.

    Parameters
    ----------
    path : Path
    split : str
    extent : float or None
        None for methods without one.
    shapes : mapping of str to (int, int)
        Height and width of each image.

    Returns
    -------
    mapping of str to Detections
        Images without detections are absent.
    """
    import pyarrow.compute as pc

    ids: list[str] = []
    parts: list[PackedDetections] = []
    file = pq.ParquetFile(path)
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, columns=READ_COLUMNS)
        check_columns(table, DETECTIONS_SCHEMA, set(READ_COLUMNS) - {"extent", "region"})
        check_numbers(table, ["region"])
        chosen = pc.equal(table["split"].cast(pa.string()), arrow_scalar(split))
        column = table["extent"]
        same = pc.is_null(column) if extent is None else pc.equal(column, arrow_scalar(extent))
        # What is null is not chosen.
        table = table.filter(pc.and_(chosen, same)).combine_chunks()
        if len(table):
            names, part = packed_rows(table, shapes)
            ids += names
            parts.append(part)
    packed = PackedDetections.concatenate(parts)
    # Now, while it is known which file they come from.
    packed.check()
    # An image whose detections end one group and begin the next is one image.
    return by_id(ids, packed)


def write_ground_truth(path: Path, truths: Mapping[str, Sequence[GroundTruth]]) -> None:
    """Write the ground truth of the splits that a run uses."""
    rows = ((split, truth) for split, images in truths.items() for truth in images)
    with replacing(path) as temporary, pq.ParquetWriter(temporary, IMAGES_SCHEMA) as writer:
        while group := list(islice(rows, _ROW_GROUP)):
            columns = {
                "split": [split for split, _ in group],
                "image": [truth.id for _, truth in group],
                "height": [truth.shape[0] for _, truth in group],
                "width": [truth.shape[1] for _, truth in group],
                "boxes": [truth.boxes.ravel() for _, truth in group],
                "ignored": [truth.ignored.ravel() for _, truth in group],
                "regions": [
                    None if truth.targets is None else _unpack(truth.targets) for _, truth in group
                ],
            }
            writer.write_table(pa.table(columns, schema=IMAGES_SCHEMA))


def read_ground_truth(path: Path) -> dict[str, list[GroundTruth]]:
    """Read what :func:`write_ground_truth` wrote, by split."""
    truths: dict[str, list[GroundTruth]] = {}
    for batch in pq.ParquetFile(path).iter_batches(_ROW_GROUP):
        table = pa.Table.from_batches([batch])
        check_columns(table, IMAGES_SCHEMA, set(IMAGES_SCHEMA.names) - {"regions", "ignored"})
        numbers = ("boxes", "regions", "ignored")
        check_numbers(table, [name for name in numbers if name in table.schema.names])
        for row in batch.to_pylist():
            shape = (row["height"], row["width"])
            targets = None if row["regions"] is None else _pack_runs(row["regions"], shape)
            boxes = np.asarray(row["boxes"], dtype=np.float32).reshape(-1, 4)
            # Runs of before there was a choice have no such column.
            ignored = np.asarray(row.get("ignored") or [], dtype=np.float32).reshape(-1, 4)
            truth = GroundTruth(row["image"], shape, boxes, targets, ignored)
            truths.setdefault(row["split"], []).append(truth)
    return truths


@contextmanager
def timings_writer(
    path: Path, measured: Mapping[str, StageTimes], split: str, before: pa.Table | None = None
) -> Iterator[WriteRecords]:
    """Give a function that writes what entries took; what was ``measured`` comes last.

    ``before`` has rows that such a file held, which come first.
    """
    with replacing(path) as temporary, pq.ParquetWriter(temporary, TIMINGS_SCHEMA) as writer:
        if before is not None:
            writer.write_table(before.select(TIMINGS_SCHEMA.names).cast(TIMINGS_SCHEMA))

        def write(entries: RecordBlock) -> None:
            columns = entries.splits, entries.images, entries.times, entries.errors
            rows = [_timing("run", *row) for row in zip(*columns, strict=True)]
            writer.write_table(pa.Table.from_pylist(rows, schema=TIMINGS_SCHEMA))

        yield write
        rows = [_timing("timing", split, image, times, "") for image, times in measured.items()]
        writer.write_table(pa.Table.from_pylist(rows, schema=TIMINGS_SCHEMA))


def write_timings(
    path: Path, entries: Iterable[ImageRecord], measured: Mapping[str, StageTimes], split: str
) -> None:
    """Write what each image took in the run, and in the timing pass; and what failed."""
    write_all(entries, timings_writer(path, measured, split))


def replace_measured(path: Path, measured: Mapping[str, StageTimes], split: str) -> None:
    """Put another timing pass in the place of the one in a file, and leave the rest as it is."""
    import pyarrow.compute as pc

    table = pq.ParquetFile(path).read()
    check_columns(table, TIMINGS_SCHEMA, TIMINGS_SCHEMA.names)
    with timings_writer(
        path, measured, split, table.filter(pc.equal(table["purpose"], arrow_scalar("run")))
    ):
        pass


def read_timings(
    path: Path,
    split: str,
    peak_memory: int | None = None,
    waited_share: float | None = None,
) -> tuple[dict[str, str], TimingOutcome | None]:
    """Read what :func:`write_timings` wrote.

    Parameters
    ----------
    path : Path
    split : str
    peak_memory, waited_share
        Of the timing pass, which are kept elsewhere.

    Returns
    -------
    errors : dict of str to str
        Failed images of the split, and why.
    timing : TimingOutcome or None
        Of the timing pass.
    """
    import pyarrow.compute as pc

    table = pq.ParquetFile(path).read()
    check_columns(table, TIMINGS_SCHEMA, ("purpose", "split", "image", "error"))
    table = table.filter(pc.equal(table["split"], arrow_scalar(split)))
    bad = pc.not_equal(table["error"], arrow_scalar(""))
    failed = table.filter(bad).select(["image", "error"]).to_pylist()
    errors = {row["image"]: row["error"] for row in failed}
    is_timing = pc.equal(table["purpose"], arrow_scalar("timing"))
    timed = table.filter(pc.and_not(is_timing, bad)).to_pylist()
    times = {
        row["image"]: StageTimes(row["pre_ms"], row["compute_ms"], row["post_ms"]) for row in timed
    }
    return errors, TimingOutcome(times, peak_memory, waited_share) if times else None


def _timing(
    purpose: str, split: str, image: str, times: StageTimes | None, error: str
) -> dict[str, Any]:
    stages = {} if times is None else vars(times)
    return {"purpose": purpose, "split": split, "image": image, "error": error, **stages}


def _unpack(regions: Regions) -> list[Any]:
    return [regions.region_runs(index).ravel() for index in range(len(regions))]


def _pack_runs(runs: Sequence[Sequence[int]], shape: tuple[int, int]) -> Regions:
    if len(runs) == 0:
        return Regions.empty(shape)
    counts = [len(region) // 2 for region in runs]
    flat = np.concatenate([np.asarray(region, dtype=np.int32) for region in runs])
    return Regions(flat.reshape(-1, 2), np.concatenate([[0], np.cumsum(counts)]), shape)
