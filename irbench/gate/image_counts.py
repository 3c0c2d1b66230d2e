"""The counts of each image that the metrics are ratios of: what a baseline keeps of a method."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError
from irbench.gate.map_counts import as_bits, as_fractions, map_arrays, maps_of_arrays
from irbench.gate.own_arrays import has_counting, own_arrays, own_of_arrays
from irbench.gate.ranked_matches import RANKING_ARRAYS, ranking_arrays, table_of_ranking
from irbench.gate.whole_tables import WHOLE_ARRAYS, table_of_arrays, whole_arrays
from irbench.ground_truth import GroundTruth
from irbench.metrics import average_precision
from irbench.metrics.built_in import BUILT_IN
from irbench.metrics.counting import BoxCounts
from irbench.metrics.counts import Counts
from irbench.metrics.definition import quality_metrics
from irbench.metrics.hierarchical_iou import HierarchicalCounts
from irbench.metrics.image_counting import Counting
from irbench.metrics.match_table import COCO_IOU_THRESHOLDS
from irbench.metrics.metric import MAP_PARTS, Metric
from irbench.metrics.pixels import PixelCounts
from irbench.metrics.point_average_precision import ap_point
from irbench.metrics.points import PointCounts
from irbench.metrics.yolo_average_precision import precision_yolo, recall_yolo
from irbench.scoring.scored_output import Result

Arrays = dict[str, NDArray[np.int64]]

_KINDS: dict[str, type[BoxCounts | PointCounts | PixelCounts | HierarchicalCounts]] = {
    "boxes": BoxCounts,
    "points": PointCounts,
    "pixels": PixelCounts,
    "hungarian": PointCounts,
    "regions": HierarchicalCounts,
}
_ALWAYS = ("boxes", "points", "pixels")
"""Kinds that are kept also of methods that no bootstrap judges: they say on which images hits
were lost."""
_OF_TRUTH = {
    "boxes": ("targets",),
    "points": ("targets", "pixels"),
    "pixels": ("target",),
    "hungarian": ("targets", "pixels"),
}
"""Counts that no method changes; they are kept once."""
_RANKINGS: dict[str, tuple[str, tuple[float, ...]]] = {
    "table": ("ranking", COCO_IOU_THRESHOLDS),
    "table30": ("ranking30", (0.3,)),
    "ranked_points": ("ranking_points", (math.nan,)),
}
"""The match tables, with the name of their arrays and their thresholds."""


_PREFIXES: dict[str, str] = {
    **{part: part for part in _KINDS},
    **{part: prefix for part, (prefix, _) in _RANKINGS.items()},
    **dict.fromkeys(MAP_PARTS, "maps"),
}
"""How the names of arrays begin, by what a metric needs."""
_OF_RANKING = {
    metric.name for metric in (*average_precision.METRICS, ap_point, precision_yolo, recall_yolo)
}
"""A baseline keeps of a ranking what these see of it; ``ap_yolo`` and ``ap_ultralytics`` see more.
Of metrics of plug-ins nobody knows: tables that such a one needs are kept whole beside it."""
_WHOLE = "_whole"


def is_counted(arrays: Mapping[str, NDArray[np.int64]], metric: Metric) -> bool:
    """Whether the counts of a baseline give a metric again, so that it has an interval."""
    if isinstance(metric.needs, Counting):
        return has_counting(arrays, metric.needs)
    prefix = _PREFIXES[metric.needs]
    if metric.needs in _RANKINGS and metric.name not in _OF_RANKING:
        prefix += _WHOLE
    return any(name.startswith(f"{prefix}.") for name in arrays)


@dataclass(frozen=True, eq=False)
class TruthCounts:
    """What the images themselves hold.

    Attributes
    ----------
    targets, pixels : (n_images,) ndarray of int64
        Number of targets, and size of the image.
    target : (n_images,) ndarray of int64 or None
        Pixels of the targets; None for box labels.
    """

    targets: NDArray[np.int64]
    pixels: NDArray[np.int64]
    target: NDArray[np.int64] | None

    @classmethod
    def of(cls, truths: Sequence[GroundTruth]) -> TruthCounts:
        """The counts of the ground truth, image by image."""
        target = None
        if all(truth.targets is not None for truth in truths):
            masks = (truth.targets.to_mask() for truth in truths if truth.targets is not None)
            target = np.array([np.count_nonzero(mask) for mask in masks], dtype=np.int64)
        return cls(
            np.array([len(truth.boxes) for truth in truths], dtype=np.int64),
            np.array([truth.n_pixels for truth in truths], dtype=np.int64),
            target,
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.int64]]) -> TruthCounts:
        """Read what :meth:`as_arrays` gave."""
        return cls(arrays["targets"], arrays["pixels"], arrays.get("target"))

    def as_arrays(self) -> Arrays:
        """By name, to be packed."""
        arrays = {"targets": self.targets, "pixels": self.pixels}
        return arrays if self.target is None else {**arrays, "target": self.target}


def count_arrays(result: Result, with_ranking: bool) -> Arrays:
    """The counts of a method, image by image.

    Parameters
    ----------
    result : Result
        Of :func:`irbench.scoring.evaluation.evaluate`.
    with_ranking : bool
        Whether to keep all that a bootstrap needs: rankings, regions and score maps too, by far
        the largest part.

    Returns
    -------
    dict of str to (n,) ndarray of int64
        Named ``kind.count``, such as ``boxes.true_positives``.
    """
    arrays: Arrays = {}
    kinds = _KINDS if with_ranking else _ALWAYS
    for kind in kinds:
        counts = getattr(result.counts, kind)
        if counts is not None:
            for name in _own_fields(kind):
                arrays[f"{kind}.{name}"] = _as_whole(getattr(counts, name))
    if with_ranking:
        for part, (prefix, _) in _RANKINGS.items():
            table = getattr(result.counts, part)
            if table is None:
                continue
            arrays |= {f"{prefix}.{name}": one for name, one in ranking_arrays(table).items()}
            if part in _parts_of_plugins():
                whole = whole_arrays(table)
                arrays |= {f"{prefix}{_WHOLE}.{name}": one for name, one in whole.items()}
        if result.counts.maps is not None:
            arrays.update(map_arrays(result.counts.maps))
        arrays.update(own_arrays(result.counts.own))
    return arrays


def counted_result(
    arrays: Arrays, truth: TruthCounts, values: Mapping[str, float | None]
) -> Result:
    """The counts as an evaluation has them, to be resampled.

    Parameters
    ----------
    arrays : dict of str to ndarray
        Of :func:`count_arrays`.
    truth : TruthCounts
    values : mapping of str to (float or None)
        The metrics.

    Raises
    ------
    UsageError
        If the arrays are not of these images, or incomplete.
    """
    parts: dict[str, Any] = {}
    n_images = len(truth.targets)
    for kind, cls in _KINDS.items():
        own = [f"{kind}.{name}" for name in _own_fields(kind)]
        if not any(name in arrays for name in own):
            continue
        if any(len(arrays.get(name, ())) != n_images for name in own):
            raise UsageError(f"the counts of {kind} are not those of {n_images} images.")
        shared = {name: getattr(truth, name) for name in _OF_TRUTH.get(kind, ())}
        if any(array is None for array in shared.values()):
            raise UsageError(f"the counts of {kind} need masks, and the images have boxes only.")
        read: Any = as_fractions if cls is HierarchicalCounts else np.asarray
        parts[kind] = cls(**{name.partition(".")[2]: read(arrays[name]) for name in own}, **shared)
    for part, (prefix, iou_thresholds) in _RANKINGS.items():
        # The whole table where both are kept.
        for start, names, read_table in (
            (prefix, RANKING_ARRAYS, table_of_ranking),
            (f"{prefix}{_WHOLE}", WHOLE_ARRAYS, table_of_arrays),
        ):
            if all(f"{start}.{name}" in arrays for name in names):
                kept = {name: arrays[f"{start}.{name}"] for name in names}
                parts[part] = read_table(kept, truth.targets, iou_thresholds)
    return Result(
        values=dict(values),
        undefined={},
        threshold=None,
        n_images=n_images,
        n_targets=int(truth.targets.sum()),
        counts=Counts(
            **parts,
            maps=maps_of_arrays(arrays, n_images),
            own=own_of_arrays(arrays, n_images),
        ),
    )


def _parts_of_plugins() -> set[str | Counting]:
    """What the metrics of plug-ins are computed from."""
    return {one.needs for name, one in quality_metrics().items() if name not in BUILT_IN}


def _own_fields(kind: str) -> list[str]:
    return [
        field.name for field in fields(_KINDS[kind]) if field.name not in _OF_TRUTH.get(kind, ())
    ]


def _as_whole(numbers: NDArray[Any]) -> NDArray[np.int64]:
    if np.issubdtype(numbers.dtype, np.floating):
        return as_bits(numbers)
    return np.asarray(numbers, np.int64)
