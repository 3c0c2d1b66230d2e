"""A comparison of methods in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from irbench.cli.comparison_values import bounds, difference_text, gains_text, p_text, rule_text
from irbench.cli.plain_table import number_column, plain_table, results_console, text_column
from irbench.engine.storage.results import RunResults
from irbench.ground_truth import GroundTruth
from irbench.metrics.definition import METRICS
from irbench.metrics.metric import UNDEFINED_TEXT, MetricDefinition
from irbench.scoring import RULES
from irbench.statistics.comparison import Comparison
from irbench.statistics.paired import McNemar

N_LISTED = 10
"""So many targets of a list are printed; JSON has them all."""

FEW_IMAGES = 20
"""Intervals from fewer images are reported to be too narrow."""


def print_pair(comparison: Comparison, results: RunResults) -> None:
    """Print two methods side by side: differences, McNemar's test, targets found alone.

    Parameters
    ----------
    comparison : Comparison
        Of two methods.
    results : RunResults
        The run that they are of.
    """
    console = results_console()
    first, second = (_titles(results)[method] for method in comparison.methods)
    _print_heading(console, results, f"{first} minus {second}")
    console.print(_difference_table(console, comparison, first, second))
    _print_undefined(console, comparison, results)
    console.print()
    console.print(_mcnemar_table(console, comparison, results, first, second))
    for rule in RULES:
        for method, title in zip(comparison.methods, (first, second), strict=True):
            _print_alone(
                console, comparison.found_alone(method, rule), title, rule_text(rule, results)
            )
    console.print()
    _print_note(console, comparison, "adjusted by Holm over all p-values above")


def print_ranking(comparison: Comparison, results: RunResults) -> None:
    """Print the ranking of several methods by each metric.

    Parameters
    ----------
    comparison : Comparison
    results : RunResults
        The run that its methods are of.
    """
    console = results_console()
    titles = _titles(results)
    for metric in comparison.metrics:
        definition = METRICS[metric]
        unit = f", {definition.unit}" if definition.unit else ""
        _print_heading(console, results, f"By {definition.title} {definition.arrow}{unit}")
        console.print(_ranking_table(console, comparison, titles, definition))
        _print_undefined(console, comparison, results, metric)
    for rule in RULES:
        counts = {name: len(comparison.found_alone(name, rule)) for name in comparison.methods}
        alone = ", ".join(f"{titles[name]} {n}" for name, n in counts.items() if n)
        if alone:
            _print_line(
                console, f"\nFound by one method alone, {rule_text(rule, results)}: {alone}."
            )
    left_out = [row for row in results.rows if row["method"] not in comparison.methods]
    if left_out:
        names = ", ".join(f"{row['title']} ({row['state']})" for row in left_out)
        _print_line(console, f"\nNot compared: {names}.")
    console.print()
    _print_line(console, "Methods that share a letter are not distinguishable.")
    _print_note(console, comparison, "adjusted by Holm over all pairs, by metric")


def _titles(results: RunResults) -> dict[str, str]:
    return {row["method"]: row["title"] for row in results.rows}


def _print_heading(console: Console, results: RunResults, text: str) -> None:
    dataset = results.dataset
    console.print()
    console.print(
        f"{text}: {dataset['title']}, split {dataset['split']}, {dataset['n_images']} images, "
        f"{dataset['n_targets']} targets",
        style="bold",
        markup=False,
    )


def _table(console: Console, *columns: str) -> Table:
    """A table whose numbers are never cut: in a narrow terminal its intervals wrap."""
    first, *others = columns
    numbers = (number_column(head, wraps="interval" in head) for head in others)
    return plain_table([text_column(first), *numbers], console)


def _difference_table(console: Console, comparison: Comparison, first: str, second: str) -> Table:
    level = f"{comparison.level:.0%} interval"
    table = _table(console, "Metric", first, second, "Difference", level, "p", "p\n(Holm)")
    for metric in comparison.metrics:
        definition = METRICS[metric]
        (one,) = comparison.tests(metric)
        difference = comparison.difference(one.first, one.second, metric)
        table.add_row(
            f"{definition.title} {definition.arrow} {definition.unit}".rstrip(),
            *(definition.format(comparison.estimate(name, metric)) for name in comparison.methods),
            difference_text(definition, difference.interval.estimate),
            bounds(definition, difference.interval, difference=True),
            p_text(difference.p_value),
            p_text(one.p_holm),
        )
    return table


def _mcnemar_table(
    console: Console, comparison: Comparison, results: RunResults, first: str, second: str
) -> Table:
    heads = ("both", f"{first}\nalone", f"{second}\nalone", "neither", "p", "p\n(Holm)")
    table = _table(console, "Targets found\n(McNemar, exact)", *heads)
    for rule in RULES:
        (one,) = comparison.tests(rule)
        test = one.test
        if isinstance(test, McNemar):
            counts = (test.both, test.only_first, test.only_second, test.neither)
            cells = [*map(str, counts), p_text(test.p_value), p_text(one.p_holm)]
        else:
            cells = [UNDEFINED_TEXT] * len(heads)
        table.add_row(rule_text(rule, results), *cells)
    return table


def _ranking_table(
    console: Console, comparison: Comparison, titles: dict[str, str], definition: MetricDefinition
) -> Table:
    level = f"{comparison.level:.0%} interval"
    heads = ("Rank", definition.title, level, "Group", "To the\nbest", level, "p", "p\n(Holm)")
    table = _table(console, "Method", *heads)
    metric = definition.name
    p_holm = comparison.p_holm(metric)
    ranking = comparison.ranking(metric)
    best = ranking[0].method
    for one in ranking:
        interval = comparison.interval(one.method, metric)
        cells = ["", "", "", ""]
        if one.method != best and one.rank is not None:
            difference = comparison.difference(one.method, best, metric)
            place = tuple(comparison.methods.index(name) for name in (one.method, best))
            cells = [
                difference_text(definition, difference.interval.estimate),
                bounds(definition, difference.interval, difference=True),
                p_text(difference.p_value),
                p_text(float(p_holm[place])),
            ]
        table.add_row(
            titles[one.method],
            UNDEFINED_TEXT if one.rank is None else str(one.rank),
            definition.format(interval.estimate),
            bounds(definition, interval),
            one.letters,
            *cells,
        )
    return table


def _print_alone(
    console: Console, targets: Sequence[tuple[GroundTruth, int]], title: str, rule: str
) -> None:
    if not targets:
        return
    _print_line(console, f"\n{title} alone finds, {rule}: {len(targets)}")
    for truth, index in targets[:N_LISTED]:
        box = ", ".join(f"{side:g}" for side in truth.boxes[index].tolist())
        _print_line(console, f"  {truth.id}  ({box})")
    if len(targets) > N_LISTED:
        _print_line(console, f"  … and {len(targets) - N_LISTED} more; --json lists all.")


def _print_undefined(
    console: Console, comparison: Comparison, results: RunResults, *metrics: str
) -> None:
    titles = _titles(results)
    for metric in metrics or comparison.metrics:
        for method in comparison.methods:
            reason = comparison.outputs[method].result.undefined.get(metric)
            if reason:
                text = f"{METRICS[metric].title} of {titles[method]} is undefined: {reason}."
                console.print(text, style="dim", markup=False)
            maps = comparison.outputs[method].result.counts.maps
            if maps is not None and (report := gains_text(metric, maps.gains)):
                text = f"{METRICS[metric].title} of {titles[method]} is {report}."
                console.print(text, style="dim", markup=False)
            dropped = comparison.interval(method, metric).n_undefined
            if dropped and not reason:
                console.print(
                    f"{METRICS[metric].title} of {titles[method]} is undefined in {dropped} of "
                    f"{comparison.resamples.n_resamples} draws, which were dropped.",
                    style="dim",
                    markup=False,
                )


def _print_note(console: Console, comparison: Comparison, family: str) -> None:
    console.print(
        f"Bootstrap over images: {comparison.resamples.n_resamples} draws, seed "
        f"{comparison.resamples.seed}, the same for all methods; p two-sided, {family}.",
        style="dim",
        markup=False,
    )
    n_images = comparison.resamples.n_images
    if n_images < FEW_IMAGES:
        text = f"Only {n_images} images: intervals from so few are too narrow, p-values too small."
        console.print(text, style="yellow", markup=False)


def _print_line(console: Console, text: str) -> None:
    console.print(text, markup=False)
