"""What to type next after a run: commands that work as they are printed."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from irbench.cli.options import without_options

if TYPE_CHECKING:
    from irbench.engine.storage.results import RunResults

_LEAST_TO_COMPARE = 2


def plugin_arguments(plugins: Iterable[Path]) -> list[str]:
    """The options that load plug-ins again, as they may be typed."""
    return [word for path in plugins for word in ("--plugin", str(path))]


def param_arguments(method: str, texts: Mapping[str, str]) -> list[str]:
    """The parameters of a method, as they may be typed.

    Examples
    --------
    >>> param_arguments("mine", {"width": "32"})
    ['--param', 'mine.width=32']
    """
    pairs = (("--param", f"{method}.{name}={value}") for name, value in texts.items())
    return [word for pair in pairs for word in pair]


def next_commands(results: RunResults) -> list[str]:
    """Three commands, quoted for a shell.

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
