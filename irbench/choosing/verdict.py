"""From what was measured to one table, the fastest and best of it, and the one to take."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from irbench.choosing.candidates import Candidate
from irbench.choosing.implants import n_found
from irbench.choosing.measuring import Measured
from irbench.detections import Detections
from irbench.errors import UsageError
from irbench.ground_truth import GroundTruth
from irbench.metrics.average_precision import average_precision
from irbench.protocol import TABLE1
from irbench.scoring.counted_output import match_images


@dataclass(frozen=True)
class CandidateRow:
    """A row of the table.

    Attributes
    ----------
    candidate : Candidate
    n_frames : int
    fps : float
        Frames a second, from the median time.
    fps_lower, fps_upper : float
        From the quartiles.
    threshold : float
        That keeps the wanted alarms on these frames.
    alarms : float
        Alarms a frame that it keeps.
    found_share : float or None
        Of the implanted targets, at this threshold; None with labels.
    map50 : float or None
        AP@50 against the labels; None without.
    waited_share : float
        Of its time, for which it waited for a processor that other programs had, 0 to 1.
    fps_undisturbed : float
        Frames a second without the waiting: an estimate of what an idle machine gives.
    """

    candidate: Candidate
    n_frames: int
    fps: float
    fps_lower: float
    fps_upper: float
    threshold: float
    alarms: float
    found_share: float | None
    map50: float | None
    waited_share: float
    fps_undisturbed: float

    @property
    def quality(self) -> float:
        """What candidates are compared by: AP@50 with labels, else the share of implants found."""
        value = self.found_share if self.map50 is None else self.map50
        return 0.0 if value is None else value

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON."""
        one = self.candidate
        return {
            "candidate": one.name,
            "method": one.spec.name,
            "weights": one.weights,
            "image_size": one.image_size,
            "backend": one.backend,
            "precision": one.precision,
            **{name: value for name, value in vars(self).items() if name != "candidate"},
        }


def judge(
    candidate: Candidate,
    measured: Measured,
    alarms_per_frame: float,
    truths: Mapping[str, GroundTruth] | None,
) -> CandidateRow:
    """The row of a candidate.

    Parameters
    ----------
    candidate : Candidate
    measured : Measured
        Of at least one frame.
    alarms_per_frame : float
        Wanted.
    truths : mapping of str to GroundTruth, optional
        By the frames' names.

    Raises
    ------
    UsageError
        If a frame has no label.
    """
    n_frames = len(measured.seconds)
    lower, median, upper = np.quantile(measured.seconds, [0.25, 0.5, 0.75])
    # Too few frames for a calibration, but the same number of alarms for every candidate.
    scores = np.sort(np.concatenate(measured.scores).astype(np.float64))[::-1]
    n_wanted = max(math.floor(n_frames * alarms_per_frame), 1)
    if len(scores) > n_wanted:
        threshold = float(np.nextafter(scores[n_wanted], math.inf))
    else:
        threshold = float(scores[-1]) if len(scores) else 0.0
    share = precision = None
    if truths is not None:
        precision = _precision(measured, truths)
    elif measured.on_implants:
        n_hits = sum(
            n_found(centres, centroids[found >= threshold], TABLE1.distance_px)
            for centres, centroids, found in measured.on_implants
        )
        share = n_hits / sum(len(centres) for centres, _, _ in measured.on_implants)
    return CandidateRow(
        candidate=candidate,
        n_frames=n_frames,
        fps=1 / float(median),
        fps_lower=1 / float(upper),
        fps_upper=1 / float(lower),
        threshold=threshold,
        alarms=float((scores >= threshold).sum()) / n_frames,
        found_share=share,
        map50=precision,
        waited_share=measured.waited_share,
        fps_undisturbed=1 / max(float(np.median(measured.undisturbed)), 1e-9),
    )


def _precision(measured: Measured, truths: Mapping[str, GroundTruth]) -> float | None:
    missing = [name for name in measured.names if name not in truths]
    if missing:
        raise UsageError(
            f"--labels: {len(missing)} frames have no label, such as {missing[0]}; a frame "
            "without targets needs an empty one."
        )
    found = [
        Detections(boxes, scores)
        for boxes, scores in zip(measured.boxes, measured.scores, strict=True)
    ]
    table = match_images(found, [truths[name] for name in measured.names], TABLE1)
    return average_precision(table, TABLE1.iou_threshold).value


def pareto(rows: Sequence[CandidateRow]) -> list[CandidateRow]:
    """Those that none is both faster and better than, the fastest first."""
    front: list[CandidateRow] = []
    for row in sorted(rows, key=lambda one: (-one.fps, -one.quality)):
        if not front or row.quality > front[-1].quality:
            front.append(row)
    return front


def to_take(rows: Sequence[CandidateRow], least_fps: float) -> CandidateRow | None:
    """The best of those that are fast enough, of equal ones the fastest; None where none is."""
    fast = [row for row in rows if row.fps >= least_fps]
    return max(fast, key=lambda row: (row.quality, row.fps), default=None)
