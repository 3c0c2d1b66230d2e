"""The counts of each image that the metrics are ratios of: what a baseline keeps of a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError
from irbench.evaluation import Result
from irbench.gate.ranking import RANKING_ARRAYS, ranking_arrays, table_of_ranking
from irbench.ground_truth import GroundTruth
from irbench.metrics.counting import BoxCounts
from irbench.metrics.pixels import PixelCounts
from irbench.metrics.points import PointCounts
from irbench.statistics.image_statistics import RESAMPLED_METRICS

Arrays = dict[str, NDArray[np.int64]]

COUNTED_METRICS = tuple(name for name in RESAMPLED_METRICS if name not in ("map30", "ap_point"))
"""The metrics that the counts of a baseline give again: of the rankings, the largest part, only
that of COCO's IoU thresholds is kept, and nothing of score maps."""

_KINDS: dict[str, type[BoxCounts] | type[PointCounts] | type[PixelCounts]] = {
    "boxes": BoxCounts,
    "points": PointCounts,
    "pixels": PixelCounts,
}
_OF_TRUTH = {"boxes": ("targets",), "points": ("targets", "pixels"), "pixels": ("target",)}
"""Counts that no method changes; they are kept once."""


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
        Of :func:`irbench.evaluation.evaluate`.
    with_ranking : bool
        Whether to keep what average precision needs; by far the largest part.

    Returns
    -------
    dict of str to (n,) ndarray of int64
        Named ``kind.count``, such as ``boxes.true_positives``.
    """
    arrays: Arrays = {}
    for kind in _KINDS:
        if kind in result.counts:
            for name in _own_fields(kind):
                arrays[f"{kind}.{name}"] = np.asarray(getattr(result.counts[kind], name), np.int64)
    if with_ranking:
        ranking = ranking_arrays(result.counts["table"])
        arrays.update({f"ranking.{name}": array for name, array in ranking.items()})
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

    Returns
    -------
    Result

    Raises
    ------
    UsageError
        If the arrays are not of these images, or incomplete.
    """
    counts: dict[str, Any] = {}
    n_images = len(truth.targets)
    for kind, cls in _KINDS.items():
        own = [f"{kind}.{name}" for name in _own_fields(kind)]
        if not any(name in arrays for name in own):
            continue
        if any(len(arrays.get(name, ())) != n_images for name in own):
            raise UsageError(f"the counts of {kind} are not those of {n_images} images.")
        shared = {name: getattr(truth, name) for name in _OF_TRUTH[kind]}
        if any(array is None for array in shared.values()):
            raise UsageError(f"the counts of {kind} need masks, and the images have boxes only.")
        counts[kind] = cls(**{name.partition(".")[2]: arrays[name] for name in own}, **shared)
    ranking = {name: arrays.get(f"ranking.{name}") for name in RANKING_ARRAYS}
    complete = {name: array for name, array in ranking.items() if array is not None}
    if len(complete) == len(ranking):
        counts["table"] = table_of_ranking(complete, truth.targets)
    return Result(
        values=dict(values),
        undefined={},
        threshold=None,
        n_images=n_images,
        n_targets=int(truth.targets.sum()),
        counts=counts,
    )


def _own_fields(kind: str) -> list[str]:
    return [field.name for field in fields(_KINDS[kind]) if field.name not in _OF_TRUTH[kind]]
