"""The outcome of a check as Markdown, for a pull request."""

from __future__ import annotations

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
from irbench.markup.markdown_text import markdown_text

MAX_ROWS = 30
"""So many rows of a table are shown; GitHub cuts summaries of more than 1 MiB off."""

_HEADER = (
    "| Method | Metric | Baseline | Now | Difference | 95 % interval | |",
    "| --- | --- | ---: | ---: | ---: | ---: | --- |",
)


def markdown_summary(report: CheckReport) -> str:
    """Write a check as Markdown: the verdict first, then what fails, the rest folded."""
    lines = [
        f"### irbench check {verdict_text(report)}",
        "",
        markdown_text(dataset_text(report)),
        "",
    ]
    if report.failures:
        lines += [*_table(report.failures), ""]
    others = [one for one in report.changes if not one.fails and one.verdict != "same"]
    if others:
        lines += [*_folded(f"{len(others)} other changes", _table(others)), ""]
    if report.notes:
        notes = [f"- {markdown_text(note)}" for note in report.notes]
        lines += [*_folded("What else differs", notes), ""]
    return "\n".join(lines)


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
        lines.append(f"| {' | '.join(map(markdown_text, cells))} |")
    if len(changes) > MAX_ROWS:
        lines += ["", f"… and {len(changes) - MAX_ROWS} more."]
    return lines
