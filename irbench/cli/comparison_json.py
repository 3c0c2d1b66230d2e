"""A comparison of methods as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from irbench.engine.storage.results import RunResults
from irbench.scoring import RULES
from irbench.statistics.comparison import Comparison, PairTest
from irbench.statistics.paired import McNemar, PairedDifference


def comparison_content(comparison: Comparison, results: RunResults) -> dict[str, Any]:
    """Everything that a comparison says, as plain values.

    Parameters
    ----------
    comparison : Comparison
    results : RunResults
        The run that its methods are of.

    Returns
    -------
    dict
        ``methods`` with estimates and intervals, ``differences`` of the metrics and
        ``mcnemar`` by rule for every pair, ``rankings`` by metric, and ``found_alone``:
        every target that one method alone finds. Fractions and SI units.
    """
    return {
        "run": str(results.path),
        "dataset": results.dataset,
        "protocol": results.protocol,
        "resamples": comparison.resamples.n_resamples,
        "seed": comparison.resamples.seed,
        "level": comparison.level,
        "holm_family": (
            "all tests below" if len(comparison.methods) == 2 else "all pairs, by metric or rule"
        ),
        "methods": [_method(comparison, results, method) for method in comparison.methods],
        "differences": [
            content
            for metric in comparison.metrics
            for one in comparison.tests(metric)
            if (content := _difference(one)) is not None
        ],
        "mcnemar": [
            content
            for rule in RULES
            for one in comparison.tests(rule)
            if (content := _mcnemar(one)) is not None
        ],
        "rankings": {
            metric: [asdict(one) for one in comparison.ranking(metric)]
            for metric in comparison.metrics
        },
        "found_alone": [
            {
                "method": method,
                "rule": rule,
                "image": truth.id,
                "target": index,
                "box": truth.boxes[index].tolist(),
            }
            for rule in RULES
            for method in comparison.methods
            for truth, index in comparison.found_alone(method, rule)
        ],
    }


def _method(comparison: Comparison, results: RunResults, method: str) -> dict[str, Any]:
    row = next(row for row in results.rows if row["method"] == method)
    undefined = comparison.outputs[method].result.undefined
    return {
        "method": method,
        "title": row["title"],
        "state": row["state"],
        "threshold": row.get("threshold"),
        "values": {
            metric: _without_level(asdict(comparison.interval(method, metric)))
            for metric in comparison.metrics
        },
        "undefined": {name: undefined[name] for name in comparison.metrics if name in undefined},
    }


def _difference(one: PairTest) -> dict[str, Any] | None:
    if not isinstance(one.test, PairedDifference):
        return None
    return {
        "first": one.first,
        "second": one.second,
        "metric": one.by,
        **_without_level(asdict(one.test.interval)),
        "p": one.test.p_value,
        "p_holm": one.p_holm,
    }


def _mcnemar(one: PairTest) -> dict[str, Any] | None:
    if not isinstance(one.test, McNemar):
        return None
    counts = asdict(one.test)
    p = counts.pop("p_value")
    return {
        "first": one.first,
        "second": one.second,
        "rule": one.by,
        **counts,
        "difference": one.test.difference,
        "p": p,
        "p_holm": one.p_holm,
    }


def _without_level(interval: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in interval.items() if name != "level"}
