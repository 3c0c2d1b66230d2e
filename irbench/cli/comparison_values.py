"""How a comparison is printed in words and numbers, and the same as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from irbench.engine.storage.results import RunResults
from irbench.metrics.clutter_suppression import Gains
from irbench.metrics.map_statistics import MapCounts
from irbench.metrics.metric import UNDEFINED_TEXT, MetricDefinition
from irbench.metrics.pixel_roc import auc, auc_resolution
from irbench.scoring.scored_output import RULES
from irbench.statistics.bootstrap import Interval
from irbench.statistics.comparison import Comparison, PairTest
from irbench.statistics.paired import McNemar, PairedDifference


def difference_text(definition: MetricDefinition, value: float | None) -> str:
    """A difference in the unit of a table, with its sign."""
    text = definition.format(value)
    return f"+{text}" if value is not None and value > 0 else text


def bounds(definition: MetricDefinition, interval: Interval, difference: bool = False) -> str:
    """The two ends of an interval in the unit of a table; empty where there is none."""
    if interval.lower is None or interval.upper is None:
        return ""
    write = difference_text if difference else MetricDefinition.format
    return f"{write(definition, interval.lower)} … {write(definition, interval.upper)}"


def p_text(p: float | None) -> str:
    """A p-value with four digits; None and NaN as an em dash."""
    if p is None or math.isnan(p):
        return UNDEFINED_TEXT
    return "<0.0001" if p < 1e-4 else f"{p:.4f}"


def rule_text(rule: str, results: RunResults) -> str:
    """By what a target counts as found, in the numbers of the run's protocol."""
    protocol = results.protocol
    texts = {
        "overlap": f"IoU ≥ {protocol['iou_threshold']:g}",
        "distance": f"centroid < {protocol['distance_px']:g} px",
    }
    return texts[rule]


def map_text(metric: str, maps: MapCounts) -> str:
    """What a value of score maps is to be read with; empty where nothing."""
    if metric != auc.name:
        return gains_text(metric, maps.gains)
    resolution = auc_resolution(maps.roc).value
    if resolution is None:
        return ""
    return f"within {resolution:.2g} of the area by ranking every pixel: those of one bin tie"


def gains_text(metric: str, gains: Gains) -> str:
    """On how many targets a gain is infinite, undefined or erased; empty where on none.

    A median over the other targets looks better than a method that erased some of them is.
    """
    name = metric.removesuffix("_mean")
    if name not in ("scrg", "bsf", "cg"):
        return ""
    counts = gains.counts(name)
    report = [f"{what} at {n}" for what, n in counts.items() if n and what != "erased"]
    if not report:
        return ""
    erased = f" ({counts['erased']} of them erased by the method)" if counts["erased"] else ""
    return f"{' and '.join(report)}{erased} of {len(gains.scrg)} targets"


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
            _difference(pair, pair.test)
            for metric in comparison.metrics
            for pair in comparison.tests(metric)
            if isinstance(pair.test, PairedDifference)
        ],
        "mcnemar": [
            _mcnemar(pair, pair.test)
            for rule in RULES
            for pair in comparison.tests(rule)
            if isinstance(pair.test, McNemar)
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


def _difference(pair: PairTest, test: PairedDifference) -> dict[str, Any]:
    return {
        "first": pair.first,
        "second": pair.second,
        "metric": pair.by,
        **_without_level(asdict(test.interval)),
        "p": test.p_value,
        "p_holm": pair.p_holm,
    }


def _mcnemar(pair: PairTest, test: McNemar) -> dict[str, Any]:
    counts = asdict(test)
    p = counts.pop("p_value")
    return {
        "first": pair.first,
        "second": pair.second,
        "rule": pair.by,
        **counts,
        "difference": test.difference,
        "p": p,
        "p_holm": pair.p_holm,
    }


def _without_level(interval: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in interval.items() if name != "level"}
