"""Detections, ground truth and timings of a run as Parquet files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from irbench.detections import Detections
from irbench.engine.atomic import replacing
from irbench.engine.records import Entry, StageTimes, TimingOutcome
from irbench.ground_truth import GroundTruth
from irbench.regions import Regions

_RUNS = pa.list_(pa.int32())

DETECTIONS_SCHEMA = pa.schema(
    [
        ("split", pa.dictionary(pa.int32(), pa.string())),
        ("image", pa.dictionary(pa.int32(), pa.string())),
        ("extent", pa.float64()),
        *((name, pa.float32()) for name in ("x0", "y0", "x1", "y1", "score")),
        *((name, pa.float64()) for name in ("centroid_x", "centroid_y", "area")),
        # Start and length of each run in raster order, one after the other; null for boxes.
        ("region", _RUNS),
    ]
)
IMAGES_SCHEMA = pa.schema(
    [
        ("split", pa.string()),
        ("image", pa.string()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("boxes", pa.list_(pa.float32())),
        ("regions", pa.list_(_RUNS)),
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


def write_detections(path: Path, entries: Iterable[Entry]) -> None:
    """Write the detections of a method, in the order of ``entries``.

    Parameters
    ----------
    path : Path
        Replaced atomically.
    entries : iterable of Entry
        Written one batch each, so that memory stays bounded.
    """
    with replacing(path) as temporary, pq.ParquetWriter(temporary, DETECTIONS_SCHEMA) as writer:
        batch: list[pa.Table] = []
        for entry in entries:
            batch.extend(_table(entry, extent, found) for extent, found in entry.found.items())
            if len(batch) >= 512:
                writer.write_table(pa.concat_tables(batch).unify_dictionaries())
                batch = []
        if batch:
            writer.write_table(pa.concat_tables(batch).unify_dictionaries())


def read_detections(
    path: Path, split: str, extent: float | None, shapes: dict[str, tuple[int, int]]
) -> dict[str, Detections]:
    """Read what a method found on a split at one extent.

    Parameters
    ----------
    path : Path
    split : str
    extent : float or None
        None for methods without one.
    shapes : dict of str to (int, int)
        Height and width of each image.

    Returns
    -------
    dict of str to Detections
        Images without detections are absent.
    """
    import pyarrow.compute as pc

    table = pq.read_table(path)
    chosen = pc.equal(table["split"].cast(pa.string()), split)
    same = pc.is_null(table["extent"]) if extent is None else pc.equal(table["extent"], extent)
    table = table.filter(pc.and_(chosen, pc.fill_null(same, False))).combine_chunks()
    images = np.asarray(table["image"].cast(pa.string()).to_pylist(), dtype=object)
    boxes = np.stack([table[name].to_numpy() for name in ("x0", "y0", "x1", "y1")], axis=1)
    scores = table["score"].to_numpy()
    regions = table["region"]
    firsts = np.flatnonzero(images[1:] != images[:-1]) + 1 if len(images) else np.zeros(0, int)
    found = {}
    for rows in np.split(np.arange(len(images)), firsts) if len(images) else []:
        image = images[rows[0]]
        runs = regions.slice(int(rows[0]), len(rows)).to_pylist()
        packed = None if runs[0] is None else _pack(runs, shapes[image])
        found[image] = Detections(boxes[rows], scores[rows], packed)
    return found


def write_ground_truth(path: Path, truths: Mapping[str, Sequence[GroundTruth]]) -> None:
    """Write the ground truth of the splits that a run uses."""
    columns: dict[str, list[Any]] = {name: [] for name in IMAGES_SCHEMA.names}
    for split, images in truths.items():
        for truth in images:
            columns["split"].append(split)
            columns["image"].append(truth.id)
            columns["height"].append(truth.shape[0])
            columns["width"].append(truth.shape[1])
            columns["boxes"].append(truth.boxes.ravel())
            columns["regions"].append(None if truth.targets is None else _unpack(truth.targets))
    with replacing(path) as temporary:
        pq.write_table(pa.table(columns, schema=IMAGES_SCHEMA), temporary)


def read_ground_truth(path: Path) -> dict[str, list[GroundTruth]]:
    """Read what :func:`write_ground_truth` wrote, by split."""
    truths: dict[str, list[GroundTruth]] = {}
    for row in pq.read_table(path).to_pylist():
        shape = (row["height"], row["width"])
        targets = None if row["regions"] is None else _pack(row["regions"], shape)
        boxes = np.asarray(row["boxes"], dtype=np.float32).reshape(-1, 4)
        truths.setdefault(row["split"], []).append(GroundTruth(row["image"], shape, boxes, targets))
    return truths


def write_timings(
    path: Path, entries: Iterable[Entry], measured: dict[str, StageTimes], split: str
) -> None:
    """Write what each image took in the run, and in the timing pass; and what failed."""
    rows = [_timing("run", e.split, e.image, e.times, e.error) for e in entries]
    rows += [_timing("timing", split, image, times, "") for image, times in measured.items()]
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=TIMINGS_SCHEMA), temporary)


def read_timings(
    path: Path, split: str, peak_memory: int | None = None
) -> tuple[dict[str, str], TimingOutcome | None]:
    """Read what :func:`write_timings` wrote.

    Returns
    -------
    errors : dict of str to str
        Failed images of the split, and why.
    timing : TimingOutcome or None
        Of the timing pass.
    """
    errors: dict[str, str] = {}
    times: dict[str, StageTimes] = {}
    for row in pq.read_table(path).to_pylist():
        if row["split"] != split:
            continue
        if row["error"]:
            errors[row["image"]] = row["error"]
        elif row["purpose"] == "timing":
            times[row["image"]] = StageTimes(row["pre_ms"], row["compute_ms"], row["post_ms"])
    return errors, TimingOutcome(times, peak_memory) if times else None


def _timing(
    purpose: str, split: str, image: str, times: StageTimes | None, error: str
) -> dict[str, Any]:
    stages = {} if times is None else vars(times)
    return {"purpose": purpose, "split": split, "image": image, "error": error, **stages}


def _table(entry: Entry, extent: float | None, found: Detections) -> pa.Table:
    n = len(found)
    centroids = found.centroids
    runs = [None] * n if found.regions is None else _unpack(found.regions)
    arrays = [
        pa.array([entry.split] * n, pa.string()).dictionary_encode(),
        pa.array([entry.image] * n, pa.string()).dictionary_encode(),
        pa.array([extent] * n, pa.float64()),
        *(pa.array(np.ascontiguousarray(found.boxes[:, side])) for side in range(4)),
        pa.array(found.scores),
        *(pa.array(np.ascontiguousarray(centroids[:, axis])) for axis in range(2)),
        pa.array(found.areas),
        pa.array(runs, _RUNS),
    ]
    return pa.Table.from_arrays(arrays, schema=DETECTIONS_SCHEMA)


def _unpack(regions: Regions) -> list[Any]:
    return [regions.region_runs(index).ravel() for index in range(len(regions))]


def _pack(runs: Sequence[Sequence[int]], shape: tuple[int, int]) -> Regions:
    if len(runs) == 0:
        return Regions.empty(shape)
    counts = [len(region) // 2 for region in runs]
    flat = np.concatenate([np.asarray(region, dtype=np.int32) for region in runs])
    return Regions(flat.reshape(-1, 2), np.concatenate([[0], np.cumsum(counts)]), shape)
