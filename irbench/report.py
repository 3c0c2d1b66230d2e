"""What a report is: a format that runs can be written in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from irbench.engine.storage.results import Row, RunResults

Notes = Literal["none", "short", "full"]
"""How much is said under a table."""


@dataclass(frozen=True, kw_only=True)
class ReportInfo:
    """What is known of a report format.

    Parameters
    ----------
    name : str
        As typed after ``--format``.
    title : str
        What it writes, for ``--help``.
    folder : str
        Where in the run directory its files go by default; empty for the directory
        itself.
    printed : bool
        Whether ``irbench report`` prints the first file to the terminal too.
    keeps_skipped : bool
        Whether it has the rows of skipped methods whatever is asked for.
    last : bool
        Whether a command with several formats writes it after those that are not: what they have
        scored is not scored again.
    """

    name: str
    title: str
    folder: str = "tables"
    printed: bool = False
    keeps_skipped: bool = False
    last: bool = False


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """What a report is asked for. A format ignores what it has no use for.

    Parameters
    ----------
    table : int
        The paper's table that it is laid out like.
    columns : tuple of str
        Names of metrics (:data:`irbench.metrics.definition.METRICS`), or ``"paper"`` or
        ``"wide"`` for several; empty for the format's own choice.
    paper : bool
        Set the paper's published values beside the measured ones.
    as_published : bool
        Add the rows of the paper's table that the runs lack, marked as published.
    intervals : bool
        Print the 95 % interval of each value that can be resampled.
    seeds : bool
        A network that several runs have on the same images, with weights of its own in each, is
        one row: mean and standard deviation.
    siunitx : bool
        Align numbers by the LaTeX package of that name.
    methods : tuple of str
        The rows to show, in this order; empty for all, in the order of Table I.
    images : tuple of str
        Ids of the images that figures are drawn of; empty for the figures' own choice.
    show_empty : bool
        Show rows that were skipped, and columns without a single value, too.
    reference : str
        The row that every other one is tested against, metric by metric; empty for none.
    notes : {"none", "short", "full"}
        The legend of the marks alone; what a reader of the table needs; or all that its numbers
        depend on.
    full : bool
        Leave nothing out for the sake of size or time: whole pictures, every false alarm, and
        score maps, for which the detectors run again.
    """

    table: int = 1
    columns: tuple[str, ...] = ()
    paper: bool = False
    as_published: bool = False
    intervals: bool = False
    seeds: bool = False
    siunitx: bool = False
    methods: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    show_empty: bool = False
    reference: str = ""
    notes: Notes = "short"
    full: bool = False


DEFAULT_OPTIONS = ReportOptions()
"""Table I, with the format's own columns, measured values only."""


def skipped_methods(runs: Sequence[RunResults]) -> dict[str, Row]:
    """The methods that every run skipped which has them, each with its first row.

    A report shows them only where it is asked to.
    """
    rows = [row for run in runs for row in run.rows]
    tried = {row["method"] for row in rows if row["state"] != "skipped"}
    found: dict[str, Row] = {}
    for row in rows:
        if row["method"] not in tried:
            found.setdefault(row["method"], row)
    return found


def not_shown(runs: Sequence[RunResults], options: ReportOptions) -> list[str]:
    """Titles of the skipped methods that a report with these options leaves out.

    Where every method was skipped, all are shown.
    """
    skipped = skipped_methods(runs)
    known = {row["method"] for run in runs for row in run.rows}
    if options.show_empty or options.methods or len(skipped) == len(known):
        return []
    return [row["title"] for row in skipped.values()]


class Report(ABC):
    """Base of all report formats; stateless."""

    info: ClassVar[ReportInfo]

    @abstractmethod
    def write(
        self, runs: Sequence[RunResults], out: Path, options: ReportOptions = DEFAULT_OPTIONS
    ) -> list[Path]:
        """Write the report of one or several runs.

        Parameters
        ----------
        runs : sequence of RunResults
            Set side by side, one group of columns for each dataset.
        out : Path
            An existing directory.
        options : ReportOptions

        Returns
        -------
        list of Path
            The files that were written.

        Raises
        ------
        UsageError
            For runs that cannot be compared, saying what differs.
        """

    def terminal_text(
        self, runs: Sequence[RunResults], options: ReportOptions, width: int, *, styled: bool
    ) -> str:
        """What ``irbench report`` prints besides the names of the files; by default nothing.

        Parameters
        ----------
        runs, options
            As of :meth:`write`.
        width : int
            Of the terminal, in characters.
        styled : bool
            Whether the terminal shows bold face and the like.
        """
        return ""
