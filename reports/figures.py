"""Figures of a run as PNG and PDF, at print size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from irbench.engine.storage.results import RunResults
from irbench.figures.catalogue import file_stem
from irbench.figures.compared_methods import ComparedMethods
from irbench.messages.progress import terminal_progress
from irbench.report import DEFAULT_OPTIONS, Report, ReportInfo, ReportOptions
from irbench.resources import n_cores
from irbench.statistics.scored_group import are_scored

from ._figure_jobs import (
    DrawnFigure,
    FigureJob,
    check_images,
    draw_by_workers,
    draw_in_turn,
    figure_jobs,
    group_comparison,
)
from ._seeds import refuse_seeds
from ._table import table_groups

WORTH_WORKERS = 1000
"""So many tested images, over all methods, are worth the start of processes."""

MOST_WORKERS = 4
"""Each reads what every method found: of more, memory would grow faster than speed."""


class Figures(Report):
    """Curves, accuracy against cost, breakdowns and pictures, each as PNG and PDF."""

    info: ClassVar[ReportInfo] = ReportInfo(
        name="figures",
        title="PNG and PDF at print size: curves, Pareto fronts, breakdowns, pictures",
        folder="figures",
        last=True,
    )

    def write(
        self, runs: Sequence[RunResults], out: Path, options: ReportOptions = DEFAULT_OPTIONS
    ) -> list[Path]:
        """See :meth:`irbench.report.Report.write`.

        What cannot be drawn of a run is said on standard error, with the reason.
        """
        refuse_seeds(options, "figures")
        groups = table_groups(runs, options)
        progress = terminal_progress()
        written: list[Path] = []
        comparisons = [group_comparison(group, progress) for group in groups]
        check_images(comparisons, options)
        for index, (group, comparison) in enumerate(zip(groups, comparisons, strict=True)):
            prefix = f"{file_stem(group.title)}-" if len(groups) > 1 else ""
            folders = [run.path for run in runs]
            jobs = figure_jobs(comparison, folders, options, index, out, prefix)
            found: dict[FigureJob, DrawnFigure] = {}
            with progress.track(f"Figures of {group.title}", len(jobs)) as advance:
                for job, drawn in _drawn(comparison, jobs):
                    found[job] = drawn
                    advance()
            for job in jobs:
                written += found[job].paths
                if found[job].left_out:
                    progress.say(found[job].left_out)
        return written


def _drawn(
    comparison: ComparedMethods, jobs: Sequence[FigureJob]
) -> Iterator[tuple[FigureJob, DrawnFigure]]:
    n_images = sum(row.get("n_images") or 0 for row in comparison.rows)
    n_workers = min(n_cores(), MOST_WORKERS)
    # Each worker scores for itself, which takes as long as half of the drawing.
    scored = are_scored(comparison.runs, comparison.rows)
    if n_workers > 1 and n_images >= WORTH_WORKERS and not scored:
        return draw_by_workers(comparison, jobs, n_workers)
    return draw_in_turn(comparison, jobs)
