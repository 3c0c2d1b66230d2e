"""What each method made of each image: hits, false alarms and misses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from irbench.statistics.scored_group import ScoredGroup, ScoredMethod

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class ImageOutcome:
    """What a method made of one image, at its operating point.

    Attributes
    ----------
    hits : dict of int to (float, float, float, float)
        By target, the kept box that hits it by the protocol's IoU.
    false_alarms : tuple of (float, float, float, float)
        The other kept boxes, best score first.
    n_targets : int
    """

    hits: dict[int, Box]
    false_alarms: tuple[Box, ...]
    n_targets: int

    @property
    def misses(self) -> tuple[int, ...]:
        """The targets that no kept box hits."""
        return tuple(target for target in range(self.n_targets) if target not in self.hits)

    def __str__(self) -> str:
        hits = f"{len(self.hits)} of {self.n_targets} hit, " if self.n_targets else ""
        return f"{hits}{len(self.false_alarms)} false"


def method_outcomes(one: ScoredMethod, group: ScoredGroup) -> list[ImageOutcome] | None:
    """The outcome of each image, in the order of the group's; None without a threshold."""
    if one.output.threshold is None:
        return None
    hits: list[dict[int, Box]] = [{} for _ in group.truths]
    false_alarms: list[list[Box]] = [[] for _ in group.truths]
    output = one.output
    table, packed = output.table, output.images
    # The rows of an image stand best score first.
    rows = np.flatnonzero(output.is_kept)
    images = table.image_index[rows]
    boxes = packed.boxes[packed.offsets[images] + table.detection_index[rows]].tolist()
    targets = table.target_index[rows, output.column].tolist()
    for image, target, (x0, y0, x1, y1) in zip(images.tolist(), targets, boxes, strict=True):
        if target >= 0:
            hits[image][target] = (x0, y0, x1, y1)
        else:
            false_alarms[image].append((x0, y0, x1, y1))
    return [
        ImageOutcome(hit, tuple(false), len(truth.boxes))
        for hit, false, truth in zip(hits, false_alarms, group.truths, strict=True)
    ]


def disagreement(outcomes: Sequence[ImageOutcome]) -> float:
    """How far methods disagree about an image.

    For each target, and for whether there is any false alarm, ``4 p (1 - p)`` of the share
    ``p`` of methods: 1 where half of them say so, 0 where all agree.

    Parameters
    ----------
    outcomes : sequence of ImageOutcome
        Of one image, one of each method.

    Examples
    --------
    >>> hit, miss = ImageOutcome({0: (1, 1, 4, 4)}, (), 1), ImageOutcome({}, (), 1)
    >>> disagreement([hit, miss]), disagreement([hit, hit])
    (1.0, 0.0)
    """
    if not outcomes:
        return 0.0
    shares = [
        sum(target in one.hits for one in outcomes) / len(outcomes)
        for target in range(outcomes[0].n_targets)
    ]
    shares.append(sum(bool(one.false_alarms) for one in outcomes) / len(outcomes))
    return float(sum(4 * share * (1 - share) for share in shares))
