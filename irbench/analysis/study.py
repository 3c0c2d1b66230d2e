"""The whole analysis of the methods of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from irbench.analysis import records as rows
from irbench.analysis.analysed_method import AnalysedMethod
from irbench.analysis.jitter import Jitter, PixelSets, draw_jitters
from irbench.analysis.objects import Objects, target_objects
from irbench.analysis.records import Record
from irbench.analysis.sensitivity import jittered_masks
from irbench.analysis.strata import strata_of
from irbench.detections import Detections
from irbench.ground_truth import GroundTruth
from irbench.metrics.breakdown import AREA_BINS, COUNT_BINS, SCR_BINS
from irbench.protocol import Protocol
from irbench.scoring.scored_output import ScoredOutput, score

EXACT = "exact-boxes"
"""In the records of sensitivity: a detector that returns the ground truth as it was."""

TABLES = (
    "operating",
    "errors",
    "hiou_errors",
    "ap_by_iou",
    "pd_by_distance",
    "threshold_curve",
    "sensitivity",
    "breakdown",
    "images",
    "targets",
    "detections",
)
"""Names of the tables of an analysis."""


@dataclass(frozen=True, eq=False)
class Analysis:
    """Everything that is reported of the methods of a run.

    Attributes
    ----------
    tables : dict of str to list of dict
        By name from :data:`TABLES`. Every record names its ``method``. Scores are fractions
        in [0, 1]; None where undefined.
    notes : tuple of str
        What is left out, and why, as sentences.
    """

    tables: dict[str, list[Record]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def of(self, table: str, **wanted: object) -> list[Record]:
        """The records of a table whose fields are as wanted."""
        return [
            record
            for record in self.tables[table]
            if all(record[name] == value for name, value in wanted.items())
        ]


class Study:
    """Analyses methods one after the other, on the same images with the same jitter.

    Parameters
    ----------
    truths : sequence of GroundTruth
    protocol : Protocol
    scr : (n_targets,) ndarray of float64, optional
        Local signal-to-clutter ratio of each target, NaN where undefined.
    n_repeats : int
        Of each jitter.
    seed : int
        Of the jitter.
    """

    def __init__(
        self,
        truths: Sequence[GroundTruth],
        protocol: Protocol,
        scr: NDArray[np.float64] | None = None,
        n_repeats: int = 20,
        seed: int = 0,
    ) -> None:
        self.truths, self.protocol, self.scr = truths, protocol, scr
        self.targets: Objects = target_objects(truths)
        self.areas = strata_of("area", self.targets.areas, AREA_BINS)
        self.strata = [self.areas, strata_of("targets", self.targets.counts, COUNT_BINS)]
        if scr is not None:
            self.strata.insert(0, strata_of("scr", scr, SCR_BINS))
        jitters = [
            *draw_jitters(len(self.targets), amplitudes_px=(0.0,), n_repeats=1, seed=seed),
            *draw_jitters(len(self.targets), n_repeats=n_repeats, seed=seed),
        ]
        self.jitters: list[tuple[Jitter, PixelSets | None]] = [
            (jitter, jittered_masks(truths, jitter)) for jitter in jitters
        ]
        self.tables: dict[str, list[Record]] = {name: [] for name in TABLES}
        self.notes: list[str] = []
        if len(self.targets):
            self._add("sensitivity", EXACT, self._exact())

    def add(self, name: str, output: ScoredOutput) -> None:
        """Analyse a method.

        Parameters
        ----------
        name : str
        output : ScoredOutput
            Of the same images in the same order. Without an operating point only what needs none
            is reported.
        """
        method = AnalysedMethod.of(output, self.targets)
        if output.threshold is None:
            self.notes.append(
                f"{name} has no threshold: precision, recall, F1, Pd and errors are left out."
            )
        parts = {
            "operating": rows.operating_records(method),
            "errors": rows.error_records(method),
            "hiou_errors": rows.hierarchy_records(method),
            "ap_by_iou": rows.ap_records(method),
            "pd_by_distance": rows.distance_records(method),
            "threshold_curve": rows.threshold_records(method),
            "breakdown": rows.breakdown_records(method, self.strata, self.scr),
            "images": rows.image_records(method),
            "targets": rows.target_records(method, self.scr),
            "detections": rows.detection_records(method),
        }
        if len(self.targets):
            parts["sensitivity"] = rows.sensitivity_records(method, self.jitters, self.areas)
        for table, records in parts.items():
            self._add(table, name, records)

    def done(self, *notes: str) -> Analysis:
        """The analysis of the methods so far, with more notes."""
        return Analysis(self.tables, (*notes, *self.notes))

    def _add(self, table: str, name: str, records: Iterator[Record]) -> None:
        self.tables[table].extend({"method": name, **record} for record in records)

    def _exact(self) -> Iterator[Record]:
        found = {
            truth.id: Detections(truth.boxes, np.ones(len(truth.boxes)), truth.targets)
            for truth in self.truths
        }
        output = score(found, self.truths, self.protocol, threshold=1.0)
        exact = AnalysedMethod.of(output, self.targets)
        return rows.sensitivity_records(exact, self.jitters, self.areas)
