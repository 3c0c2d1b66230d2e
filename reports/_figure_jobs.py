"""Figures drawn by several processes: each is a job of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from irbench.engine.executors.worker_pool import WorkerPool
from irbench.engine.storage.results import load_run
from irbench.errors import NoFigureError
from irbench.figures.catalogue import named_figures
from irbench.figures.compared_methods import ComparedMethods, check_image
from irbench.messages.progress import Progress
from irbench.pictures.canvas import save_figure
from irbench.plugins.files import plugin_files
from irbench.plugins.registry import load_plugin
from irbench.report import ReportOptions

from ._side_by_side import DataGroup, methods_in_order
from ._table import table_groups


@dataclass(frozen=True)
class FigureJob:
    """A figure to be drawn.

    Attributes
    ----------
    runs : tuple of str
        Run directories of the report.
    options : ReportOptions
    group : int
        Index of the dataset among those of the report.
    name : str
        See :func:`irbench.figures.catalogue.named_figures`.
    stem : str
        Of the files, without a suffix.
    plugins : tuple of str
        Files that are to be loaded first.
    """

    runs: tuple[str, ...]
    options: ReportOptions
    group: int
    name: str
    stem: str
    plugins: tuple[str, ...]


@dataclass(frozen=True)
class DrawnFigure:
    """The files of a figure, or why there are none."""

    paths: tuple[Path, ...] = ()
    left_out: str = ""


def group_comparison(group: DataGroup, progress: Progress) -> ComparedMethods:
    """The methods of a dataset of the report, in the order of its table."""
    return ComparedMethods(group.title, group.runs, tuple(methods_in_order([group])), progress)


def figure_jobs(
    comparison: ComparedMethods,
    runs: Sequence[Path],
    options: ReportOptions,
    group: int,
    out: Path,
    prefix: str,
) -> list[FigureJob]:
    """A job for each figure of a dataset, in the order of the catalogue."""
    paths, plugins = tuple(map(str, runs)), tuple(plugin_files())
    return [
        FigureJob(paths, options, group, name, str(out / f"{prefix}{name}"), plugins)
        for name in named_figures(comparison, images_of(comparison, options))
    ]


def images_of(comparison: ComparedMethods, options: ReportOptions) -> list[str]:
    """Those of the chosen images that a dataset has."""
    if not options.images:
        return []
    known = {truth.id for truth in comparison.scored.truths}
    return [image for image in options.images if image in known]


def check_images(comparisons: Sequence[ComparedMethods], options: ReportOptions) -> None:
    """Refuse a chosen image that no dataset of a report has.

    Raises
    ------
    UnknownImageError
        With the nearest ids.
    """
    if not options.images:
        return
    known = [truth.id for comparison in comparisons for truth in comparison.scored.truths]
    for image in options.images:
        check_image(image, known)


def draw(comparison: ComparedMethods, job: FigureJob) -> DrawnFigure:
    """Draw a figure and write its files."""
    try:
        images = images_of(comparison, job.options)
        figure = named_figures(comparison, images)[job.name](comparison)
    except NoFigureError as error:
        return DrawnFigure(left_out=f"{Path(job.stem).name} is left out: {error}")
    return DrawnFigure(tuple(save_figure(figure, Path(job.stem))))


def draw_in_turn(
    comparison: ComparedMethods, jobs: Sequence[FigureJob]
) -> Iterator[tuple[FigureJob, DrawnFigure]]:
    """Draw figures in this process."""
    for job in jobs:
        yield job, draw(comparison, job)


def draw_by_workers(
    comparison: ComparedMethods, jobs: Sequence[FigureJob], n_workers: int
) -> Iterator[tuple[FigureJob, DrawnFigure]]:
    """Draw figures in several processes, in any order; here, what a worker fails on.

    The result is the same to the byte, and so are the errors.
    """
    with WorkerPool(n_workers) as pool:
        # The last of the catalogue take longest: begun first, none of them ends alone.
        for outcome in pool.run(draw_in_worker, reversed(jobs)):
            found = outcome.returned
            yield outcome.job, draw(comparison, outcome.job) if found is None else found


def draw_in_worker(job: FigureJob) -> DrawnFigure:
    """Draw a figure in a process that knows nothing yet."""
    for plugin in job.plugins:
        load_plugin(plugin)
    return draw(_comparison(job.runs, job.options, job.group), job)


@lru_cache(maxsize=1)
def _comparison(runs: tuple[str, ...], options: ReportOptions, group: int) -> ComparedMethods:
    groups = table_groups([load_run(run) for run in runs], options)
    return group_comparison(groups[group], Progress())
