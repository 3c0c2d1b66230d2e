"""Which rows of the runs a report shows, and in what order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

from irbench.engine.storage.results import RunResults
from irbench.errors import UnknownNameError, UsageError
from irbench.report import ReportOptions, skipped_methods


def chosen_runs(runs: Sequence[RunResults], options: ReportOptions) -> list[RunResults]:
    """Runs with the rows to show; a run without any is left out.

    Parameters
    ----------
    runs : sequence of RunResults
    options : ReportOptions
        With ``methods``, those alone; else what was not skipped everywhere, unless
        ``show_empty`` or unless there is nothing else.

    Raises
    ------
    UnknownNameError
        For a method that no run has a row of.
    """
    known = dict.fromkeys(row["method"] for run in runs for row in run.rows)
    for name in options.methods:
        if name not in known:
            raise UnknownNameError("row of the runs", name, known)
    if options.methods:
        return with_methods(runs, options.methods)
    skipped = skipped_methods(runs)
    if options.show_empty or not skipped or len(skipped) == len(known):
        return list(runs)
    unfinished = {name for run in runs for name in run.run["methods"]}
    return with_methods(runs, {*known, *unfinished} - set(skipped))


def check_reference(runs: Sequence[RunResults], options: ReportOptions) -> None:
    """Refuse a reference row that nothing can be tested against.

    Raises
    ------
    UnknownNameError
        If no run has it.
    UsageError
        If it has no results, or is not among the rows to show.
    """
    name = options.reference
    rows = {row["method"]: row for run in runs for row in run.rows}
    if name not in rows:
        raise UnknownNameError("row of the runs for --reference", name, rows)
    if options.methods and name not in options.methods:
        raise UsageError(f"--reference {name} must be among --methods {','.join(options.methods)}.")
    if not any(row["method"] == name for run in runs for row in run.scored_rows):
        reason = rows[name].get("reason") or "no reason given"
        raise UsageError(f"--reference {name} has no results: {rows[name]['state']}, {reason}.")


_kept: WeakKeyDictionary[RunResults, dict[frozenset[str], RunResults]] = WeakKeyDictionary()
"""Runs with some of their methods, by run and methods: scores are kept by the run object."""


def with_methods(runs: Sequence[RunResults], names: Iterable[str]) -> list[RunResults]:
    """Runs with the rows of some methods only; a run without any of them is left out."""
    wanted = frozenset(names)
    parts = []
    for run in runs:
        part = _kept.setdefault(run, {}).get(wanted)
        if part is None:
            rows = tuple(row for row in run.rows if row["method"] in wanted)
            methods = {name: one for name, one in run.run["methods"].items() if name in wanted}
            part = replace(run, rows=rows, run={**run.run, "methods": methods})
            _kept[run][wanted] = part
        if part.rows:
            parts.append(part)
    return parts
