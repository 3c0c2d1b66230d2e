"""What is kept of score maps as a Parquet file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from irbench.atomic import replacing
from irbench.engine.storage.arrow_values import array_values
from irbench.engine.storage.file_checks import check_columns, check_numbers
from irbench.engine.storage.image_records import BLOCK_IMAGES, RecordBlock
from irbench.engine.storage.map_record import (
    CONTRASTS,
    HISTOGRAMS,
    OWN,
    SUMS,
    decode_map,
    encode_map,
)
from irbench.metrics.map_statistics import MapStatistics
from irbench.metrics.pooled_maps import PooledMaps

MAP_STATISTICS_SCHEMA = pa.schema(
    [
        ("split", pa.string()),
        ("image", pa.string()),
        # Name and version of the bins of `target` and `background`; the others are `unit/1`.
        ("binning", pa.string()),
        *(
            (f"{name}_{part}", pa.list_(kind))
            for name in HISTOGRAMS
            for part, kind in (("bins", pa.uint16()), ("counts", pa.int32()))
        ),
        *((name, pa.float64()) for name in SUMS),
        # One value per target; null where it is undefined.
        *((name, pa.list_(pa.float64())) for name in CONTRASTS),
        # What metrics of plug-ins count, as JSON; null, or no column in older files, where none.
        (OWN, pa.string()),
    ]
)


@contextmanager
def map_statistics_writer(path: Path) -> Iterator[Callable[[RecordBlock], None]]:
    """Give a function that writes what entries keep of score maps.

    ``path`` is replaced when the block ends well, and removed where no entry has a map.
    """
    writer: Any = None
    with ExitStack() as stack:

        def write(entries: RecordBlock) -> None:
            nonlocal writer
            columns = entries.splits, entries.images, entries.map_statistics
            rows = [
                {"split": split, "image": image, **encode_map(measured)}
                for split, image, measured in zip(*columns, strict=True)
                if measured is not None
            ]
            if rows and writer is None:
                temporary = stack.enter_context(replacing(path))
                writer = pq.ParquetWriter(temporary, MAP_STATISTICS_SCHEMA, compression="zstd")
                stack.enter_context(writer)
            if rows:
                writer.write_table(pa.Table.from_pylist(rows, schema=MAP_STATISTICS_SCHEMA))

        yield write
        if writer is None:
            path.unlink(missing_ok=True)


def read_map_statistics(path: Path, split: str) -> dict[str, MapStatistics]:
    """Read what :func:`map_statistics_writer` wrote of a split, by image.

    Raises
    ------
    RunKeyError
        For bins of another version.
    """
    return {name: one for block in _blocks(path, split) for name, one in block.items()}


def read_pooled_maps(path: Path, split: str) -> PooledMaps:
    """The same, added up some images at a time: memory does not grow with their size.

    Raises
    ------
    RunKeyError
        For bins of another version.
    """
    pooled = PooledMaps()
    for block in _blocks(path, split):
        pooled.add(list(block), list(block.values()))
    return pooled


def _blocks(path: Path, split: str) -> Iterator[dict[str, MapStatistics]]:
    for batch in pq.ParquetFile(path).iter_batches(BLOCK_IMAGES):
        yield _decoded(pa.Table.from_batches([batch]), split)


def _decoded(table: pa.Table, split: str) -> dict[str, MapStatistics]:
    filled = [name for name in MAP_STATISTICS_SCHEMA.names if name != OWN]
    check_columns(table, MAP_STATISTICS_SCHEMA, filled)
    check_numbers(table, [f"{name}_{part}" for name in HISTOGRAMS for part in ("bins", "counts")])
    columns: dict[str, list[Any]] = {
        name: _arrays(table[name]) if pa.types.is_list(kind) else table[name].to_pylist()
        for name, kind in zip(table.schema.names, table.schema.types, strict=True)
    }
    rows = (
        {name: column[index] for name, column in columns.items()} for index in range(len(table))
    )
    return {row["image"]: decode_map(row) for row in rows if row["split"] == split}


def _arrays(column: pa.ChunkedArray) -> list[NDArray[Any]]:
    """The lists of a column, without a Python object for each number."""
    lists = column.combine_chunks()
    values, offsets = array_values(lists.values), array_values(lists.offsets).tolist()
    return [values[low:high] for low, high in pairwise(offsets)]
