"""What a report is: a format that runs can be written in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from irbench.engine.storage.results import RunResults


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
    """

    name: str
    title: str
    folder: str = "tables"
    printed: bool = False


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
    siunitx : bool
        Align numbers by the LaTeX package of that name.
    full : bool
        Leave nothing out for the sake of size or time: whole pictures, every false alarm, and
        score maps, for which the detectors run again.
    """

    table: int = 1
    columns: tuple[str, ...] = ()
    paper: bool = False
    as_published: bool = False
    intervals: bool = False
    siunitx: bool = False
    full: bool = False


DEFAULT_OPTIONS = ReportOptions()
"""Table I, with the format's own columns, measured values only."""


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
