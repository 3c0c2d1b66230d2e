"""What to type next after a run: commands that work as they are printed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from irbench.cli.options import without_options
from irbench.engine.storage.results import RunResults

_LEAST_TO_COMPARE = 2


def next_commands(results: RunResults) -> list[str]:
    """Three commands, quoted for a shell.

    Parameters
    ----------
    results : RunResults

    Returns
    -------
    list of str
        The page, the LaTeX table, and the two methods of best F1 compared; with fewer than
        two methods that have results, more methods in place of the comparison.
    """
    path = str(results.path)
    scored = results.scored_rows
    commands: list[Sequence[str]] = [
        ("irbench", "report", path, "--format", "html"),
        ("irbench", "report", path, "--format", "latex"),
    ]
    if len(scored) >= _LEAST_TO_COMPARE:
        best = sorted(scored, key=lambda row: -(row.get("f1") or 0.0))[:_LEAST_TO_COMPARE]
        commands.append(("irbench", "compare", path, *(row["method"] for row in best)))
    else:
        commands.append(_more_methods(results))
    return [shlex.join(command) for command in commands]


def _more_methods(results: RunResults) -> list[str]:
    """The command that made the run, with all methods: every other option is in its key."""
    made_by = list(results.run.get("command") or ())
    if "run" not in made_by or "all" in made_by:
        return ["irbench", "analyze", str(results.path)]
    kept = without_options(made_by, ("--methods", "--out"))
    return [*kept, "--methods", "all", "--out", str(results.path)]
