"""How the changes of a check are written, in a terminal, in Markdown and in JUnit XML alike."""

from __future__ import annotations

import math

from irbench.gate.changes import ROW, Change, CheckReport
from irbench.gate.tolerance import TIMING
from irbench.metrics.definition import METRICS
from irbench.metrics.metric import UNDEFINED_TEXT

_MOST_DECIMALS = 12


def metric_text(change: Change) -> str:
    """The metric's title with its arrow and unit."""
    if change.metric == TIMING:
        return "Time ↓ ratio"
    if change.metric == ROW:
        return ""
    definition = METRICS.get(change.metric)
    if definition is None:
        return change.metric
    return f"{definition.title} {definition.arrow} {definition.unit}".rstrip()


def value_texts(change: Change) -> tuple[str, str]:
    """The values before and now, with as many digits as it takes to distinguish them."""
    if change.before is None or change.now is None:
        return _text(change, change.before, 0), _text(change, change.now, 0)
    for more in range(_MOST_DECIMALS + 1 if change.before != change.now else 1):
        texts = _text(change, change.before, more), _text(change, change.now, more)
        if texts[0] != texts[1]:
            break
    return texts


def difference_text(change: Change) -> str:
    """The value now minus the one before, with its sign; empty where one is undefined."""
    if change.before is None or change.now is None:
        return ""
    return _signed(change, change.now - change.before)


def interval_text(change: Change) -> str:
    """The interval of the difference; empty where there is none."""
    interval = change.interval
    if interval is None or interval.lower is None or interval.upper is None:
        return ""
    return f"{_signed(change, interval.lower)} … {_signed(change, interval.upper)}"


def sentence(change: Change) -> str:
    """A change in one line: what, from where to where, interval, reason."""
    text = f"{change.method}: {change.verdict}"
    if change.metric != ROW:
        before, now = value_texts(change)
        text = f"{change.method}: {metric_text(change)}: {before} -> {now} ({change.verdict}"
        interval = interval_text(change)
        text += f", 95 % interval of the difference {interval})" if interval else ")"
    return f"{text}: {change.reason}" if change.reason else text


def verdict_text(report: CheckReport) -> str:
    """The outcome of a check in one sentence."""
    counts = report.counts
    compared = [
        c for c in report.changes if c.metric != ROW and c.verdict not in ("missing", "new")
    ]
    n_values, n_methods = len(compared), len({change.method for change in compared})
    said = [
        f"{counts[verdict]} {label}"
        for verdict, label in (
            ("regressed", "regressed"),
            ("missing", "missing"),
            ("uncertain", "within the noise"),
            ("improved", "improved"),
            ("new", "new"),
        )
        if counts[verdict]
    ]
    head = "passed" if report.passed else "FAILED"
    listed = ", ".join(said) or "nothing moved"
    return f"{head}: {listed}; {n_values} values of {n_methods} methods compared"


def dataset_text(report: CheckReport) -> str:
    """What was tested on."""
    dataset = report.dataset
    scheme = f" of {dataset['scheme']}" if dataset.get("scheme") else ""
    return (
        f"{dataset['title']}, split {dataset['split']}{scheme}: {dataset['n_images']} images, "
        f"{dataset['n_targets']} targets"
    )


def _text(change: Change, value: float | None, more: int) -> str:
    if value is None:
        return "" if change.metric == ROW else UNDEFINED_TEXT
    scale, decimals = _printed(change)
    return f"{value * scale:.{decimals + more}f}"


def _signed(change: Change, value: float) -> str:
    scale, decimals = _printed(change)
    printed = value * scale
    # Two digits that say something, where the usual ones would print 0.00.
    if printed and abs(printed) < 10**-decimals:
        decimals = min(1 - math.floor(math.log10(abs(printed))), _MOST_DECIMALS)
    return f"{printed:+.{decimals}f}" if printed else f"{0:.{decimals}f}"


def _printed(change: Change) -> tuple[float, int]:
    definition = METRICS.get(change.metric)
    return (1.0, 2) if definition is None else (definition.scale, definition.decimals)
