"""Who is best by each metric, and whether that is beyond chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from irbench.metrics.metric import MetricDefinition
from irbench.pictures.styles import MethodStyle
from irbench.statistics.scored_group import ScoredGroup

from ._columns import ranked_value, ranks
from ._cost_notes import timed_images
from ._html_table import interval_text
from ._side_by_side import DataGroup, methods_in_order


@dataclass(frozen=True)
class MetricLeaders:
    """Who is best by one metric.

    Attributes
    ----------
    metric : MetricDefinition
    best : tuple of MethodStyle
        More than one where values print alike.
    text : str
        The value, with its unit.
    interval : str
        Of the first of them; empty where there is none.
    lead : str
        How far ahead of the next, and whether that is beyond chance.
    """

    metric: MetricDefinition
    best: tuple[MethodStyle, ...]
    text: str
    interval: str
    lead: str


def verdicts(
    group: DataGroup,
    scored: ScoredGroup,
    styles: Mapping[str, MethodStyle],
    metrics: Sequence[MetricDefinition],
) -> list[MetricLeaders]:
    """The best method by each metric that has a direction and that any method has."""
    rows = methods_in_order([group])
    timed = timed_images(group)
    found = []
    for metric in metrics:
        values = {
            row["method"]: value
            for row in rows
            if (value := ranked_value(row, metric, timed.get(row["method"]))) is not None
        }
        if not values or metric.higher_is_better is None:
            continue
        rank_of = dict(zip(values, ranks(list(values.values()), metric), strict=True))
        # A single method is not ranked.
        best = [method for method in values if rank_of[method] == 1] or list(values)
        text = f"{metric.format(values[best[0]])} {metric.unit}".strip()
        found.append(
            MetricLeaders(
                metric,
                tuple(styles[method] for method in best),
                text,
                interval_text(scored, best[0], metric),
                _lead(scored, styles, metric, values, best),
            )
        )
    return found


def _lead(
    scored: ScoredGroup,
    styles: Mapping[str, MethodStyle],
    metric: MetricDefinition,
    values: Mapping[str, float],
    best: Sequence[str],
) -> str:
    others = [method for method in values if method not in best]
    if len(values) == 1:
        return "the only method with a value"
    if len(best) > 1:
        return f"a tie of {len(best)} methods"
    pick = max if metric.higher_is_better else min
    second = pick(others, key=values.__getitem__)
    text = f"ahead of {styles[second].title} ({metric.format(values[second])})"
    difference = scored.difference(best[0], second, metric.name)
    if difference is None or difference.interval.lower is None:
        return text
    interval = difference.interval
    assert interval.lower is not None
    assert interval.upper is not None
    apart = interval.lower > 0 or interval.upper < 0
    limits = f"{_signed(metric, interval.lower)} to {_signed(metric, interval.upper)}"
    return f"{text}: difference {limits}{'' if apart else ', not beyond chance'}"


def _signed(metric: MetricDefinition, value: float) -> str:
    text = metric.format(abs(value))
    return text if float(text) == 0 else f"{'+' if value > 0 else '−'}{text}"
