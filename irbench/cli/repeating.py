"""The command that made a run, repeated with other options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from irbench.cli.options import without_options
from irbench.engine.storage.results import RunResults
from irbench.errors import UsageError

_OF_THE_RUN = ("--out", "--methods", "--calibration", "--jobs", "--timing-images")
"""Options that a repetition is given anew."""

_FLAGS = ("-q", "--quiet", "-v", "--verbose", "--time-again")


def command_words(run: RunResults) -> list[str]:
    """The words after ``irbench run`` of the command that made a run.

    Raises
    ------
    UsageError
        If another command made it.
    """
    words = list(run.run.get("command") or ())
    if words[:2] != ["irbench", "run"]:
        raise UsageError(
            f"{run.path} was not made by `irbench run`, whose command is repeated; make it by "
            "that command."
        )
    return words[2:]


def repeat_run(
    words: Sequence[str],
    methods: Sequence[str],
    out: Path,
    jobs: int | None,
    *more: str,
    without: Sequence[str] = (),
) -> int:
    """Run methods again, without a timing pass.

    Parameters
    ----------
    words : sequence of str
        Of :func:`command_words`.
    methods : sequence of str
    out : Path
        The new run directory; a command that was interrupted there resumes.
    jobs : int or None
    *more : str
        Further words.
    without : sequence of str
        Options to leave out, with their values.

    Returns
    -------
    int
        As ``irbench run`` exits.
    """
    from irbench.cli.run import run

    new = [
        *without_options(words, (*_OF_THE_RUN, *without), _FLAGS),
        *("--methods", ",".join(methods), "--out", str(out), "--timing-images", "0", "--quiet"),
        *([] if jobs is None else ["--jobs", str(jobs)]),
        *more,
    ]
    status: int = run.main(new, standalone_mode=False)
    return status
