"""What a report is: a format that runs can be written in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from irbench.engine.results import RunResults


@dataclass(frozen=True, kw_only=True)
class ReportInfo:
    """What is known of a report format.

    Parameters
    ----------
    name : str
        As typed after ``--format``.
    title : str
        What it writes, for ``--help``.
    """

    name: str
    title: str


class Report(ABC):
    """Base of all report formats; stateless."""

    info: ClassVar[ReportInfo]

    @abstractmethod
    def write(self, runs: Sequence[RunResults], out: Path, table: int = 1) -> list[Path]:
        """Write the report of one or several runs.

        Parameters
        ----------
        runs : sequence of RunResults
            Set side by side, one group of columns each.
        out : Path
            An existing directory.
        table : int
            The paper's table that it is laid out like.

        Returns
        -------
        list of Path
            The files that were written.
        """
