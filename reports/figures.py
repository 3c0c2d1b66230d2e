"""Figures of a run as PNG and PDF, at print size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from irbench.engine.results import RunResults
from irbench.errors import NoFigureError
from irbench.figures.canvas import save_figure
from irbench.figures.catalogue import file_stem, named_figures
from irbench.figures.comparison import Comparison
from irbench.progress import terminal_progress
from irbench.report import DEFAULT_OPTIONS, Report, ReportInfo, ReportOptions

from ._side_by_side import methods_in_order
from ._table import table_groups


class Figures(Report):
    """Curves, accuracy against cost, breakdowns and pictures, each as PNG and PDF."""

    info: ClassVar[ReportInfo] = ReportInfo(
        name="figures",
        title="PNG and PDF at print size: curves, Pareto fronts, breakdowns, pictures",
        folder="figures",
    )

    def write(
        self, runs: Sequence[RunResults], out: Path, options: ReportOptions = DEFAULT_OPTIONS
    ) -> list[Path]:
        """See :meth:`irbench.report.Report.write`.

        What cannot be drawn of a run is said on standard error, with the reason.
        """
        groups = table_groups(runs, options)
        progress = terminal_progress()
        written = []
        for group in groups:
            rows = tuple(methods_in_order([group]))
            comparison = Comparison(group.title, group.runs, rows, progress)
            prefix = f"{file_stem(group.title)}-" if len(groups) > 1 else ""
            figures = named_figures(comparison)
            left_out = []
            with progress.track(f"Figures of {group.title}", len(figures)) as advance:
                for name, figure in figures.items():
                    try:
                        drawn = figure.draw(comparison)
                    except NoFigureError as error:
                        left_out.append(f"{prefix}{name} is left out: {error}")
                    else:
                        written += save_figure(drawn, out / f"{prefix}{name}")
                    advance()
            for reason in left_out:
                progress.say(reason)
        return written
