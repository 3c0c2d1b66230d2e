"""Ignored regions: where a detection that hits no target is no false alarm.

Labels such as "DontCare" say that something is there that a detector may find or not. They are
treated as COCO's evaluator treats a crowd (``iscrowd = 1``) [1]_: a detection that hits a target
is a hit wherever it lies; one that hits none, and of whose area at least the protocol's share
(its IoU threshold, 0.5) lies in one ignored region, is left out. Any number of detections may lie
in one region. The detections that COCO counts, the best of each image up to ``max_detections``,
are chosen before.

COCO decides anew at each IoU threshold of AP@50:95; here a detection is left out once, at the
protocol's threshold, so that all metrics count the same detections. The two differ only where a
detection lies in a region in part, or hits a target by less than the stricter threshold.

References
----------
.. [1] T.-Y. Lin et al., Microsoft COCO: Common Objects in Context, ECCV 2014; evaluation as
   documented at https://cocodataset.org/#detection-eval.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from irbench.detections.boxes import covered_share
from irbench.metrics.matching import match_detections

if TYPE_CHECKING:
    from irbench.detections import Detections
    from irbench.ground_truth import GroundTruth
    from irbench.protocol import Protocol

_ROUNDING = 1e-10
"""As in COCO: a detection that fills the threshold passes it whatever its last bit."""


def without_ignored(
    found: Detections,
    boxes: NDArray[Any],
    ignored: NDArray[Any],
    protocol: Protocol,
) -> Detections:
    """The detections on one image that count.

    Parameters
    ----------
    found : Detections
    boxes : (N, 4) ndarray
        Of the targets, ``(x0, y0, x1, y1)`` in pixels.
    ignored : (K, 4) ndarray
        Regions in which a detection that hits no target does not count.
    protocol : Protocol

    Returns
    -------
    Detections
        ``found`` itself where nothing is left out.

    Examples
    --------
    >>> from irbench import Detections
    >>> from irbench.protocol import TABLE1
    >>> found = Detections([[0, 0, 4, 4], [20, 20, 24, 24]], [0.9, 0.8])
    >>> without_ignored(found, [[0, 0, 4, 4]], [[0, 0, 30, 30]], TABLE1).scores.round(1).tolist()
    [0.8999999761581421]
    """
    if not len(ignored) or not len(found):
        return found
    best = found.best(protocol.max_detections)
    threshold = min(protocol.iou_threshold, 1 - _ROUNDING)
    inside = np.asarray((covered_share(best.boxes, ignored) >= threshold).any(axis=1))
    if not inside.any():
        return found
    table = match_detections(
        [best.boxes],
        [best.scores],
        [boxes],
        (protocol.iou_threshold,),
        protocol.max_detections,
    )
    inside[table.detection_index[table.hit[:, 0]]] = False
    return best.take(np.flatnonzero(~inside)) if inside.any() else found


def without_ignored_of(
    found: Sequence[Detections], truths: Sequence[GroundTruth], protocol: Protocol
) -> Sequence[Detections]:
    """The same for each image; ``found`` itself where no image has an ignored region."""
    if not any(len(truth.ignored) for truth in truths):
        return found
    return [
        without_ignored(one, truth.boxes, truth.ignored, protocol)
        for one, truth in zip(found, truths, strict=True)
    ]
