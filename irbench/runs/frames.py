"""The pandas frames of a run; :class:`irbench.Run` documents their columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from irbench.analysis.objects import Objects, detection_objects, target_objects
from irbench.engine.storage.directory import RunDirectory
from irbench.engine.storage.results import Row, RunResults
from irbench.ground_truth import GroundTruth
from irbench.metrics.definition import METRICS
from irbench.protocol import Protocol
from irbench.scoring.counted_output import match_images
from irbench.scoring.scored_output import counted_detections, row_threshold

_MEASURED = (
    *("threshold", "extent", "peak_memory", "auc_resolution"),
    *("ms_lower", "ms_upper", "ms_pre", "ms_compute", "ms_post", "waited_share"),
)
_COUNTS = ("n_images", "n_targets", "n_failed", "n_validation", "n_failed_validation")
_STAGES = ["pre_ms", "compute_ms", "post_ms"]


def results(source: RunResults) -> pd.DataFrame:
    """One row per method."""
    frame = pd.DataFrame([_flat(row) for row in source.rows]).set_index("method")
    for name in frame.columns:
        if name in _MEASURED or name in METRICS:
            frame[name] = frame[name].astype("float64")
        elif name in _COUNTS:
            frame[name] = frame[name].astype("Int64")
    return frame


def parameters(source: RunResults) -> pd.DataFrame:
    """One row per parameter of each method."""
    values = [
        {"method": row["method"], "parameter": name, "value": value}
        for row in source.rows
        for name, value in row["method_params"].items()
    ]
    columns = ["method", "parameter", "value"]
    return pd.DataFrame(values, columns=columns).astype({"value": object})


def undefined(source: RunResults) -> pd.DataFrame:
    """Why a value is missing."""
    reasons = [
        {"method": row["method"], "metric": metric, "reason": reason}
        for row in source.rows
        for metric, reason in row.get("undefined", {}).items()
    ]
    return pd.DataFrame(reasons, columns=["method", "metric", "reason"])


def detections(source: RunResults) -> pd.DataFrame:
    """One row per detection that counts."""
    frames = [
        _detections_of(source, row)
        for row in source.rows
        if "threshold" in row and RunDirectory(source.path).detections_file(row["method"]).exists()
    ]
    frame = pd.concat(frames, ignore_index=True) if frames else _no_detections(_truths(source))
    frame["method"] = pd.Categorical(frame["method"], _methods(source))
    return frame[["method", *frame.columns.drop("method")]]


def ground_truth(source: RunResults) -> pd.DataFrame:
    """One row per target."""
    frame = _objects_frame(target_objects(_truths(source)), _truths(source))
    return frame.drop(columns="score")


def images(source: RunResults) -> pd.DataFrame:
    """One row per tested image."""
    return pd.DataFrame(
        {
            "image": [truth.id for truth in _truths(source)],
            "height": np.array([t.shape[0] for t in _truths(source)], dtype=np.int64),
            "width": np.array([t.shape[1] for t in _truths(source)], dtype=np.int64),
            "n_targets": np.array([len(t.boxes) for t in _truths(source)], dtype=np.int64),
        }
    ).set_index("image")


def timings(source: RunResults) -> pd.DataFrame:
    """One row per image, method and purpose."""
    parts = [pd.DataFrame(columns=["method", "purpose", "split", "image", *_STAGES, "error"])]
    for method in _methods(source):
        file = RunDirectory(source.path).timings_file(method)
        if file.exists():
            part = pq.read_table(file).to_pandas()
            parts.append(part[part["split"] == source.dataset["split"]].assign(method=method))
    frame = pd.concat(parts[1:] or parts, ignore_index=True)
    frame[_STAGES] = frame[_STAGES].astype("float64")
    frame["total_ms"] = frame[_STAGES].sum(axis=1, min_count=len(_STAGES))
    for name, values in (
        ("method", _methods(source)),
        ("purpose", ["run", "timing"]),
        ("image", [truth.id for truth in _truths(source)]),
    ):
        frame[name] = pd.Categorical(frame[name], values)
    return frame[["method", "image", "purpose", *_STAGES, "total_ms", "error"]]


def _truths(source: RunResults) -> Sequence[GroundTruth]:
    return source.ground_truth.get(source.dataset["split"], [])


def _methods(source: RunResults) -> list[str]:
    return [row["method"] for row in source.rows]


def _detections_of(source: RunResults, row: Row) -> pd.DataFrame:
    truths, protocol, threshold = _truths(source), Protocol(**source.protocol), row_threshold(row)
    images = counted_detections(source.detections(row["method"]), truths, protocol, row["title"])
    # Both stand best score first within each image.
    table = match_images(images, truths, protocol)
    frame = _objects_frame(detection_objects(images, truths), truths)
    first = np.cumsum(table.n_targets) - table.n_targets
    target = first[table.image_index] + table.target_index[:, 0]
    kept = frame["score"] >= (np.inf if threshold is None else threshold)
    hits = pd.arrays.IntegerArray(target.astype(np.int64), ~table.hit[:, 0])
    return frame.assign(kept=kept, target=hits, method=row["method"])


def _flat(row: Row) -> dict[str, Any]:
    flat = {name: value for name, value in row.items() if not isinstance(value, dict | list)}
    return flat | {f"ms_{name}": value for name, value in row.get("ms_stages", {}).items()}


def _objects_frame(objects: Objects, truths: Sequence[GroundTruth]) -> pd.DataFrame:
    ids = [truth.id for truth in truths]
    frame = pd.DataFrame(
        {"image": pd.Categorical.from_codes(objects.image, pd.Index(ids, dtype=str))}
    )
    for index, name in enumerate(("x0", "y0", "x1", "y1")):
        frame[name] = objects.boxes[:, index].astype(np.float32)
    frame["score"] = objects.scores.astype(np.float32)
    frame["centroid_x"], frame["centroid_y"] = objects.centroids.T
    frame["area"] = objects.areas
    return frame


def _no_detections(truths: Sequence[GroundTruth]) -> pd.DataFrame:
    frame = _objects_frame(detection_objects([], []), truths)
    nothing = pd.array([], dtype="Int64")
    return frame.assign(kept=np.zeros(0, bool), target=nothing, method="")
