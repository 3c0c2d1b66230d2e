"""The outcome of a check as Markdown, for a pull request."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from irbench.gate.changes import Change, CheckReport
from irbench.gate.wording import (
    dataset_text,
    difference_text,
    interval_text,
    metric_text,
    value_texts,
    verdict_text,
)

MAX_ROWS = 30
"""So many rows of a table are shown; GitHub cuts summaries of more than 1 MiB off."""

_HEADER = (
    "| Method | Metric | Baseline | Now | Difference | 95 % interval | |",
    "| --- | --- | ---: | ---: | ---: | ---: | --- |",
)


def markdown_summary(report: CheckReport) -> str:
    """Write a check as Markdown: the verdict first, then what fails, the rest folded.

    Parameters
    ----------
    report : CheckReport

    Returns
    -------
    str
    """
    lines = [
        f"### irbench check {verdict_text(report)}",
        "",
        escape_markdown(dataset_text(report)),
        "",
    ]
    if report.failures:
        lines += [*_table(report.failures), ""]
    others = [one for one in report.changes if not one.fails and one.verdict != "same"]
    if others:
        lines += [*_folded(f"{len(others)} other changes", _table(others)), ""]
    if report.notes:
        notes = [f"- {escape_markdown(note)}" for note in report.notes]
        lines += [*_folded("What else differs", notes), ""]
    return "\n".join(lines)


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is, in one line, also inside a table."""
    # As references, so that no mark of Markdown is left over, whatever flavour reads it.
    flat = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"[\\`*_\[\]|~@#]", lambda match: f"&#{ord(match.group())};", flat)


def _folded(title: str, lines: Sequence[str]) -> list[str]:
    return ["<details>", f"<summary>{title}</summary>", "", *lines, "", "</details>"]


def _table(changes: Sequence[Change]) -> list[str]:
    lines = [*_HEADER]
    for change in changes[:MAX_ROWS]:
        cells = (
            change.method,
            metric_text(change),
            *value_texts(change),
            difference_text(change),
            interval_text(change),
            f"{change.verdict}: {change.reason}" if change.reason else change.verdict,
        )
        lines.append(f"| {' | '.join(map(escape_markdown, cells))} |")
    if len(changes) > MAX_ROWS:
        lines += ["", f"… and {len(changes) - MAX_ROWS} more."]
    return lines
