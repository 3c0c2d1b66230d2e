"""The 95 % intervals of the values of a table, as they are printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from irbench.metrics.metric import Metric, MetricDefinition
from irbench.statistics.resamples import N_RESAMPLES
from irbench.statistics.scored_group import resample_methods, score_methods

from ._side_by_side import DataGroup, methods_in_order

Bounds = dict[tuple[str, str], tuple[float, float]]
"""By method and metric, as stored: fractions and SI units."""


def interval_bounds(group: DataGroup, metrics: Sequence[str]) -> tuple[Bounds, tuple[str, ...]]:
    """The intervals of a dataset's rows, and what could not be scored again."""
    scored = score_methods(group.runs, methods_in_order([group]))
    bounds: Bounds = {}
    failures = []
    resample_methods(scored.methods.values(), metrics)
    for method, one in scored.methods.items():
        for metric in metrics:
            found = one.interval(metric)
            if found is not None and found.lower is not None and found.upper is not None:
                bounds[method, metric] = found.lower, found.upper
            if metric in one.failures:
                failures.append(f"{one.row['title']} has no interval: {one.failures[metric]}")
    return bounds, (*scored.problems, *failures)


def interval_texts(
    groups: Sequence[DataGroup], metrics: Sequence[MetricDefinition]
) -> tuple[list[Mapping[tuple[str, str], str]], list[str]]:
    """The intervals of all groups of a table as printed.

    Returns
    -------
    texts : list of mapping of (str, str) to str
        By group: of each method and metric that can be resampled, ``lower–upper``.
    notes : list of str
        What they are, and what could not be scored again.
    """
    by_name = {metric.name: metric for metric in metrics}
    texts: list[Mapping[tuple[str, str], str]] = []
    meaning = (
        f"Ranges: 95 % intervals ({interval_kind(metrics)}) of a bootstrap over images, "
        f"{N_RESAMPLES} draws; costs and settings have none."
    )
    notes = [meaning]
    for group in groups:
        bounds, problems = interval_bounds(group, tuple(by_name))
        notes += [f"{problem.removesuffix('.')}." for problem in problems]
        texts.append(
            {
                (method, name): "–".join(map(by_name[name].format, pair))
                for (method, name), pair in bounds.items()
            }
        )
    return texts, notes


def interval_kind(metrics: Iterable[MetricDefinition]) -> str:
    """How the intervals of these metrics are made; see docs/metrics.md."""
    adds_miss = {one.adds_miss for one in metrics if isinstance(one, Metric)}
    if True not in adds_miss:
        return "BCa"
    of_ap = "expanded percentile with half a missed target"
    return f"BCa; of average precision, {of_ap}" if False in adds_miss else of_ap
