"""The measurements as Markdown, and their place in the README."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from _compare import Comparison, Sampling
from _scale import MEMORY_SIDE, Scaling
from _timing import Quartiles

BEGIN = "<!-- classical: begin (written by classical.py) -->"
END = "<!-- classical: end -->"

_TIMES = {time.perf_counter: "Time", time.process_time: "Processor time"}
_NONE = "—"
_SKIPPED = "skipped (> budget)"


def markdown(
    comparisons: Mapping[str, Comparison],
    scalings: Mapping[str, Scaling],
    machine: Mapping[str, Any],
    sampling: Sampling,
) -> str:
    """All tables, with the machine named."""
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    cores = (
        "1 core" if machine["cores"] == 1 else f"{machine['cores']} cores, of which one was used"
    )
    memory = f"{machine['memory_bytes'] / 1e9:.0f} GB of memory"
    python = f"Python {machine['python']}, {packages}"
    parts = [f"Measured on: {machine['processor']}, {cores}, {memory}; {python}."]
    if machine["load_average"] is not None:
        load = f"{machine['load_average']:.1f}"
        parts[0] += f" Load average before the start: {load} (0 is an idle machine)."
    if comparisons:
        side = sampling.side
        parts += [
            (
                f"{_TIMES[sampling.clock]} of the score map of an image of {side}x{side} pixels, "
                "and its floor:"
            ),
            _comparison_table(comparisons),
            "What a floor consists of:",
            table(
                ["method", "floor"], [[name, row.floor] for name, row in comparisons.items()], "ll"
            ),
        ]
    if scalings:
        parts += [
            (
                "Milliseconds by size, the exponent of time in the number of pixels, and the peak "
                f"memory of a process that computes one map of {MEMORY_SIDE}x{MEMORY_SIDE} pixels:"
            ),
            _scaling_table(scalings),
        ]
    return "\n\n".join(parts) + "\n"


def write_into(readme: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Replace what stands between the two markers of a file.

    Raises
    ------
    ValueError
        If a marker is missing.
    """
    old = readme.read_text(encoding="utf-8")
    before, found_begin, rest = old.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"{readme} must hold the lines {begin!r} and {end!r}, in this order.")
    readme.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")


def _comparison_table(comparisons: Mapping[str, Comparison]) -> str:
    rows = [
        [
            name,
            _number(row.ms.median),
            _range(row.ms),
            str(row.n_runs),
            _number(row.floor_ms.median) if row.floor_ms else _NONE,
            f"{row.ratio.median:.2f}" if row.ratio else _NONE,
            _range(row.ratio) if row.ratio else _NONE,
            row.work or _NONE,
            row.aim or _NONE,
            _verdict(row.met),
        ]
        for name, row in comparisons.items()
    ]
    head = [
        "method",
        "ms",
        "quartiles",
        "runs",
        "floor ms",
        "ratio",
        "quartiles",
        "work",
        "aim",
        "met",
    ]
    return table(head, rows, "lrrrrrrlll")


def _scaling_table(scalings: Mapping[str, Scaling]) -> str:
    sides = list(next(iter(scalings.values())).ms)
    rows = [
        [
            name,
            *(_SKIPPED if ms is None else _number(ms) for ms in row.ms.values()),
            _NONE if row.exponent is None else f"{row.exponent:.2f}",
            _memory(row),
            _verdict(row.fits),
        ]
        for name, row in scalings.items()
    ]
    head = ["method", *(f"{side}x{side}" for side in sides), "exponent", "peak memory", "≤ 4 GB"]
    return table(head, rows, "l" + "r" * (len(sides) + 2) + "l")


def _memory(row: Scaling) -> str:
    if row.peak_bytes is None:
        return row.peak_note or _NONE
    note = f" ({row.peak_note})" if row.peak_note else ""
    return f"{row.peak_bytes / 1e9:.2f} GB{note}"


def _verdict(met: bool | None) -> str:
    return _NONE if met is None else "yes" if met else "no"


def _range(quartiles: Quartiles) -> str:
    return f"{_number(quartiles.low)} to {_number(quartiles.high)}"


def _number(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], alignment: str) -> str:
    """A table in Markdown; ``alignment`` has ``l`` or ``r`` for each column."""
    rule = ["---:" if side == "r" else "---" for side in alignment]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *rows])
