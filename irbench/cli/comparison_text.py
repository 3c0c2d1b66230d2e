"""How the numbers of a comparison are printed."""

from __future__ import annotations

import math

from irbench.engine.storage.results import RunResults
from irbench.metrics.clutter_suppression import Gains
from irbench.metrics.metric import UNDEFINED_TEXT, MetricDefinition
from irbench.statistics.bootstrap import Interval


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


def gains_text(metric: str, gains: Gains) -> str:
    """On how many targets a gain is infinite, undefined or erased; empty where on none.

    A median over the other targets looks better than a method that erased some of them is.
    """
    name = metric.removesuffix("_mean")
    if name not in ("scrg", "bsf", "cg"):
        return ""
    counts = gains.counts(name)
    told = [f"{what} at {n}" for what, n in counts.items() if n and what != "erased"]
    if not told:
        return ""
    erased = f" ({counts['erased']} of them erased by the method)" if counts["erased"] else ""
    return f"{' and '.join(told)}{erased} of {len(gains.scrg)} targets"
