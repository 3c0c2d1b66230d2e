"""The detections of a run scored again, for what its rows do not hold: spread and curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from irbench.engine.storage.results import SCORED_STATES, Row, RunResults
from irbench.errors import IrbenchError
from irbench.ground_truth import GroundTruth
from irbench.progress import Progress
from irbench.protocol import Protocol
from irbench.rescoring.scored_method import ScoredMethod, score_method
from irbench.statistics.paired import PairedDifference, paired_difference
from irbench.statistics.resamples import Resamples

N_RESAMPLES = 1000
"""Enough for intervals of two digits, and a report is not waited for."""

_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class ScoredGroup:
    """The methods of one dataset, scored on the same images.

    Attributes
    ----------
    truths : list of GroundTruth
        Of the tested split; empty where the run has none.
    methods : dict of str to ScoredMethod
        In the order of the table; without those that have no detections.
    problems : tuple of str
        What could not be scored and why, or came out otherwise than in the rows.
    """

    truths: list[GroundTruth]
    methods: dict[str, ScoredMethod]
    problems: tuple[str, ...]

    def difference(self, first: str, second: str, metric: str) -> PairedDifference | None:
        """The first method minus the second on the same draws; None where not resampled."""
        one, other = self.methods.get(first), self.methods.get(second)
        if one is None or other is None or metric not in one.spread or metric not in other.spread:
            return None
        return paired_difference(
            one.output.result.values[metric],
            other.output.result.values[metric],
            one.spread[metric],
            other.spread[metric],
        )


def score_methods(
    runs: Sequence[RunResults],
    rows: Sequence[Row],
    n_resamples: int = N_RESAMPLES,
    progress: Progress | None = None,
) -> ScoredGroup:
    """Score every method of a dataset that has detections.

    Parameters
    ----------
    runs : sequence of RunResults
        On the very same images, under one protocol.
    rows : sequence of dict
        One of each method, in the order of the table.
    n_resamples : int
        Draws of the bootstrap over images; the same ones for all methods. 0 for none.
    progress : Progress, optional

    Returns
    -------
    ScoredGroup
    """
    first = runs[0]
    try:
        truths = first.ground_truth[first.dataset["split"]]
    except (OSError, KeyError, IrbenchError) as error:
        reason = f"{first.path} holds no ground truth ({type(error).__name__})"
        return ScoredGroup([], {}, (f"{reason}: there are no intervals, curves and pictures",))
    home = {row["method"]: run for run in runs for row in run.rows}
    draws = None
    if n_resamples and len(truths) > 1:
        draws = Resamples([truth.id for truth in truths], n_resamples)
    methods: dict[str, ScoredMethod] = {}
    problems = []
    scored = [row for row in rows if row["state"] in SCORED_STATES]
    with (progress or Progress()).track("Scoring", len(scored)) as advance:
        for row in scored:
            try:
                protocol = Protocol(**first.protocol)
                one = score_method(row, home[row["method"]], truths, protocol, draws)
            except (IrbenchError, OSError, KeyError) as error:
                problems.append(f"{row['title']} cannot be scored again: {error}")
            else:
                methods[row["method"]] = one
                problems += _differences(one)
            advance()
    return ScoredGroup(truths, methods, tuple(problems))


def _differences(one: ScoredMethod) -> list[str]:
    """A row made by other code than this is no ground to print intervals on in silence."""
    differing = [
        metric
        for metric in one.spread
        if isinstance(stored := one.row.get(metric), int | float)
        and not math.isclose(
            stored, one.output.result.values.get(metric) or 0.0, rel_tol=0, abs_tol=_TOLERANCE
        )
    ]
    if not differing:
        return []
    text = (
        f"{one.row['title']}: {', '.join(differing)} scored again differ from the run's, which "
        "another version made; the table has the run's values, intervals are of the new ones"
    )
    return [text]
