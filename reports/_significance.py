"""Which rows differ from a reference row beyond chance: paired tests, adjusted over a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from irbench.errors import UsageError
from irbench.metrics.definition import quality_metrics
from irbench.metrics.metric import MetricDefinition
from irbench.statistics.bootstrap import LEVEL
from irbench.statistics.comparison import FEW_IMAGES
from irbench.statistics.multiple_testing import holm
from irbench.statistics.resamples import N_RESAMPLES, Resamples
from irbench.statistics.scored_group import ScoredGroup, score_methods

from ._model import GLYPHS, Outcome
from ._side_by_side import DataGroup, methods_in_order

ALPHA = round(1 - LEVEL, 10)
"""Two rows differ where the adjusted p-value is at most this."""


@dataclass(frozen=True)
class Significance:
    """The tests of a table against its reference row.

    Attributes
    ----------
    outcomes : tuple of mapping of (str, str) to str
        By dataset: of each method and metric that was tested, ``"better"``, ``"worse"`` or
        ``"same"``.
    p_holm : tuple of mapping of (str, str) to float
        The adjusted p-values, likewise.
    legend : str
        What the marks mean, and of how many comparisons they are.
    problems : tuple of str
        Sentences on what could not be tested.
    """

    outcomes: tuple[Mapping[tuple[str, str], Outcome], ...]
    p_holm: tuple[Mapping[tuple[str, str], float], ...]
    legend: str
    problems: tuple[str, ...]


@dataclass(frozen=True)
class _Test:
    group: int
    method: str
    metric: str
    gain: float
    p: float


def significance(
    groups: Sequence[DataGroup], metrics: Sequence[MetricDefinition], reference: str
) -> Significance:
    """Test every row of a table against one of them, by every metric that has a paired test.

    The tests are those of ``irbench compare``, on the draws of the intervals; their p-values are
    adjusted by Holm over all of them.

    Parameters
    ----------
    groups : sequence of DataGroup
    metrics : sequence of MetricDefinition
        The columns.
    reference : str
        A method.

    Raises
    ------
    UsageError
        If no column has a test, no row can be tested, or there are more comparisons than the
        draws can resolve.
    """
    known = quality_metrics()
    tested = [m for m in metrics if m.name in known and m.higher_is_better is not None]
    if not tested:
        titles = ", ".join(metric.title for metric in metrics)
        raise UsageError(
            f"--reference {reference}: no column has a paired test ({titles}); choose a metric of "
            "quality by --columns."
        )
    scored = [score_methods(group.runs, methods_in_order([group])) for group in groups]
    tests = [
        test
        for position, one in enumerate(scored)
        for metric in tested
        for test in _tests(position, one, metric, reference)
    ]
    if not tests:
        problems = "; ".join(problem for one in scored for problem in one.problems)
        raise UsageError(
            f"--reference {reference}: no other row can be tested against it"
            + (f": {problems}." if problems else "; it needs a second row with results.")
        )
    least = 2 / (N_RESAMPLES + 1)
    if least * len(tests) > ALPHA:
        raise UsageError(
            f"--reference {reference}: {len(tests)} comparisons are too many for "
            f"{N_RESAMPLES} draws, by which no adjusted p-value could be {ALPHA:g} or less; "
            f"choose fewer by --methods or --columns: at most {int(ALPHA / least)} comparisons."
        )
    adjusted = holm([test.p for test in tests]).tolist()
    outcomes: list[dict[tuple[str, str], Outcome]] = [{} for _ in groups]
    p_holm: list[dict[tuple[str, str], float]] = [{} for _ in groups]
    for test, p in zip(tests, adjusted, strict=True):
        outcomes[test.group][test.method, test.metric] = _outcome(test.gain, p)
        p_holm[test.group][test.method, test.metric] = p
    title = next(row["title"] for row in methods_in_order(groups) if row["method"] == reference)
    amiss = [f"{one.removesuffix('.')}." for found in scored for one in found.problems]
    amiss += [*_absent(groups, title, reference), *_few(groups, scored)]
    return Significance(
        tuple(outcomes), tuple(p_holm), _legend(tests, metrics, title), tuple(amiss)
    )


def _legend(tests: Sequence[_Test], metrics: Sequence[MetricDefinition], title: str) -> str:
    """What the marks mean, of how many comparisons they are, and what is not tested."""
    with_tests = {test.metric for test in tests}
    untested = [metric.title for metric in metrics if metric.name not in with_tests]
    family = f"{len(tests)} comparisons" if len(tests) > 1 else "one comparison"
    return (
        f"{GLYPHS['better']} better, {GLYPHS['worse']} worse than {title}, {GLYPHS['same']} not "
        f"distinguishable from it: paired bootstrap over images ({N_RESAMPLES} draws, seed "
        f"{Resamples.seed}), two-sided at {100 * ALPHA:g} %, p-values adjusted by Holm over the "
        f"{family} of this table" + (f"; not tested: {', '.join(untested)}." if untested else ".")
    )


def _absent(groups: Sequence[DataGroup], title: str, reference: str) -> list[str]:
    absent = [group.title for group in groups if reference not in group.rows]
    return (
        [f"Nothing is tested on {', '.join(absent)}, where {title} was not run."] if absent else []
    )


def _few(groups: Sequence[DataGroup], scored: Sequence[ScoredGroup]) -> list[str]:
    few = [
        f"{len(found.truths)} on {group.title}"
        for group, found in zip(groups, scored, strict=True)
        if 1 < len(found.truths) < FEW_IMAGES
    ]
    return [f"Few images ({', '.join(few)}): p-values from so few are too small."] if few else []


def _tests(
    position: int, scored: ScoredGroup, metric: MetricDefinition, reference: str
) -> list[_Test]:
    found = []
    for method in scored.methods:
        if method == reference:
            continue
        difference = scored.difference(method, reference, metric.name)
        if difference is None or difference.p_value is None:
            continue
        amount = difference.interval.estimate or 0.0
        gain = amount if metric.higher_is_better else -amount
        found.append(_Test(position, method, metric.name, gain, difference.p_value))
    return found


def _outcome(gain: float, p: float) -> Outcome:
    if p > ALPHA or gain == 0:
        return "same"
    return "better" if gain > 0 else "worse"
