"""Match tables as a baseline keeps them whole, for metrics of plug-ins.

Average precision sees little of a table, and of that little a baseline is made as a rule
(:mod:`irbench.gate.ranked_matches`). What the form of a plug-in sees nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from irbench.errors import UsageError
from irbench.metrics.match_table import MatchTable

WHOLE_ARRAYS = ("n_found", "detections", "scores", "targets")


def whole_arrays(table: MatchTable) -> dict[str, NDArray[np.int64]]:
    """All of a match table, but what is known of the images themselves.

    Returns
    -------
    dict of str to (n,) ndarray of int64
        ``n_found``, the detections of each image; ``detections``, ``scores`` (the bits) and
        ``targets`` (those of one detection at all thresholds in turn, counted from 1), of each
        detection.
    """
    return {
        "n_found": np.bincount(table.image_index, minlength=table.n_images),
        "detections": table.detection_index.astype(np.int64),
        "scores": np.ascontiguousarray(table.scores, dtype=np.float64).view(np.int64),
        # Whole numbers from 0 take less room.
        "targets": table.target_index.astype(np.int64).ravel() + 1,
    }


def table_of_arrays(
    arrays: Mapping[str, NDArray[np.int64]],
    n_targets: NDArray[np.int64],
    iou_thresholds: Sequence[float],
) -> MatchTable:
    """What :func:`whole_arrays` was given.

    Parameters
    ----------
    arrays : mapping of str to ndarray
    n_targets : (n_images,) ndarray of int64
    iou_thresholds : sequence of float

    Raises
    ------
    UsageError
        If the arrays contradict each other.
    """
    n_found, scores, targets = arrays["n_found"], arrays["scores"], arrays["targets"] - 1
    n, n_thresholds = len(scores), len(iou_thresholds)
    consistent = (
        len(n_found) == len(n_targets)
        and n_found.sum() == n == len(arrays["detections"])
        and len(targets) == n * n_thresholds
    )
    if not consistent or (n_found < 0).any():
        raise UsageError("the arrays of a match table contradict each other.")
    image_index = np.repeat(np.arange(len(n_targets)), n_found)
    by_threshold = targets.reshape(n, n_thresholds)
    if (by_threshold >= n_targets[image_index][:, None]).any() or (targets < -1).any():
        raise UsageError("the arrays of a match table name targets that are not there.")
    return MatchTable(
        image_index=image_index,
        detection_index=arrays["detections"],
        scores=np.ascontiguousarray(scores).view(np.float64),
        target_index=by_threshold.astype(np.int32),
        n_targets=n_targets,
        iou_thresholds=np.asarray(iou_thresholds, dtype=np.float64),
    )
