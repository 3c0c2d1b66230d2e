"""The tables of a comparison as texts, which every format prints alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from irbench.cli.comparison_values import bounds, difference_text, map_text, p_text, rule_text
from irbench.cli.plain_table import TextTable
from irbench.engine.storage.results import RunResults
from irbench.metrics.definition import METRICS
from irbench.metrics.metric import UNDEFINED_TEXT, MetricDefinition
from irbench.scoring.scored_output import RULES
from irbench.statistics.comparison import FEW_IMAGES, Comparison
from irbench.statistics.paired import McNemar

SHARED_LETTERS = "Methods that share a letter are not distinguishable."


def text_tables(comparison: Comparison, results: RunResults) -> list[TextTable]:
    """Of two methods their differences and McNemar's test; of more a ranking by each metric."""
    if len(comparison.methods) == 2:
        return [difference_table(comparison, results), mcnemar_table(comparison, results)]
    return [ranking_table(comparison, results, METRICS[name]) for name in comparison.metrics]


def difference_table(comparison: Comparison, results: RunResults) -> TextTable:
    """The first of two methods minus the second, by each metric."""
    first, second = _titles(comparison, results)
    level = f"{comparison.level:.0%} interval"
    rows = []
    for metric in comparison.metrics:
        definition = METRICS[metric]
        (one,) = comparison.tests(metric)
        difference = comparison.difference(one.first, one.second, metric)
        estimates = [comparison.estimate(name, metric) for name in comparison.methods]
        rows.append(
            (
                f"{definition.title} {definition.arrow} {definition.unit}".rstrip(),
                *map(definition.format, estimates),
                difference_text(definition, difference.interval.estimate),
                bounds(definition, difference.interval, difference=True),
                p_text(difference.p_value),
                p_text(one.p_holm),
            )
        )
    return TextTable(
        f"{first} minus {second}: {_data(results)}",
        ("Metric", first, second, "Difference", level, "p", "p\n(Holm)"),
        tuple(rows),
        tuple(_undefined(comparison, results, comparison.metrics)),
    )


def mcnemar_table(comparison: Comparison, results: RunResults) -> TextTable:
    """The targets that two methods find, by each rule, and the exact test of McNemar."""
    first, second = _titles(comparison, results)
    heads = ("both", f"{first}\nalone", f"{second}\nalone", "neither", "p", "p\n(Holm)")
    rows = []
    for rule in RULES:
        (one,) = comparison.tests(rule)
        test = one.test
        if isinstance(test, McNemar):
            counts = (test.both, test.only_first, test.only_second, test.neither)
            cells = [*map(str, counts), p_text(test.p_value), p_text(one.p_holm)]
        else:
            cells = [UNDEFINED_TEXT] * len(heads)
        rows.append((rule_text(rule, results), *cells))
    title = f"Targets found by {first} and {second}: {_data(results)}"
    return TextTable(title, ("Targets found\n(McNemar, exact)", *heads), tuple(rows))


def ranking_table(
    comparison: Comparison, results: RunResults, definition: MetricDefinition
) -> TextTable:
    """The ranking by a metric, each method against the best."""
    titles = dict(zip(comparison.methods, _titles(comparison, results), strict=True))
    level = f"{comparison.level:.0%} interval"
    metric = definition.name
    p_holm = comparison.p_holm(metric)
    ranking = comparison.ranking(metric)
    best = ranking[0].method
    rows = []
    for one in ranking:
        interval = comparison.interval(one.method, metric)
        cells = ["", "", "", ""]
        if one.method != best and one.rank is not None:
            difference = comparison.difference(one.method, best, metric)
            pair = tuple(comparison.methods.index(name) for name in (one.method, best))
            cells = [
                difference_text(definition, difference.interval.estimate),
                bounds(definition, difference.interval, difference=True),
                p_text(difference.p_value),
                p_text(float(p_holm[pair])),
            ]
        rows.append(
            (
                titles[one.method],
                UNDEFINED_TEXT if one.rank is None else str(one.rank),
                definition.format(interval.estimate),
                bounds(definition, interval),
                one.letters,
                *cells,
            )
        )
    unit = f", {definition.unit}" if definition.unit else ""
    heads = ("Rank", definition.title, level, "Group", "To the\nbest", level, "p", "p\n(Holm)")
    return TextTable(
        f"By {definition.title} {definition.arrow}{unit}: {_data(results)}",
        ("Method", *heads),
        tuple(rows),
        tuple(_undefined(comparison, results, [metric])),
    )


def method_note(comparison: Comparison) -> str:
    """How the tests were made, and over what their p-values are adjusted."""
    pair = len(comparison.methods) == 2
    family = "all p-values above" if pair else "all pairs, by metric"
    return (
        f"Bootstrap over images: {comparison.resamples.n_resamples} draws, seed "
        f"{comparison.resamples.seed}, the same for all methods; p two-sided, adjusted by Holm "
        f"over {family}."
    )


def few_images_note(comparison: Comparison) -> str:
    """A warning of few images; empty where there are enough."""
    n_images = comparison.resamples.n_images
    if n_images >= FEW_IMAGES:
        return ""
    return f"Only {n_images} images: intervals from so few are too narrow, p-values too small."


def _titles(comparison: Comparison, results: RunResults) -> list[str]:
    titles = {row["method"]: row["title"] for row in results.rows}
    return [titles[method] for method in comparison.methods]


def _data(results: RunResults) -> str:
    dataset = results.dataset
    return (
        f"{dataset['title']}, split {dataset['split']}{results.conditions}, "
        f"{dataset['n_images']} images, {dataset['n_targets']} targets"
    )


def _undefined(
    comparison: Comparison, results: RunResults, metrics: Sequence[str]
) -> Iterator[str]:
    titles = dict(zip(comparison.methods, _titles(comparison, results), strict=True))
    for metric in metrics:
        for method in comparison.methods:
            of = f"{METRICS[metric].title} of {titles[method]} is"
            result = comparison.outputs[method].result
            reason = result.undefined.get(metric)
            if reason:
                yield f"{of} undefined: {reason}."
            maps = result.counts.maps
            if maps is not None and (report := map_text(metric, maps)):
                yield f"{of} {report}."
            dropped = comparison.interval(method, metric).n_undefined
            if dropped and not reason:
                yield (
                    f"{of} undefined in {dropped} of {comparison.resamples.n_resamples} draws, "
                    "which were dropped."
                )
