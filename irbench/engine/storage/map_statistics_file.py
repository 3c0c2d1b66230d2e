"""What is kept of score maps, as a line of the journal and as a Parquet file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from irbench.atomic import replacing
from irbench.engine.storage.file_checks import check_columns, check_numbers
from irbench.engine.storage.image_records import BLOCK_IMAGES, RecordBlock
from irbench.errors import RunKeyError
from irbench.json_fields import parse_json
from irbench.metrics.clutter_suppression import LocalContrasts
from irbench.metrics.map_statistics import PROBABILITY, STANDARDISED, MapStatistics
from irbench.metrics.own_counts import MapCount
from irbench.metrics.pixel_roc import Histogram, PixelHistograms
from irbench.metrics.pooled_maps import PooledMaps
from irbench.metrics.roc_3d import NormalisedStatistics
from irbench.metrics.score_maps import N_BINS

_HISTOGRAMS = ("target", "background", "unit_target", "unit_background")
_SUMS = ("target_sum", "background_sum")
_OWN = "own"
_CONTRASTS = ("contrast_in", "std_in", "contrast_out", "std_out")

MAP_STATISTICS_SCHEMA = pa.schema(
    [
        ("split", pa.string()),
        ("image", pa.string()),
        # Name and version of the bins of `target` and `background`; the others are `unit/1`.
        ("binning", pa.string()),
        *(
            (f"{name}_{part}", pa.list_(kind))
            for name in _HISTOGRAMS
            for part, kind in (("bins", pa.uint16()), ("counts", pa.int32()))
        ),
        *((name, pa.float64()) for name in _SUMS),
        # One value per target; null where it is undefined.
        *((name, pa.list_(pa.float64())) for name in _CONTRASTS),
        # What metrics of plug-ins count, as JSON; null, or no column in older files, where none.
        (_OWN, pa.string()),
    ]
)


def encode_map(measured: MapStatistics) -> dict[str, Any]:
    """The statistics as a flat record, for JSON or a row of the Parquet file."""
    pairs = (measured.histograms, measured.normalised.histograms)
    histograms = [one for pair in pairs for one in (pair.target, pair.background)]
    record: dict[str, Any] = {"binning": measured.binning}
    for name, histogram in zip(_HISTOGRAMS, histograms, strict=True):
        record[f"{name}_bins"] = histogram.bins
        record[f"{name}_counts"] = histogram.counts
    record.update({name: getattr(measured.normalised, name) for name in _SUMS})
    record.update({name: _optional(getattr(measured.contrasts, name)) for name in _CONTRASTS})
    if measured.own:
        record[_OWN] = orjson.dumps(measured.own).decode()
    return record


def decode_map(record: Mapping[str, Any]) -> MapStatistics:
    """The statistics of a record of :func:`encode_map`.

    Raises
    ------
    RunKeyError
        For bins of another version.
    LookupError, ValueError
        For a record that is damaged.
    """
    if not isinstance(record, Mapping):
        raise ValueError(f"the score map's statistics must be an object, got {str(record)[:40]}")
    binning = record["binning"]
    if binning not in (STANDARDISED, PROBABILITY):
        raise RunKeyError(
            f"the score maps were counted in bins {binning!r}, which this irbench does not know; "
            "use the irbench that wrote them, or another --out."
        )
    target, background, unit_target, unit_background = (
        _histogram(name, record[f"{name}_bins"], record[f"{name}_counts"]) for name in _HISTOGRAMS
    )
    unit = PixelHistograms(unit_target, unit_background)
    sums = _numbers("the sums", [record[name] for name in _SUMS], np.float64)
    # None becomes NaN.
    contrasts = [_numbers(name, record[name], np.float64) for name in _CONTRASTS]
    if not np.isfinite(sums).all() or any(one.shape != contrasts[0].shape for one in contrasts):
        raise ValueError("the sums must be finite, and the contrasts as many as targets")
    return MapStatistics(
        binning,
        PixelHistograms(target, background),
        NormalisedStatistics(unit, *sums.tolist()),
        LocalContrasts(*contrasts),
        _own_counts(record.get(_OWN)),
    )


def _own_counts(text: str | None) -> dict[str, MapCount]:
    if text is None:
        return {}
    found = parse_json(text)
    if not isinstance(found, dict):
        raise ValueError(f"the countings of a score map must be an object, got {text[:40]}")
    return {name: _map_count(name, one) for name, one in found.items()}


def _map_count(name: str, one: Any) -> MapCount:
    fields = ("version", "values", "error")
    if not isinstance(one, dict) or set(one) != set(fields):
        raise ValueError(f"the counting {name} must have {', '.join(fields)}, got {str(one)[:40]}")
    values = _numbers(name, one["values"], np.float64)
    if not (isinstance(one["version"], str) and isinstance(one["error"], str)):
        raise ValueError(f"version and error of the counting {name} must be texts")
    if not np.isfinite(values).all():
        raise ValueError(f"the values of the counting {name} must be finite")
    return MapCount(one["version"], tuple(values.tolist()), one["error"])


def _histogram(name: str, bins: Any, counts: Any) -> Histogram:
    found = Histogram(_numbers(name, bins, np.uint16), _numbers(name, counts, np.int32))
    same = found.bins.shape == found.counts.shape
    if not same or (found.bins >= N_BINS).any() or (found.counts < 1).any():
        raise ValueError(f"{name} must have counts of at least 1 in bins below {N_BINS}")
    return found


def _numbers(name: str, values: Any, kind: Any) -> NDArray[Any]:
    """A list of numbers as an array; its elements may be anything before."""
    try:
        array = np.asarray(values, dtype=kind)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"{name} must be numbers of type {np.dtype(kind)}: {error}") from error
    if array.ndim != 1:
        raise ValueError(f"{name} must be a list of numbers, got {array.ndim} dimensions")
    return array


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
    filled = [name for name in MAP_STATISTICS_SCHEMA.names if name != _OWN]
    check_columns(table, MAP_STATISTICS_SCHEMA, filled)
    check_numbers(table, [f"{name}_{part}" for name in _HISTOGRAMS for part in ("bins", "counts")])
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
    values = lists.values.to_numpy(zero_copy_only=False)
    offsets = lists.offsets.to_numpy()
    return [values[low:high] for low, high in pairwise(offsets)]


def _optional(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]
