"""The methods of one dataset scored again, for what their rows do not hold: spread and curves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from irbench.engine.storage.results import SCORED_STATES, Row, RunResults
from irbench.errors import IrbenchError, MetricError
from irbench.ground_truth import GroundTruth
from irbench.messages.progress import Progress
from irbench.metrics.definition import quality_metrics
from irbench.metrics.point_curve import PointCurve, point_curve
from irbench.scoring.scored_output import ScoredOutput, score_row
from irbench.statistics.bootstrap import Interval, Spread, printed_interval, resample
from irbench.statistics.image_statistics import ImageStatistics
from irbench.statistics.paired import PairedDifference, paired_difference
from irbench.statistics.resamples import Resamples

_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class ScoredMethod:
    """A method's output on the tested images, with the spread of its metrics.

    Attributes
    ----------
    row : dict
    output : ScoredOutput
    draws : Resamples or None
        None for a single image, which has no spread.
    """

    row: Row
    output: ScoredOutput
    draws: Resamples | None
    _spread: dict[str, Spread] = field(default_factory=dict, repr=False)
    failures: dict[str, str] = field(default_factory=dict, repr=False)
    """Why a metric that was asked for has no interval, where its form failed on a draw."""
    _point_curves: dict[float, PointCurve] = field(default_factory=dict, repr=False)

    def point_curve(self, truths: Sequence[GroundTruth], distance_px: float) -> PointCurve:
        """Pd against Fa over all thresholds, made once for reports of several formats.

        Parameters
        ----------
        truths : sequence of GroundTruth
            The tested images.
        distance_px : float
            Centroids must be nearer than this.
        """
        if distance_px not in self._point_curves:
            self._point_curves[distance_px] = point_curve(self.output.images, truths, distance_px)
        return self._point_curves[distance_px]

    def resample(self, metrics: Iterable[str]) -> None:
        """Keep the spread of several metrics; see :func:`resample_methods`."""
        resample_methods([self], metrics)

    def lacking(self, metrics: Iterable[str]) -> list[str]:
        """Which of these metrics can be resampled, and have not been yet."""
        known, counts = quality_metrics(), self.output.result.counts
        return [
            name
            for name in metrics
            if self.draws is not None and name in known and counts.has(known[name])
            if name not in self._spread and name not in self.failures
        ]

    def spread(self, metric: str) -> Spread | None:
        """A metric on other choices of images; None where it has no spread."""
        self.resample([metric])
        return self._spread.get(metric)

    def interval(self, metric: str) -> Interval | None:
        """The 95 % interval of a metric; None where it is no metric of quality, or undefined."""
        if self.row.get(metric) is None or (spread := self.spread(metric)) is None:
            return None
        found = printed_interval(self.output.result.values[metric], spread)
        return None if found.lower is None else found


def resample_methods(methods: Iterable[ScoredMethod], metrics: Iterable[str]) -> None:
    """Keep the spread of several metrics of several methods, all from one pass over the draws.

    Where a form fails, :attr:`ScoredMethod.failures` has why, and the others are kept.

    Parameters
    ----------
    methods : iterable of ScoredMethod
        On the same images.
    metrics : iterable of str
        Those that have no spread, such as costs, are left out.
    """
    names = list(metrics)
    _resample([(one, lacking) for one in methods if (lacking := one.lacking(names))])


def _resample(wanted: Sequence[tuple[ScoredMethod, list[str]]]) -> None:
    if not wanted:
        return
    draws = wanted[0][0].draws
    assert draws is not None
    try:
        statistics = {
            str(index): ImageStatistics.of(one.output.result, names)
            for index, (one, names) in enumerate(wanted)
        }
        found = resample(statistics, draws)
    except MetricError as error:
        one, names = wanted[0]
        if len(wanted) == len(names) == 1:
            one.failures[names[0]] = str(error)
            return
        # The error does not say whose form failed: halve the work until one is left.
        if len(wanted) > 1:
            middle = len(wanted) // 2
            halves = wanted[:middle], wanted[middle:]
        else:
            middle = len(names) // 2
            halves = [(one, names[:middle])], [(one, names[middle:])]
        for half in halves:
            _resample(half)
    else:
        for (one, _), spread in zip(wanted, found.values(), strict=True):
            one._spread.update(spread)


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
        if one is None or other is None:
            return None
        spread, other_spread = one.spread(metric), other.spread(metric)
        if spread is None or other_spread is None:
            return None
        return paired_difference(
            one.output.result.values[metric],
            other.output.result.values[metric],
            spread,
            other_spread,
        )


_kept: WeakKeyDictionary[RunResults, dict[str, tuple[Sequence[GroundTruth], Row, ScoredMethod]]] = (
    WeakKeyDictionary()
)
"""By run and method: reports of several formats score a run once."""


def score_methods(
    runs: Sequence[RunResults],
    rows: Sequence[Row],
    progress: Progress | None = None,
) -> ScoredGroup:
    """Score every method of a dataset that has detections.

    Parameters
    ----------
    runs : sequence of RunResults
        On the very same images, under one protocol.
    rows : sequence of dict
        One of each method, in the order of the table.
    progress : Progress, optional
    """
    first = runs[0]
    try:
        truths = first.ground_truth[first.dataset["split"]]
    except (OSError, KeyError, IrbenchError) as error:
        reason = f"{first.path} holds no ground truth ({type(error).__name__})"
        return ScoredGroup([], {}, (f"{reason}: there are no intervals, curves and pictures",))
    home = {row["method"]: run for run in runs for row in run.rows}
    # The same draws for all methods, and those of `irbench compare` and the gate.
    draws = Resamples([truth.id for truth in truths]) if len(truths) > 1 else None
    methods: dict[str, ScoredMethod] = {}
    problems = []
    scored = [row for row in rows if row["state"] in SCORED_STATES]
    with (progress or Progress()).track("Scoring", len(scored)) as advance:
        for row in scored:
            try:
                one = _score(row, home[row["method"]], truths, draws)
            except (IrbenchError, OSError, KeyError) as error:
                problems.append(f"{row['title']} cannot be scored again: {error}")
            else:
                methods[row["method"]] = one
                problems += _differences(one)
            advance()
    return ScoredGroup(truths, methods, tuple(problems))


def are_scored(runs: Sequence[RunResults], rows: Sequence[Row]) -> bool:
    """Whether every method of a dataset that can be scored was, in this process."""
    kept = {method for run in runs for method in _kept.get(run, ())}
    return {row["method"] for row in rows if row["state"] in SCORED_STATES} <= kept


def _score(
    row: Row, run: RunResults, truths: Sequence[GroundTruth], draws: Resamples | None
) -> ScoredMethod:
    kept = _kept.setdefault(run, {})
    of, by, one = kept.get(row["method"], (None, None, None))
    if one is None or of is not truths or by != row:
        one = ScoredMethod(row, score_row(run, row, truths), draws)
        kept[row["method"]] = truths, row, one
    return one


def _differences(one: ScoredMethod) -> list[str]:
    """A row made by other code than this is no ground to print intervals on in silence."""
    differing = [
        metric
        for metric, value in one.output.result.values.items()
        if isinstance(stored := one.row.get(metric), int | float)
        and not math.isclose(stored, value or 0.0, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    ]
    if not differing:
        return []
    text = (
        f"{one.row['title']}: {', '.join(differing)} scored again differ from the run's, which "
        "another version made; the table has the run's values, intervals are of the new ones"
    )
    return [text]
